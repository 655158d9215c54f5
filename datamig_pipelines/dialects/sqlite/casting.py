"""What a value becomes where the target rounds it, computed by functions of the connection."""

import re
import struct
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import rendered_number, stamp
from datamig_pipelines.dialects.parsing import rounds_digits, rounds_seconds
from datamig_pipelines.dialects.reading import Cast, Cell

_NUMBER: Final = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*", re.ASCII)
_WIDE: Final = Context(prec=20_000)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?")
_HALVES_TURN: Final = datetime(2000, 1, 1)  # noqa: DTZ001 (PostgreSQL counts from here, no zone)


def cast(sql: str, held: Type, into: Type) -> Cast | None:
    """Return the value as it has to arrive; numbers are rounded half away from zero."""
    if into.kind is Kind.TIME and held.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return Cast(f"datamig_clock({sql})", Type(Kind.TIME))
    if rounds_seconds(held, into):
        return Cast(f"datamig_moment({sql}, {into.fraction or 0})", held)
    if not rounds_digits(held, into):
        return None
    return Cast(f"datamig_round({sql}, {into.scale or 0})", Type(Kind.TEXT))


def rounded(value: Cell, scale: int) -> Cell:
    """Return a number, or a text that is one, with so many digits behind the point."""
    if value is None or isinstance(value, bytes):
        return value
    text = rendered_number(value)
    if _NUMBER.fullmatch(text) is None:
        return text
    unit = Decimal(1).scaleb(-scale)
    return f"{Decimal(text.strip()).quantize(unit, ROUND_HALF_UP, _WIDE):f}"


def single(value: Cell) -> Cell:
    """Return the 32-bit float next to a number."""
    if not isinstance(value, int | float):
        return value
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return value


def clock(value: Cell) -> Cell:
    """Return the time of day of a moment, in UTC."""
    text = stamp(value) if isinstance(value, str) else ""
    return text[11:] if _MOMENT.fullmatch(text) else value


def moment(value: Cell, digits: int) -> Cell:
    """Return a moment rounded half away from the year 2000, from which PostgreSQL counts."""
    text = stamp(value) if isinstance(value, str) else ""
    if _MOMENT.fullmatch(text) is None:
        return value
    found = datetime.fromisoformat(text.ljust(26, "0") if "." in text else text)
    unit = 10 ** (6 - digits)
    rest = found.microsecond % unit
    up = rest * 2 >= unit if found >= _HALVES_TURN else rest * 2 > unit
    return str(found + timedelta(microseconds=(unit if up else 0) - rest))
