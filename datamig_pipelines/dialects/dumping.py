"""What of a database is dumped, and at which moment."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName


@dataclass(frozen=True)
class DumpOrder:
    """What a dump holds.

    ``only`` are the tables wanted, None: everything. ``others`` are the tables and views that are
    there but not wanted. ``snapshot`` is what `Dialect.export_snapshot` gave, '' for the moment of
    the dump itself. ``jobs`` is how many connections may be used.
    """

    only: tuple[TableName, ...] | None = None
    others: tuple[TableName, ...] = ()
    snapshot: str = ""
    jobs: int = 1


class DumpStream(Protocol):
    """Backups of an engine as one compressed file that never lies on this machine's disk."""

    name: str
    """The file's name; `Dialect.dump` gives a file of this name the same form."""

    def dump(self, url: URL, order: DumpOrder) -> Generator[bytes, None, None]:
        """Yield the blocks of a dump; closed early, its program is ended.

        One connection makes it, whatever ``order.jobs`` says. Raises as `Dialect.dump` does.
        """
        ...

    def restore(self, url: URL, blocks: Iterator[bytes]) -> None:
        """Restore such a dump into the empty database at ``url``. Raises as `Dialect.restore`."""
        ...
