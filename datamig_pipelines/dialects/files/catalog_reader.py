"""The catalog of a folder of files."""

from collections import defaultdict

from datamig_pipelines.catalog import Catalog, Column, Table, TableName, Type, View
from datamig_pipelines.catalog.types import Kind
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.duckdb import types
from datamig_pipelines.dialects.files import tables
from datamig_pipelines.dialects.files.relation import ROW, quote

FOREIGN = "foreign"
"""The kind of what lies in a target's folder and is none of our tables."""


def read_catalog(session: Queryable, engine: str) -> Catalog:
    """Read the tables; a foreign file or folder of a target counts as a view, to be left alone."""
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, name, declared in session.query(tables.COLUMNS):
        type_ = types.parse(declared) or Type(Kind.OTHER, native=declared)
        columns[table].append(Column(name, type_))
    sizes = {name: (int(r), int(b)) for name, r, b in session.query(tables.SIZES)}
    others = session.query(tables.EVERYTHING_ELSE)
    return Catalog(
        engine,
        session.query("SELECT version()")[0][0].removeprefix("v"),
        tuple(
            _table(n, columns[n], *sizes.get(n, (0, 0))) for (n,) in session.query(tables.SHAPES)
        ),
        tuple(View(TableName("", name), "") for kind, name in others if kind == FOREIGN),
        tuple((kind, name) for kind, name in others if kind != FOREIGN),
    )


def _table(name: str, columns: list[Column], rows: int, size: int) -> Table:
    own = ROW in {c.name.lower() for c in columns}
    rowid = "" if own else quote(ROW)  # as DuckDB calls the one order that needs no sorting
    return Table(TableName("", name), tuple(columns), rows=rows, bytes=size, rowid=rowid)
