"""What of a database is dumped, and at which moment."""

from dataclasses import dataclass

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
