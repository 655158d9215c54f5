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


@dataclass(frozen=True)
class Beside:
    """What stands in no catalog and a restore in place concerns.

    ``held`` are things that it replaces, as (kind, name), figures of them in parentheses at the
    end of the name. ``lost`` is what it does not bring back whatever the backup holds: what, why.
    """

    held: tuple[tuple[str, str], ...] = ()
    lost: tuple[tuple[str, str], ...] = ()


class DumpStream(Protocol):
    """Backups of an engine as compressed files that never lie on this machine's disk."""

    names: tuple[str, ...]
    """The names of such files, in the order in which they are restored."""
    parallel: bool
    """On a disk, several connections write a big dump faster than one can stream it."""

    def dumps(
        self, url: URL, order: DumpOrder
    ) -> Iterator[tuple[str, Generator[bytes, None, None]]]:
        """Yield the name and the blocks of each file; closed early, the program is ended.

        One connection makes it, whatever ``order.jobs`` says. Raises as `Dialect.dump` does.
        """
        ...

    def restore(self, url: URL, blocks: Iterator[bytes]) -> None:
        """Restore one of these files into the database at ``url``. Raises as `Dialect.restore`."""
        ...
