"""What leaves SQLite: values as cells, and the SELECT of a stream with its place to resume.

A SQLite value carries its own type, whatever its column declares. A cell never hides that: what
does not fit the declaration travels as text (``'3.5'`` from an INTEGER column) or, where a target
would guess instead of refusing (an epoch in a TIMESTAMP column, a time of day in a DATE column),
as bytes, which no typed column takes.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects import canonical
from datamig_pipelines.dialects.comparing import WORDS
from datamig_pipelines.dialects.reading import Cell, Projection, Read, Row
from datamig_pipelines.dialects.sqlite.keys import equal, in_range, key_cell, ordered
from datamig_pipelines.dialects.sqlite.types import is_own

Convert = Callable[[Any], Cell]
"""From a value that is not NULL to the cell that travels."""

TEMPORAL: Final = {
    Kind.DATE,
    Kind.TIME,
    Kind.TIMESTAMP,
    Kind.TIMESTAMPTZ,
    Kind.DURATION,
    Kind.TIMETZ,
}
NUMERIC: Final = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR, Kind.BITS}
_WORD: Final = re.compile("|".join(WORDS), re.IGNORECASE)


@dataclass(frozen=True)
class Converter:
    """How the values of one column become cells; those of the types in ``fine`` stay."""

    place: int
    fine: frozenset[type]
    convert: Convert


def cell(value: Any, type_: Type, into: Type | None = None) -> Cell:
    """Return one value of a column of ``type_`` as it travels to a column of ``into``."""
    if value is None:
        return None
    made = converter(0, type_, type_ if into is None else into)
    return value if made is None or type(value) in made.fine else made.convert(value)


def converter(place: int, type_: Type, into: Type) -> Converter | None:
    """Return how a column's values become cells; None where each goes as it is.

    Between two SQLite columns of one declaration nothing is touched: a value keeps its own type.
    """
    if type_ == into and is_own(type_):
        return None
    fine, convert = _conversion(type_, into)
    return Converter(place, frozenset({*fine, type(None)}), convert)


def _conversion(type_: Type, into: Type) -> tuple[set[type], Convert]:
    if into.kind is Kind.BLOB:
        return {bytes}, _to_bytes
    if into.kind is Kind.UUID and type_.kind in {Kind.UUID, Kind.BLOB}:
        return {str}, _uuid
    if into.kind is Kind.BOOLEAN and type_.kind in {Kind.INTEGER, Kind.YEAR}:
        return {str, bytes}, _boolean
    if into.kind in TEMPORAL and type_.kind in TEMPORAL:
        return set(), _TEMPORAL[into.kind]
    if type_.kind is Kind.BITS:
        return {str, bytes}, canonical.canon(type_, Kind.BITS)
    kind = type_.kind
    if kind is Kind.BOOLEAN and into.kind in NUMERIC:
        kind = Kind.INTEGER
    return _BY_KIND.get(kind, ({str, bytes}, _text))


def _text(value: Any) -> Cell:
    return value if isinstance(value, str | bytes) else str(value)


def _to_bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes) else str(value).encode()


def _uuid(value: Any) -> Cell:
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=bytes(value))) if len(value) == 16 else value
    return str(value)


def _boolean(value: Any) -> Cell:
    if isinstance(value, bytes):
        return value
    return {1: "true", 0: "false"}.get(value) or str(value)


def _float(value: Any) -> Cell:
    if isinstance(value, bytes):
        return value
    return float(value) if int(float(value)) == value else str(value)


def _refused(value: Any) -> bytes:
    """Return what no date or time takes: an engine might read the digits of a number as a date."""
    return value if isinstance(value, bytes) else str(value).encode()


def _date(value: Any) -> Cell:
    if type(value) is not str:
        return _refused(value)
    if len(value) == 10 and value[4] == "-":
        return value
    day = canonical.date(value)
    if len(day) == 10 and day[4] == "-":
        return day
    return _refused(value) if ":" in value else _no_word(value)


def _no_word(value: str) -> Cell:
    """Return a text unless a target could read a word in it as a moment: ``yesterday``."""
    return _refused(value) if _WORD.search(value) else value


def _stamp(value: Any) -> Cell:
    if type(value) is not str:
        return _refused(value)
    if len(value) == 19 and value[16] == ":" and value[4] == "-":
        return value
    if _WORD.search(value):
        return _refused(value)
    zoned = value[-1:] in "zZcC" or "+" in value or value.rfind("-") > 7
    return canonical.stamp(value) if zoned else value


def _instant(value: Any) -> Cell:
    if type(value) is not str:
        return _refused(value)
    text = canonical.instant(value)
    return text if text.endswith("+00") else _no_word(text)


def _clock(value: Any) -> Cell:
    if type(value) is not str or value[4:5] == "-":  # a whole date stands before the time of day
        return _refused(value)
    return value if value[:1].isdigit() else _no_word(value)


_TEMPORAL: Final[dict[Kind, Convert]] = {
    Kind.DATE: _date,
    Kind.TIMESTAMP: _stamp,
    Kind.TIMESTAMPTZ: _instant,
    Kind.TIME: _clock,
    Kind.DURATION: _clock,
    Kind.TIMETZ: _clock,
}

_BY_KIND: Final[dict[Kind, tuple[set[type], Convert]]] = {
    Kind.BLOB: ({bytes}, _to_bytes),
    Kind.BOOLEAN: ({str, bytes}, _boolean),
    Kind.DECIMAL: ({str, bytes}, canonical.rendered_number),
    Kind.FLOAT: ({float, str, bytes}, _float),
    Kind.INTEGER: ({int, str, bytes}, _text),
    Kind.YEAR: ({int, str, bytes}, _text),
}


def converters(columns: Sequence[Projection]) -> list[Converter]:
    """Return the converters of those columns that need one."""
    made = (converter(i, c.type, c.into) for i, c in enumerate(columns))
    return [c for c in made if c is not None]


def converted(
    rows: Sequence[tuple[Any, ...]], needed: Sequence[Converter]
) -> Iterable[tuple[Any, ...]]:
    """Return rows with some columns converted; columns that are fine are not touched."""
    columns: list[Any] | None = None
    for one in needed:
        values = [row[one.place] for row in rows]
        if one.fine.issuperset(map(type, values)):
            continue
        if columns is None:
            columns = list(zip(*rows, strict=True))
        convert = one.convert
        fine = one.fine
        columns[one.place] = [v if type(v) in fine else convert(v) for v in values]
    return rows if columns is None else zip(*columns, strict=True)


def select(read: Read, shown: Sequence[str] = ()) -> str:
    """Return the SELECT of a stream: the columns, then the key, in order of the key.

    ``shown`` stands in their place, where given.
    """
    read.refuse_pages()
    shown = shown or [c.sql for c in read.columns] + [k.sql for k in read.key]
    conditions = [f"({read.where}\n)"] if read.where else []
    if within := in_range(read.key, read.after, read.upto):
        conditions.append(within)
    if read.exactly is not None:
        conditions.append(equal(read.key, read.exactly))
    table = '"' + read.table.name.replace('"', '""') + '"'
    sql = f"SELECT {', '.join(shown) or 'NULL'} FROM {table}"
    if not read.key:
        sql += " NOT INDEXED"  # an index that holds all columns would bring another order
    if conditions:
        sql += " WHERE " + " AND ".join(conditions)
    if read.key:
        sql += " ORDER BY " + ", ".join(ordered(k) for k in read.key)
    return sql


def cells(batches: Iterable[list[tuple[Any, ...]]], read: Read) -> Iterator[list[Row]]:
    """Yield the rows of a stream as cells, in lists as they were fetched."""
    needed = converters(read.columns)
    for number, part in enumerate(read.key, len(read.columns)):
        fine, convert = key_cell(part.type)
        needed.append(Converter(number, fine, convert))
    for rows in batches:
        yield list(converted(rows, needed))
