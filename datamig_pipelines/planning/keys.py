"""Chooses the key that a table is read in order of."""

from dataclasses import dataclass

from datamig_pipelines.catalog import Kind, Table, Type
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.dialects.reading import KeyPart
from datamig_pipelines.errors import ColumnMissingError, KeyUnsupportedError

ORDERED = (
    Kind.INTEGER,
    Kind.DECIMAL,
    Kind.TEXT,
    Kind.CHAR,
    Kind.DATE,
    Kind.TIMESTAMP,
    Kind.TIMESTAMPTZ,
    Kind.UUID,
    Kind.YEAR,
)


@dataclass(frozen=True)
class ChosenKey:
    """The key, its columns' names, and why it is that one."""

    parts: tuple[KeyPart, ...]
    names: tuple[str, ...]
    reason: str


def choose_key(table: Table, wanted: tuple[str, ...], dialect: Dialect) -> ChosenKey:
    """Return the key of the spec, else the engine's row number, the primary key or a unique key.

    Raises:
        ColumnMissingError: The spec's key names a column that the table does not have.
        KeyUnsupportedError: The spec's key is not unique, may be NULL or has no order.
    """
    if wanted:
        return _asked(table, wanted, dialect)
    if table.rowid and not dialect.key_stands_in_column(table):  # where it does, it is that number
        return ChosenKey(
            (KeyPart(table.rowid, Type(Kind.INTEGER, bits=64)),), (table.rowid,), "row number"
        )
    for columns, why in _unique_sets(table):
        if _objection(table, columns, dialect) is None:
            return ChosenKey(_parts(table, columns, dialect), columns, why)
    return ChosenKey((), (), "no unique key without NULLs whose type has an order")


def _asked(table: Table, wanted: tuple[str, ...], dialect: Dialect) -> ChosenKey:
    for name in wanted:
        if table.column(name) is None:
            msg = f"the key of {table.name} names {name!r}, which the table does not have"
            raise ColumnMissingError(
                msg, hint=f"It has {', '.join(c.name for c in table.columns)}."
            )
    if not any(set(columns) <= set(wanted) for columns, _ in _unique_sets(table)):
        msg = f"the key ({', '.join(wanted)}) of {table.name} is not unique"
        hint = (
            "Name the columns of the primary key or of a unique constraint, or leave the key out."
        )
        raise KeyUnsupportedError(msg, hint=hint)
    objection = _objection(table, wanted, dialect)
    if objection:
        msg = f"the key ({', '.join(wanted)}) of {table.name} cannot be used: {objection}"
        raise KeyUnsupportedError(msg, hint="Name other columns, or leave the key out.")
    return ChosenKey(_parts(table, wanted, dialect), wanted, "as the spec says")


def _unique_sets(table: Table) -> list[tuple[tuple[str, ...], str]]:
    """Return what is unique: the primary key, which most engines store rows by, then the rest.

    Of the rest the cheapest to compare and to cut stands first: integers, few columns.
    """
    primary = [(table.primary_key.columns, "primary key")] if table.primary_key else []
    sets = [(u.columns, f"unique {u.name}") for u in table.uniques]
    for index in table.indexes:
        plain = len(index.columns) == len(index.parts) and not index.where
        if index.unique and plain and not any(p.prefix for p in index.parts):
            sets.append((index.columns, f"unique index {index.name}"))
    return primary + sorted(sets, key=lambda s: (_texts(table, s[0]), len(s[0])))


def _texts(table: Table, columns: tuple[str, ...]) -> int:
    """Return how many of some columns are no integers."""
    found = [table.column(name) for name in columns]
    return sum(c is None or c.type.kind is not Kind.INTEGER for c in found)


def _objection(table: Table, columns: tuple[str, ...], dialect: Dialect) -> str | None:
    primary = table.primary_key.columns if table.primary_key else ()
    for name in columns:
        column = table.column(name)
        if column is None or column.type.kind not in ORDERED:
            what = column.type if column else "missing column"
            return f"{name} is a {what}, which has no order here"
        if objection := dialect.key_objection(column.type):
            return f"{name} is a {column.type}: {objection}"
        if column.nullable and (name not in primary or not column.type.strict):
            return f"{name} may be NULL"
    return None


def _parts(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[KeyPart, ...]:
    found = [table.column(name) for name in columns]
    return tuple(KeyPart(dialect.quote(c.name), c.type) for c in found if c is not None)
