"""Reads of a whole table as the planner would describe them, and what a COPY line says."""

import re

from datamig_pipelines.catalog import Table, TableName, Type
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.dialects.reading import KeyPart, Projection, Read
from datamig_pipelines.session import Session

DIALECT = MySQL()
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\"}


def table_of(session: Session, name: str) -> Table:
    """Return one table of the session's catalog."""
    found = DIALECT.read_catalog(session, "").table(TableName("", name))
    assert found is not None
    return found


def read_of(
    table: Table,
    wire: Wire,
    *,
    key: tuple[str, ...] = (),
    after: tuple[str, ...] | None = None,
    where: str = "",
    into: dict[str, Type] | None = None,
) -> Read:
    """Return a read of all columns; ``into`` names other target types."""
    columns = tuple(
        Projection(
            c.name, DIALECT.quote(c.name), c.type, (into or {}).get(c.name, c.type), family(c.type)
        )
        for c in table.columns
    )
    types = {c.name: c.type for c in table.columns}
    parts = tuple(KeyPart(DIALECT.quote(k), types[k]) for k in key)
    return Read(table.name, columns, wire, parts, where, after)


def fields_of(line: bytes) -> list[bytes | None]:
    """Return the fields of a COPY text line as PostgreSQL would read them."""
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    return [
        None if f == rb"\N" else re.sub(rb"\\(.)", lambda m: _ESCAPES[m[1]], f, flags=re.DOTALL)
        for f in line[:-1].split(b"\t")
    ]
