"""Reads and landings of a whole table, as the planner would describe them."""

from datamig_pipelines.catalog import Kind, Table, TableName, Type
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import Compared, KeyPart, Landing, Projection, Read
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.session import Session

DIALECT = SQLite()


def table_of(session: Session, name: str) -> Table:
    """Return one table of the session's catalog."""
    found = DIALECT.read_catalog(session, "").table(TableName("", name))
    assert found is not None
    return found


def projections(table: Table, into: dict[str, Type] | None = None) -> tuple[Projection, ...]:
    """Return all columns as they are; ``into`` names other target types."""
    return tuple(
        Projection(
            c.name, DIALECT.quote(c.name), c.type, (into or {}).get(c.name, c.type), family(c.type)
        )
        for c in table.columns
        if c.generated is None
    )


def read_of(
    table: Table,
    key: tuple[str, ...] = (),
    after: tuple[str, ...] | None = None,
    where: str = "",
    into: dict[str, Type] | None = None,
) -> Read:
    """Return a read of all columns; the key ``rowid`` is the hidden one."""
    rowid = KeyPart("rowid", Type(Kind.INTEGER, bits=64))
    parts = tuple(
        KeyPart(DIALECT.quote(k), column.type) if (column := table.column(k)) else rowid
        for k in key
    )
    return Read(table.name, projections(table, into), Wire.CELLS, parts, where, after)


def landing_of(table: Table, types: dict[str, Type] | None = None) -> Landing:
    """Return where rows land; ``types`` says what the source's columns were."""
    columns = tuple(
        Projection(c.name, c.name, (types or {}).get(c.name, Type(Kind.OTHER)), c.into, c.compare)
        for c in projections(table)
    )
    return Landing(table, columns, Wire.CELLS)


def compared(table: Table) -> list[Compared]:
    """Return all columns in the form of their own family."""
    return [Compared(DIALECT.quote(c.name), c.type, family(c.type)) for c in table.columns]
