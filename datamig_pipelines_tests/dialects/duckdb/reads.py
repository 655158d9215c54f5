"""Reads and landings of a whole table as the planner would describe them."""

from typing import Any

from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Kind, Table, TableName, Type
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.duckdb import DuckDB
from datamig_pipelines.dialects.reading import Compared, KeyPart, Landing, Projection, Read
from datamig_pipelines.session import Session

DIALECT = DuckDB()
ROWID = KeyPart('"rowid"', Type(Kind.INTEGER, bits=64))


def open_session(url: str, *, readonly: bool = False) -> Session:
    """Open a session on a file."""
    return Session(DIALECT, make_url(url), readonly=readonly)


def table_of(session: Session, name: str, schema: str = "main") -> Table:
    """Return one table of the session's catalog."""
    found = DIALECT.read_catalog(session, "*").table(TableName(schema, name))
    assert found is not None
    return found


def projections(table: Table, into: dict[str, Type] | None = None) -> tuple[Projection, ...]:
    """Return all columns that can be written, unchanged unless ``into`` names a target type."""
    return tuple(
        Projection(
            c.name, DIALECT.quote(c.name), c.type, (into or {}).get(c.name, c.type), family(c.type)
        )
        for c in table.columns
        if c.generated is None
    )


def read_of(
    table: Table,
    *key: str,
    after: tuple[str, ...] | None = None,
    where: str = "",
    into: dict[str, Type] | None = None,
) -> Read:
    """Return a read of all columns in order of a key."""
    types = {c.name: c.type for c in table.columns}
    parts = tuple(ROWID if k == "rowid" else KeyPart(DIALECT.quote(k), types[k]) for k in key)
    return Read(table.name, projections(table, into), Wire.CELLS, parts, where, after)


def landing_of(table: Table) -> Landing:
    """Return a landing on all columns of a table."""
    return Landing(table, projections(table), Wire.ARROW)


def payload_of(table: Table, rows: list[tuple[Any, ...]]) -> Any:
    """Return rows as the Arrow table that an encoder makes: int64, double, binary, text."""
    import pyarrow as pa

    arrow = {Kind.INTEGER: pa.int64(), Kind.FLOAT: pa.float64(), Kind.BLOB: pa.binary()}
    columns = projections(table)
    arrays = []
    for at, column in enumerate(columns):
        values = [row[at] for row in rows]
        wide = any(isinstance(v, int) and not -(2**63) <= v < 2**63 for v in values)
        kind = pa.string() if wide else arrow.get(column.type.kind, pa.string())
        if kind == pa.string():
            values = [str(v) if isinstance(v, int) else v for v in values]
        arrays.append(pa.array(values, kind))
    return pa.table(arrays, names=[f"c{at}" for at in range(len(columns))])


def compared(table: Table) -> list[Compared]:
    """Return all columns in their own form of comparison."""
    return [
        Compared(DIALECT.quote(c.name), c.type, family(c.type))
        for c in table.columns
        if c.type.kind is not Kind.ARRAY
    ]
