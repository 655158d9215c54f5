"""Cuts a stream of rows into batches, and reads one batch ahead of the writer."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from datamig_pipelines.dialects.columns import Columns, joined
from datamig_pipelines.dialects.reading import Row

MAX_BATCH_BYTES = 16 * 2**20
_CELL_BYTES = 50  # a Python object before its text
_SIZED = frozenset({str, bytes})


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of one stream; ``bytes`` is their size on the wire, in memory for cells."""

    rows: list[Row] | Columns
    bytes: int


def cut(lists: Iterator[list[Row] | Columns], batch_size: int) -> Iterator[Batch]:
    """Yield batches of ``batch_size`` rows, fewer where they would pass `MAX_BATCH_BYTES`.

    ``lists`` are the rows as they came off the wire. Closed before the end, it closes ``lists``.
    """
    parts: list[list[Row] | Columns] = []
    count = size = 0
    try:
        for rows in lists:
            at = 0
            while at < len(rows):
                part = rows[at : at + batch_size - count]
                at += len(part)
                parts.append(part)
                count += len(part)
                size += _size(part)
                if count >= batch_size or size >= MAX_BATCH_BYTES:
                    yield Batch(joined(parts), size)
                    parts, count, size = [], 0, 0
    finally:
        _close(lists)
    if parts:
        yield Batch(joined(parts), size)


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
    """Reads batches in a thread of its own, at most one ahead of whoever takes them."""

    def __init__(self, batches: Iterator[Batch], stopped: Callable[[], bool]) -> None:
        self.ready: queue.Queue[Batch | _End] = queue.Queue(maxsize=1)
        self.left = threading.Event()
        self._batches = batches
        self._stopped = stopped

    def run(self) -> None:
        """Read until the end, an error, or until nobody wants any more."""
        try:
            for batch in self._batches:
                if not self._put(batch):
                    break
            _close(self._batches)
            end = _End()
        except BaseException as error:  # noqa: BLE001 (raised again by the consumer)
            end = _End(error)
        self._put(end)

    def _put(self, item: Batch | _End) -> bool:
        while not (self.left.is_set() or self._stopped()):
            try:
                self.ready.put(item, timeout=0.2)
            except queue.Full:
                continue
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
            yield item
    finally:
        reader.left.set()
        thread.join()
