"""DuckDB's own DDL: counters, indexes, and keys by rebuilding a table."""

import re
import zlib
from dataclasses import replace

from datamig_pipelines.catalog import ForeignKey, Index, SchemaObject, Table

_SIMPLE_METHODS = {"", "btree", "hash", "art"}
_HEAD = re.compile(r"^(CREATE|DROP) (\w+(?: TABLE)?)( IF EXISTS)? ")
_QUOTES = re.compile(r"[\"'.\\]")
_ODD = re.compile(r"[\"'.\\]|__|_$")


def sequence_name(table: str, column: str) -> str:
    """Return the name of an identity column's counter: ``seq_<table>__<column>``.

    ``nextval`` takes it as a text that it does not parse quotes in, so quotes and dots go; where
    that, or the separator, could make two names equal, a checksum of the true names follows.
    """
    name = "__".join(("seq_" + _QUOTES.sub("_", table), _QUOTES.sub("_", column)))
    if not _ODD.search(table) and not _ODD.search(column) and not column.startswith("_"):
        return name
    return f"{name}_{zlib.crc32(repr((table, column)).encode()):08x}"


def sequence(table: Table, column: str) -> str:
    """Return the quoted, qualified name of an identity column's counter."""
    schema = (table.name.schema or "main").replace('"', '""')
    return f'"{schema}"."{sequence_name(table.name.name, column)}"'


def next_of(table: Table, column: str) -> int:
    """Return the first value of a new counter: where the source's own counter stands."""
    return max(1, dict(table.counters).get(column, 1))


def old_name(table: Table) -> Table:
    """Return the table under the name that it has while it is rebuilt."""
    return replace(table, name=replace(table.name, name=f"{table.name.name}__datamig_old"))


def can_index(index: Index) -> bool:
    """Say whether DuckDB has such an index: no predicate, no prefix, nothing but its own method."""
    prefixed = any(p.prefix is not None for p in index.parts)
    simple = index.method.lower() in _SIMPLE_METHODS
    return index.where is None and simple and not (index.unique and prefixed)


def placed(made: SchemaObject) -> SchemaObject:
    """Return an object whose statements name its schema."""
    schema = '"' + (made.name.schema or "main").replace('"', '""') + '".'
    put = [_HEAD.sub(lambda m: m[0] + schema, text, count=1) for text in (made.create, made.drop)]
    return replace(made, create=put[0], drop=put[1])


def kept_key(key: ForeignKey) -> ForeignKey:
    """Return a foreign key without actions and deferral: DuckDB has neither."""
    return replace(key, on_delete="", on_update="", deferrable="")


def kept(table: Table) -> Table:
    """Return a table as DuckDB keeps it: no actions, no order and no predicate of an index."""
    indexes = tuple(
        replace(
            i,
            parts=tuple(replace(p, descending=False, prefix=None) for p in i.parts),
            method="",
            include=(),
        )
        for i in table.indexes
        if can_index(i)
    )
    keys = tuple(kept_key(k) for k in table.foreign_keys)
    return replace(table, indexes=indexes, foreign_keys=keys)


def comments(table: Table) -> list[str]:
    """Return COMMENT ON for a table and its columns."""
    names = [n for n in (table.name.schema, table.name.name) if n]
    name = ".".join('"' + n.replace('"', '""') + '"' for n in names)
    found = [f"COMMENT ON TABLE {name} IS {_text(table.comment)}"] if table.comment else []
    return found + [
        f'COMMENT ON COLUMN {name}."{c.name.replace(chr(34), chr(34) * 2)}" IS {_text(c.comment)}'
        for c in table.columns
        if c.comment
    ]


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
