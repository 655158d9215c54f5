"""Cuts a stream of rows into batches, and reads one batch ahead of the writer."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from datamig_pipelines.dialects.columns import Columns, joined
from datamig_pipelines.dialects.reading import Row

MAX_BATCH_BYTES = 8 << 20
"""Of one batch; two of them are in memory per worker, one written and one read ahead."""
_CELL_BYTES = 50  # a Python object before its text
_SIZED = frozenset({str, bytes})


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one stream; ``bytes`` is their size on the wire, in memory for cells."""

    rows: list[Row] | Columns
    bytes: int


def cut(lists: Iterator[list[Row] | Columns], batch_size: int) -> Iterator[Batch]:
    """Yield batches of ``batch_size`` rows, fewer where they would pass `MAX_BATCH_BYTES`.

    ``lists`` are the rows as they came off the wire; one of them is passed on whole, or at the
    number of rows. Closed before the end, it closes ``lists``.
    """
    held = _Held()
    try:
        for rows in lists:
            at = 0
            while at < len(rows):
                part = rows[at : at + batch_size - held.count]
                at += len(part)
                size = _size(part)
                if held.parts and held.size + size > MAX_BATCH_BYTES:
                    yield held.batch()
                held.add(part, size)
                if held.count >= batch_size or held.size >= MAX_BATCH_BYTES:
                    yield held.batch()
    finally:
        _close(lists)
    if held.parts:
        yield held.batch()


class _Held:
    """The parts of the next batch."""

    def __init__(self) -> None:
        self.parts: list[list[Row] | Columns] = []
        self.count = self.size = 0

    def add(self, part: list[Row] | Columns, size: int) -> None:
        self.parts.append(part)
        self.count += len(part)
        self.size += size

    def batch(self) -> Batch:
        made = Batch(joined(self.parts), self.size)
        self.parts, self.count, self.size = [], 0, 0
        return made


def _size(rows: list[Row] | Columns) -> int:
    if isinstance(rows, Columns):
        return rows.bytes
    if isinstance(rows[0], bytes):
        return sum(map(len, rows))
    return sum(map(_cells_size, rows))  # type: ignore[arg-type]


def _close(stream: Iterator[object]) -> None:
    close = getattr(stream, "close", None)
    if close is not None:
        close()


def _cells_size(row: tuple[object, ...]) -> int:
    return _CELL_BYTES * len(row) + sum([len(c) for c in row if type(c) in _SIZED])  # type: ignore[arg-type, misc]


class _End:
    """Marks the end of the stream; carries the reader's error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Reader:
    """Reads batches in a thread of its own, one ahead of whoever takes them and no more."""

    def __init__(self, batches: Iterator[Batch], stopped: Callable[[], bool]) -> None:
        self.ready: queue.SimpleQueue[Batch | _End] = queue.SimpleQueue()
        self.wanted = threading.Semaphore(1)
        self.left = threading.Event()
        self._batches = batches
        self._stopped = stopped

    def run(self) -> None:
        """Read until the end, an error, or until nobody wants any more."""
        try:
            while self._is_wanted():
                batch = next(self._batches, None)
                if batch is None:
                    break
                self.ready.put(batch)
            _close(self._batches)
            end = _End()
        except BaseException as error:  # noqa: BLE001 (raised again by the consumer)
            end = _End(error)
        self.ready.put(end)

    def _is_wanted(self) -> bool:
        """Wait until the batch before is taken; False if no other is wanted."""
        while not (self.left.is_set() or self._stopped()):
            if self.wanted.acquire(timeout=0.2):
                return True
        return False


def ahead(batches: Iterator[Batch], stopped: Callable[[], bool]) -> Generator[Batch, None, None]:
    """Yield the same batches, read by a thread that stays one batch ahead.

    The reader ends with its consumer: closing this generator stops and joins it, and closes
    ``batches`` in the thread that read them. An error of the reader is raised here.
    """
    reader = _Reader(batches, stopped)
    thread = threading.Thread(target=reader.run, name="datamig-reader", daemon=True)
    thread.start()
    try:
        while not stopped():
            try:
                item = reader.ready.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            reader.wanted.release()
            yield item
    finally:
        reader.left.set()
        reader.wanted.release()
        thread.join()
