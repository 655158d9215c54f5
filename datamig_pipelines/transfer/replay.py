"""Reads a stream once more and holds it against the batches that were made of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from datamig_pipelines.dialects.columns import Columns, joined
from datamig_pipelines.dialects.reading import Row
from datamig_pipelines.errors import StreamChangedError
from datamig_pipelines.ledger import BatchEntry

Digest = Callable[[Sequence[Row]], str]


class Replay:
    """Rows of a stream, taken by number."""

    def __init__(self, lists: Iterator[list[Row] | Columns]) -> None:
        """Take over a stream; `close` ends it."""
        self._lists = lists
        self._held: list[Row] | Columns = []

    def take(self, count: int) -> list[Row] | Columns:
        """Return the next rows, fewer at the end of the stream."""
        parts: list[list[Row] | Columns] = []
        while count:
            if not len(self._held):
                more = next(self._lists, None)
                if more is None:
                    break
                self._held = more
            part, self._held = self._held[:count], self._held[count:]
            parts.append(part)
            count -= len(part)
        return joined(parts) if parts else []

    def shows(self, entry: BatchEntry, digest: Digest) -> bool:
        """Say whether the next rows are those of a batch, unchanged."""
        rows = self.take(entry.rows_read)
        return len(rows) == entry.rows_read and digest(rows) == entry.digest

    def rest(self) -> Iterator[list[Row] | Columns]:
        """Yield what has not been taken."""
        if len(self._held):
            yield self._held
        yield from self._lists

    def close(self) -> None:
        """End the stream. Idempotent."""
        close = getattr(self._lists, "close", None)
        if close is not None:
            close()


def behind(
    lists: Iterator[list[Row] | Columns], entries: Sequence[BatchEntry], digest: Digest
) -> Iterator[list[Row] | Columns]:
    """Yield the rows behind those of some batches, which must come first, as they were.

    Raises:
        StreamChangedError: They do not. Nothing was yielded.
    """
    with closing(Replay(lists)) as replay:
        for entry in entries:
            if not replay.shows(entry, digest):
                msg = f"the rows of batch {entry.number} of {entry.table} do not come again"
                hint = "The table has no key to go on behind; run again, and it starts over."
                raise StreamChangedError(msg, hint=hint)
        yield from replay.rest()
