"""What goes into SQLite: cells become values that a column's affinity keeps exactly."""

import re
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import rendered_number
from datamig_pipelines.dialects.reading import Cell, Landing
from datamig_pipelines.dialects.sqlite.driver import Undecodable
from datamig_pipelines.dialects.sqlite.rendering import TEMPORAL, Convert, Converter, converted
from datamig_pipelines.dialects.sqlite.types import EXACT_DIGITS, affinity, is_own

_INTEGER: Final = re.compile(r"[+-]?\d+")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def write(
    connection: sqlite3.Connection, landing: Landing, rows: Sequence[tuple[Cell, ...]]
) -> int:
    """Insert rows of cells inside the open transaction; return SQLite's count of changed rows.

    Raises:
        sqlite3.Error: A row breaks a constraint, or holds a value that SQLite would change.
    """
    before = connection.total_changes
    columns = ", ".join('"' + c.name.replace('"', '""') + '"' for c in landing.columns)
    table = '"' + landing.table.name.name.replace('"', '""') + '"'
    head = f"INSERT INTO {table} ({columns}) VALUES "
    raw = [i for i, c in enumerate(landing.columns) if c.type == c.into and is_own(c.into)]
    needed = [
        c for i, t in enumerate(landing.columns) if i not in raw and (c := _stored(i, t.into))
    ]
    try:
        stored = converted(rows, needed)
        if any(Undecodable in set(map(type, (row[i] for row in rows))) for i in raw):
            _insert_one_by_one(connection, head, stored)
        else:
            connection.executemany(f"{head}({', '.join('?' * len(landing.columns))})", stored)
    except (OverflowError, UnicodeEncodeError) as error:
        raise sqlite3.DataError(str(error)) from error
    return connection.total_changes - before


def _insert_one_by_one(connection: sqlite3.Connection, head: str, rows: Any) -> None:
    """Insert rows of which some hold text that is no UTF-8, which must stay text."""
    for row in rows:
        marks = ("CAST(? AS TEXT)" if type(v) is Undecodable else "?" for v in row)
        connection.execute(f"{head}({', '.join(marks)})", row)


def _stored(place: int, into: Type) -> Converter | None:
    """Return how cells become stored values in a column; None where each is stored as it is."""
    text = affinity(into.native) == "TEXT"
    by_kind: dict[Kind, tuple[set[type], Convert]] = {
        Kind.BOOLEAN: ({int}, _boolean),
        Kind.INTEGER: ({int}, _integer),
        Kind.YEAR: ({int}, _integer),
        Kind.FLOAT: (set(), _float),
        Kind.DECIMAL: ({str}, rendered_number) if text else (set(), _number),
    }
    if into.kind in TEMPORAL:
        by_kind[into.kind] = ({str, int, float}, _no_bytes)
    if into.kind is Kind.BITS and not text:
        by_kind[Kind.BITS] = ({int}, _bits)
    if into.kind not in by_kind:
        return None
    fine, convert = by_kind[into.kind]
    return Converter(place, frozenset({*fine, type(None)}), convert)


def _boolean(value: Cell) -> Cell:
    words: dict[Cell, int] = {"true": 1, "false": 0, "t": 1, "f": 0}
    return words.get(value, value)


def _integer(value: Cell) -> Cell:
    """Return an int, so that digits beyond 64 bits are refused instead of rounded."""
    return int(value) if type(value) is str and _INTEGER.fullmatch(value) else value


def _float(value: Cell) -> Cell:
    """Return a float; not-a-number stays as text, because SQLite would make it NULL."""
    if type(value) is str and _NUMBER.fullmatch(value):
        return float(value)
    return "NaN" if value != value else value  # noqa: PLR0124 (the one value unlike itself)


def _no_bytes(value: Cell) -> Cell:
    """Return a cell that is no bytes: as such travels what no date or time takes (`rendering`).

    Raises:
        sqlite3.DataError: It is bytes; SQLite would store them in a column of any type.
    """
    if isinstance(value, bytes):
        raise sqlite3.DataError(f"{value[:40].decode(errors='replace')!r} is no such date or time")
    return value


def _bits(value: Cell) -> Cell:
    if isinstance(value, bytes):
        return int.from_bytes(value, "big")
    return int(value, 2) if type(value) is str and set(value) <= {"0", "1"} else value


def _number(value: Cell) -> Cell:
    """Return the number that a decimal's text is, if a 64-bit float keeps it.

    Raises:
        sqlite3.DataError: It has more digits; SQLite would round it in silence.
    """
    if type(value) is int and -(10**EXACT_DIGITS) < value < 10**EXACT_DIGITS:
        return value
    text = value if type(value) is str else rendered_number(value)
    if _INTEGER.fullmatch(text) and len(text) < EXACT_DIGITS:
        return int(text)
    if not _NUMBER.fullmatch(text):
        return value
    number = float(text)
    exact = len(text) <= EXACT_DIGITS and "e" not in text and "E" not in text
    if exact or Decimal(repr(number)) == Decimal(text):
        return number
    raise sqlite3.DataError(f"{text} has more digits than SQLite keeps of a number")
