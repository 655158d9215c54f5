"""Keys: the text under which a row is remembered, and the condition that goes on after it.

The text of a value that its column's affinity would not give back (text in an INTEGER column, a
number in an untyped one, bytes) is ``ESCAPE`` and a SQL literal; all others are plain.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import rendered_number
from datamig_pipelines.dialects.cutting import Sample, quantiles
from datamig_pipelines.dialects.reading import Cell, KeyPart, Read
from datamig_pipelines.dialects.sqlite.driver import Undecodable
from datamig_pipelines.dialects.sqlite.types import affinity

ESCAPE: Final = "\x1a"
INT64: Final = 2**63

_LITERAL: Final = re.compile(
    r"-?\d+|datamig_float\('[^']*'\)|'(?:[^']|'')*'|\+?(?:CAST\()?X'[0-9a-f]*'(?: AS TEXT\))?",
    re.DOTALL,
)
_INTEGER: Final = re.compile(r"-?\d+")
_NUMBER: Final = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|-?inf")


def key_cell(type_: Type) -> tuple[frozenset[type], Callable[[Any], Cell]]:
    """Return the value types that are their own key cell, and how the others become one."""
    match _nature(type_):
        case "INTEGER":
            return frozenset({int}), _escaped
        case "REAL":
            return frozenset({float}), _escaped
        case "NUMERIC":
            return frozenset(), _number_cell
        case "TEXT":
            return frozenset(), _text_cell
    return frozenset(), _escaped


def in_range(
    key: Sequence[KeyPart], after: Sequence[str] | None, upto: Sequence[str] | None
) -> str:
    """Return the condition for the rows between two keys, compared as `ordered` says."""
    bounds = [(">", after), ("<=", upto)] if key else []
    return " AND ".join(_compared(key, sign, b) for sign, b in bounds if b is not None)


def equal(key: Sequence[KeyPart], values: Sequence[str]) -> str:
    """Return the condition of the one row of a key."""
    return _compared(key, "=", values)


def _compared(key: Sequence[KeyPart], sign: str, bound: Sequence[str]) -> str:
    literals = [literal(t, k.type) for k, t in zip(key, bound, strict=True)]
    columns = [ordered(k) for k in key]
    if len(key) == 1:
        return f"{columns[0]} {sign} {literals[0]}"
    return f"({', '.join(columns)}) {sign} ({', '.join(literals)})"


def ordered(part: KeyPart) -> str:
    """Return a key part as the stream is ordered by it.

    A unique index may tell texts apart that the column's own collation calls equal; bytes do, too.
    """
    return f"{part.sql} COLLATE BINARY" if "COLLATE " in part.type.native.upper() else part.sql


def range_cuts(read: Read, table: str, parts: int) -> str:
    """Return the SELECT of the keys that cut a range into equal parts, of integer keys only."""
    within = in_range(read.key, read.after, read.upto)
    where = " AND ".join(c for c in (f"({read.where})" if read.where else "", within) if c)
    sample = Sample(
        [f"CAST({k.sql} AS TEXT)" for k in read.key],
        [ordered(k) for k in read.key],
        f"{table} WHERE {where}" if where else table,
    )
    return quantiles(sample, parts)


def same_order(type_: Type) -> str:
    """Return the word for an order: row numbers alone are what SQLite makes sure of.

    Any other column may hold anything beside what it declares, in an order of SQLite's own.
    """
    return "number" if type_.kind is Kind.INTEGER and type_.strict else ""


def literal(text: str, type_: Type) -> str:
    """Return the SQL literal of a key's text.

    Raises:
        ValueError: The text is marked as a literal and is none.
    """
    if text.startswith(ESCAPE):
        if _LITERAL.fullmatch(text, 1) is None:
            raise ValueError(f"not the text of a key: {text!r}")
        return text[1:]
    nature = _nature(type_)
    if type_.kind is Kind.BOOLEAN and text in {"true", "false"}:
        return "1" if text == "true" else "0"
    whole = nature in {"INTEGER", "NUMERIC"} and _INTEGER.fullmatch(text) is not None
    if whole and -INT64 <= int(text) < INT64:
        return text
    if nature in {"INTEGER", "NUMERIC", "REAL"} and _NUMBER.fullmatch(text):
        return f"datamig_float('{text}')"
    return sql_literal(text)


def sql_literal(value: Any) -> str:
    """Return a value as SQL that compares without any affinity of its own."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"datamig_float('{value!r}')"
    if isinstance(value, Undecodable):
        return f"+CAST(X'{value.hex()}' AS TEXT)"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if "\0" in value:
        return f"+CAST(X'{value.encode().hex()}' AS TEXT)"
    text = str(value).replace("'", "''")
    return f"'{text}'"


def _nature(type_: Type) -> str:
    """Return how a column compares; one without declaration (rowid, an expression) by its kind."""
    if type_.native or type_.kind is Kind.ANY:
        return affinity(type_.native)
    by_kind = {
        Kind.INTEGER: "INTEGER",
        Kind.YEAR: "INTEGER",
        Kind.BOOLEAN: "INTEGER",
        Kind.FLOAT: "REAL",
        Kind.DECIMAL: "NUMERIC",
        Kind.BLOB: "BLOB",
    }
    return by_kind.get(type_.kind, "TEXT")


def _escaped(value: Any) -> Cell:
    return None if value is None else ESCAPE + sql_literal(value)


def _text_cell(value: Any) -> Cell:
    return value if type(value) is str and not value.startswith(ESCAPE) else _escaped(value)


def _number_cell(value: Any) -> Cell:
    """Return a number's text; text in a NUMERIC column is text that looks like no number."""
    if isinstance(value, int | float):
        return rendered_number(value)
    return _text_cell(value)
