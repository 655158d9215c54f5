"""The key of a stream: its order, its text, the rows between two of them."""

import re
from collections.abc import Sequence

from datamig_pipelines.catalog.types import Kind, Type
from datamig_pipelines.dialects.cutting import ROWS_PER_PART, Sample, quantiles
from datamig_pipelines.dialects.reading import KeyPart, Read

ROWID = '"rowid"'

_INTEGER = re.compile(r"-?\d+")
_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


def literal(text: str) -> str:
    """Return SQL for a text of any characters; a NUL would end the statement."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"


def key_cell(part: KeyPart) -> str:
    """Return SQL of a key part as it follows the columns of a row."""
    kind = part.type.kind
    if kind is Kind.INTEGER:
        return part.sql
    if kind is Kind.BLOB:
        return f"lower(hex({part.sql}))"
    return f"CAST({part.sql} AS VARCHAR)"


def ordered(part: KeyPart) -> str:
    """Return a key part as it is compared: a collation would call two different keys equal."""
    if part.type.kind is Kind.TEXT and "COLLATE" in part.type.native:
        return f"encode({part.sql})"
    return part.sql


def in_range(
    key: Sequence[KeyPart], after: tuple[str, ...] | None, upto: tuple[str, ...] | None
) -> str:
    """Return the condition of the keys between two others; see `Dialect.in_range`."""
    bounds = [(">", ">", after), ("<", "<=", upto)] if key else []
    return " AND ".join(
        _beyond(key, sign, last, bound) for sign, last, bound in bounds if bound is not None
    )


def equal(key: Sequence[KeyPart], values: tuple[str, ...]) -> str:
    """Return the condition of the one row of a key."""
    pairs = zip(key, values, strict=True)
    return " AND ".join(f"{ordered(part)} = {_key_literal(part, text)}" for part, text in pairs)


def _beyond(key: Sequence[KeyPart], sign: str, last: str, bound: tuple[str, ...]) -> str:
    """Return the predicate of one bound; its first part alone prunes row groups."""
    pairs = [
        (ordered(part), _key_literal(part, value)) for part, value in zip(key, bound, strict=True)
    ]
    sql, value = pairs[-1]
    predicate = f"{sql} {last} {value}"
    for sql, value in reversed(pairs[:-1]):
        predicate = f"{sql} {sign}= {value} AND ({sql} {sign} {value} OR ({predicate}))"
    return f"({predicate})"


def _key_literal(part: KeyPart, value: str) -> str:
    kind, native = part.type.kind, part.type.native
    if kind is Kind.BLOB:
        return f"from_hex({literal(value)})"
    if kind is Kind.TEXT:
        return f"encode({literal(value)})" if "COLLATE" in native else literal(value)
    if kind is Kind.INTEGER and _INTEGER.fullmatch(value) and not part.holds(value):
        native = "HUGEINT"  # another engine's key that no column here can hold
    elif kind is Kind.INTEGER:
        native = native or "BIGINT"
    return f"CAST({literal(value)} AS {native or 'VARCHAR'})"


def times(part: KeyPart, width: int) -> str:
    """Return how often a width goes into a key; see `Dialect.times`."""
    whole = part.type.kind is Kind.INTEGER and not part.type.unsigned
    return f"{part.sql if whole else f'CAST({part.sql} AS HUGEINT)'} // {width}"


def same_order(type_: Type) -> str:
    """Return the word for an order; see `Dialect.same_order`. Texts come in order of their bytes.

    Dates and times know infinity, and years before Christ in DuckDB's own spelling.
    """
    kind = type_.kind
    if kind is Kind.INTEGER:
        return "number"
    if kind is Kind.DECIMAL and type_.scale is not None:
        return "number" if type_.scale == 0 else f"number.{type_.scale}"
    if kind in _MOMENTS:
        return f"{kind.value}.{type_.fraction} of DuckDB"
    if kind is Kind.TEXT and "COLLATE" not in type_.native:
        return "text in order of its bytes"
    return {Kind.UUID: "uuid", Kind.BLOB: "bytes"}.get(kind, "")


def cutting(read: Read, table: str, rows: int, parts: int) -> str:
    """Return the SELECT of the cut points of a stream over a table of so many rows.

    Of a large table every n-th key is looked at, chosen by its hash: only the key's own columns
    are read, and memory stays small.
    """
    nth = max(1, rows // (ROWS_PER_PART * parts))
    conditions = [f"({read.where})"] if read.where else []
    conditions.append(in_range(read.key, read.after, read.upto))
    if nth > 1:
        conditions.append(f"hash({', '.join(k.sql for k in read.key)}) % {nth} = 0")
    where = " AND ".join(c for c in conditions if c)
    sample = Sample(
        [f"CAST({key_cell(k)} AS VARCHAR)" for k in read.key],
        [ordered(k) for k in read.key],
        f"{table} WHERE {where}" if where else table,
    )
    return quantiles(sample, parts, "//")
