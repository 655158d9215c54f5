"""DDL: tables, keys, indexes, counters, views.

CREATE and ALTER commit at once here. So that a step which was killed between a statement and its
ledger entry can run again, what MariaDB can say only if it is missing is said so (``/*M! … */`` is
read by MariaDB alone), and `recovery` knows of tables and views.
"""

import re
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import (
    Column,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Table,
    View,
)
from datamig_pipelines.dialects.mysql.defaults import write_default
from datamig_pipelines.dialects.mysql.keys_reader import INDEX_MARK
from datamig_pipelines.dialects.mysql.names import literal, quote
from datamig_pipelines.dialects.mysql.recovery import intend
from datamig_pipelines.dialects.mysql.types import parse_type
from datamig_pipelines.dialects.mysql.widths import bounded, index_lengths, limit_check
from datamig_pipelines.dialects.statement import Statement

IF_MISSING: Final = "/*M!IF NOT EXISTS*/"
_IF_THERE: Final = "/*M!IF EXISTS*/"
_COLUMN_COMMENT: Final = 1024
_TABLE_COMMENT: Final = 2048
_QUOTED: Final = re.compile(r"`((?:[^`]|``)+)`")


def names(columns: tuple[str, ...]) -> str:
    """Return quoted names, comma separated."""
    return ", ".join(quote(c) for c in columns)


def create_types(table: Table) -> list[Statement]:
    """Return the note that this table is about to be made; see `recovery`."""
    return intend(f"schema:{table.name}", f"table {table.name}")


def create_table(table: Table, *, keys: bool, foreign_keys: bool, if_missing: bool) -> Statement:
    """Return CREATE TABLE, the primary key always in it.

    InnoDB keeps rows in the order of the primary key: adding it later builds the table anew, and a
    second row of one key would stop the run instead of being set aside.
    """
    fitting = bounded(table)
    lines = [
        column_sql(c, limit=limit_check(planned, c))
        for planned, c in zip(table.columns, fitting.columns, strict=True)
    ]
    lines += [f"CONSTRAINT {quote(c.name)} CHECK ({c.expression})" for c in table.checks]
    if table.primary_key:
        lines.append(f"PRIMARY KEY ({names(table.primary_key.columns)})")
    if keys:
        lines += [f"UNIQUE KEY ({names(u.columns)})" for u in table.uniques]
    if foreign_keys:
        lines += [foreign_key_sql(table, k) for k in table.foreign_keys]
    missing = "IF NOT EXISTS " if if_missing else ""
    comment = _comment("=", table.comment, _TABLE_COMMENT)
    body = ",\n  ".join(lines)
    return Statement(
        f"CREATE TABLE {missing}{quote(table.name.name)} (\n  {body}\n) ENGINE=InnoDB{comment}",
        purpose=f"table {table.name}",
    )


def _comment(sign: str, text: str, limit: int) -> str:
    return f" COMMENT{sign}{literal(text[:limit])}" if text else ""


def column_sql(column: Column, *, limit: int | None = None) -> str:
    """Return one column of CREATE TABLE; ``limit`` is a length that its type does not keep.

    Whether it may be NULL is always said: an old TIMESTAMP takes silence for NOT NULL.
    """
    parts = [quote(column.name), column.type.native]
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
    else:
        parts.append("NULL" if column.nullable and not column.identity else "NOT NULL")
        if column.identity:
            parts.append("AUTO_INCREMENT")
        elif column.default is not None:
            default = write_default(column.default, column.type)
            parts += [] if default is None else [f"DEFAULT {default}"]
    text = " ".join(parts) + _comment(" ", column.comment, _COLUMN_COMMENT)
    check = f" CHECK (CHAR_LENGTH({quote(column.name)}) <= {limit})" if limit is not None else ""
    return text + check


def foreign_key_sql(table: Table, key: ForeignKey) -> str:
    """Return a foreign key as it stands in CREATE TABLE and ALTER TABLE ADD.

    SET DEFAULT is unknown to InnoDB, and SET NULL impossible for a column that may not be NULL:
    both would refuse the change of the parent anyway, as NO ACTION does. Nothing is deferrable.
    """
    kept = _kept_key(table, key)
    actions = "".join(
        f" ON {event} {action}"
        for event, action in (("DELETE", kept.on_delete), ("UPDATE", kept.on_update))
        if action
    )
    name = f"CONSTRAINT {quote(key.name)} " if key.name else ""
    index = f" {quote(key.name)}" if key.name else ""
    return (
        f"{name}FOREIGN KEY {IF_MISSING}{index} ({names(key.columns)}) "
        f"REFERENCES {quote(key.target.name)} ({names(key.target_columns)}){actions}"
    )


def _kept_key(table: Table, key: ForeignKey) -> ForeignKey:
    """Return a foreign key with the actions that InnoDB has: RESTRICT is what it does anyway."""
    required = {c.name for c in table.columns if not c.nullable} | set(
        table.primary_key.columns if table.primary_key else ()
    )
    impossible = {"SET DEFAULT", "RESTRICT"}
    impossible |= {"SET NULL"} if required & set(key.columns) else set()
    kept = ["" if a.upper() in impossible else a for a in (key.on_delete, key.on_update)]
    return replace(key, on_delete=kept[0], on_update=kept[1], deferrable="")


