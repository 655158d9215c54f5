"""Conditions on keys and pages, and the order that they rely on."""

import re
from collections.abc import Sequence
from typing import Final

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.postgres.naming import declaration, literal
from datamig_pipelines.dialects.postgres.types import unbound
from datamig_pipelines.dialects.reading import KeyPart

_INTEGER: Final = re.compile(r"-?\d+")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_MOMENTS: Final = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)


def in_range(
    table: TableName,
    key: Sequence[KeyPart],
    after: tuple[str, ...] | None,
    upto: tuple[str, ...] | None,
) -> str:
    """Return the condition of the keys between two others; see `Dialect.in_range`.

    Rows are compared as rows: a B-tree is entered and left by exactly that.
    """
    bounds = [(">", after), ("<=", upto)] if key else []
    return " AND ".join(
        _compared(table.schema, key, sign, bound) for sign, bound in bounds if bound is not None
    )


def equal(table: TableName, key: Sequence[KeyPart], values: tuple[str, ...]) -> str:
    """Return the condition of the one row of a key."""
    return _compared(table.schema, key, "=", values)


def times(part: KeyPart, width: int) -> str:
    """Return how often a width goes into a key; see `Dialect.times`."""
    whole = part.type.kind is Kind.INTEGER
    return f"{part.sql} / {width}" if whole else f"div({part.sql}, {width})"


def of_pages(first: int, end: int | None) -> str:
    """Return the condition of the rows on the pages from ``first`` up to, without, ``end``."""
    conditions = [f"ctid >= '({first},0)'::tid"] if first else []
    if end is not None:
        conditions.append(f"ctid < '({end},0)'::tid")
    return " AND ".join(conditions)


def _compared(schema: str, key: Sequence[KeyPart], sign: str, bound: tuple[str, ...]) -> str:
    names = ", ".join(k.sql for k in key)
    values = ", ".join(_typed(t, k, schema) for t, k in zip(bound, key, strict=True))
    return f"({names}) {sign} ({values})" if len(key) > 1 else f"{names} {sign} {values}"


def _typed(text: str, part: KeyPart, schema: str) -> str:
    """Return the literal of a key, of its column's own type."""
    type_ = part.type
    if type_.kind is Kind.BLOB:
        return f"decode({literal(text)}, 'hex')"
    if type_.native == "money" and _NUMBER.fullmatch(text):  # its own text is the locale's
        return f"{literal(text)}::numeric::money"
    if type_.kind is Kind.INTEGER and _INTEGER.fullmatch(text) and not part.holds(text):
        return f"{literal(text)}::numeric"  # another engine's key that no column here can hold
    return f"{literal(text)}::{declaration(schema, unbound(type_))}"


def same_order(type_: Type) -> str:
    """Return the word for an order; see `Dialect.same_order`.

    Dates and times know infinity and years before Christ, which others do not: theirs is an order
    of PostgreSQL only. The order of text hangs on a collation and on the server's libraries.
    """
    kind = type_.kind
    if kind is Kind.INTEGER:
        return "number"
    if kind is Kind.DECIMAL and type_.native != "money":
        return "number" if type_.scale == 0 else f"number.{type_.scale}"
    if kind in _MOMENTS:
        return f"{kind.value}.{type_.fraction} of PostgreSQL"
    return {Kind.UUID: "uuid", Kind.BLOB: "bytes"}.get(kind, "")
