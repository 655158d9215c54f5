"""What one database holds."""

from dataclasses import dataclass

from datamig_pipelines.catalog.names import TableName
from datamig_pipelines.catalog.schema_object import SchemaObject
from datamig_pipelines.catalog.table import Table, View


@dataclass(frozen=True)
class Catalog:
    """The tables and views of one database, and what else there is, by kind and name.

    ``objects`` are moved between equal engines, ``others`` lists what no step moves, as
    (kind, name). The plan has a line for each of them: nothing goes missing in silence. ``types``
    are the bare names of all types that a column may have, ``roles`` those of all who may be
    granted something, where the engine can tell.
    """

    engine: str
    version: str
    tables: tuple[Table, ...] = ()
    views: tuple[View, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    types: tuple[str, ...] = ()
    objects: tuple[SchemaObject, ...] = ()
    roles: tuple[str, ...] = ()

    def table(self, name: TableName) -> Table | None:
        """Return the table of exactly that name, or None."""
        return next((t for t in self.tables if t.name == name), None)