def kept(table: Table) -> Table:
    """Return a table as the server keeps it: types that fit, its own actions, short comments."""
    columns = tuple(
        replace(c, type=parse_type(c.type.native), comment=c.comment[:_COLUMN_COMMENT])
        for c in bounded(table).columns
    )
    keys = tuple(_kept_key(table, k) for k in table.foreign_keys)
    indexes = tuple(_kept_index(table, i) for i in table.indexes)
    comment = table.comment[:_TABLE_COMMENT]
    return replace(table, columns=columns, foreign_keys=keys, indexes=indexes, comment=comment)


def _kept_index(table: Table, index: Index) -> Index:
    """Return an index with the prefixes that it gets, without covered columns."""
    words = index.method.lower() in ("fulltext", "spatial")
    lengths = {} if words else index_lengths(table, index)
    parts = (replace(p, prefix=p.prefix or lengths.get(p.column or "")) for p in index.parts)
    return replace(index, parts=tuple(parts), include=())


def add_foreign_key(table: Table, key: ForeignKey) -> list[Statement]:
    """Return ALTER TABLE ADD FOREIGN KEY."""
    return [
        Statement(
            f"ALTER TABLE {quote(table.name.name)} ADD {foreign_key_sql(table, key)}",
            purpose=f"foreign key {key.name} on {table.name}",
        )
    ]


def drop_foreign_key(table: Table, key: ForeignKey) -> list[Statement]:
    """Return ALTER TABLE DROP FOREIGN KEY, if the table and the key are there."""
    sql = (
        f"ALTER TABLE {_IF_THERE} {quote(table.name.name)} "
        f"DROP FOREIGN KEY {_IF_THERE} {quote(key.name)}"
    )
    return [Statement(sql, purpose=f"drop foreign key {key.name} of {table.name}")]


def add_unique(table: Table, key: Key) -> list[Statement]:
    """Return CREATE UNIQUE INDEX, which is what a unique constraint is."""
    name = key.name or "_".join(("uq", *key.columns))
    sql = (
        f"CREATE UNIQUE INDEX {IF_MISSING} {quote(name)} "
        f"ON {quote(table.name.name)} ({names(key.columns)})"
    )
    return [Statement(sql, purpose=f"unique {name} on {table.name}")]


def create_index(table: Table, index: Index) -> list[Statement]:
    """Return CREATE INDEX; long texts are covered by a prefix.

    There is no index over an expression in MariaDB: the columns in it are covered instead.
    """
    computed = any(p.column is None for p in index.parts)
    if computed:
        index = replace(index, parts=_columns_of(table, index), unique=False)
    if not index.parts:
        return []
    method = index.method.upper() if index.method.lower() in ("fulltext", "spatial") else ""
    lengths = {} if method else index_lengths(table, index)
    parts = ", ".join(_part(p, lengths, method) for p in index.parts)
    kind = f"{method} " if method else "UNIQUE " if index.unique else ""
    sql = (
        f"CREATE {kind}INDEX {IF_MISSING} {quote(index.name)} ON {quote(table.name.name)} ({parts})"
    )
    if kind == "UNIQUE ":
        sql += f" COMMENT {literal(INDEX_MARK)}"
    said = " (over the columns: MariaDB has none over an expression)" if computed else ""
    return [Statement(sql, purpose=f"index {index.name} on {table.name}{said}")]


def _columns_of(table: Table, index: Index) -> tuple[IndexPart, ...]:
    found: dict[str, IndexPart] = {}
    for part in index.parts:
        named = [part.column] if part.column else _QUOTED.findall(part.expression or "")
        for name in (n.replace("``", "`") for n in named):
            if table.column(name) is not None:
                found.setdefault(name, IndexPart(name))
    return tuple(found.values())


def _part(part: IndexPart, lengths: dict[str, int], method: str) -> str:
    name = part.column or ""
    length = part.prefix or lengths.get(name)
    size = f"({length})" if length and not method else ""
    return f"{quote(name)}{size}" + (" DESC" if part.descending and not method else "")


def set_counter(table: Table, column: str, next_value: int) -> list[Statement]:
    """Return ALTER TABLE AUTO_INCREMENT; the server never goes behind the largest value."""
    sql = f"ALTER TABLE {quote(table.name.name)} AUTO_INCREMENT = {max(next_value, 1)}"
    return [Statement(sql, purpose=f"counter of {table.name}.{column}")]


def create_view(view: View) -> list[Statement]:
    """Return CREATE VIEW, and the note before it."""
    name = quote(view.name.name)
    sql = f"CREATE VIEW {IF_MISSING} {name} AS {view.sql.strip().rstrip(';')}"
    noted = intend(f"constraints:view {view.name}", f"view {view.name}")
    return [*noted, Statement(sql, purpose=f"view {view.name}")]
