"""What a table of the source holds, as far as a first suite says anything about it."""

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from datamig_pipelines.catalog import Column

_FLOAT = re.compile(r"(-?)(\d+)e(-?\d+)")
_A_YEAR = timedelta(days=366)
_WHOLE = 10**12


@dataclass(frozen=True)
class ColumnProfile:
    """One column. Figures that make no sense for its type are None.

    ``filled`` are the rows with a value, ``distinct`` the different ones among these, ``least`` and
    ``most`` canonical texts, ``longest`` and ``shortest`` bytes, ``addresses`` texts that look like
    an e-mail address, ``values`` all values where they are few and may be written down.

    ``key`` says that it alone is a key, ``counts`` that its numbers grow with the rows, ``alike``
    that the target holds its values in a type of the same family.
    """

    column: Column
    filled: int
    distinct: int | None = None
    least: str | None = None
    most: str | None = None
    longest: int | None = None
    shortest: int | None = None
    addresses: int | None = None
    values: tuple[str | int, ...] = ()
    key: bool = False
    counts: bool = False
    alike: bool = True


@dataclass(frozen=True)
class TableProfile:
    """One table, its rows that are moved; ``keys`` are those of several columns.

    ``left_out`` are columns whose values are computed or stay behind.
    """

    table: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    left_out: tuple[str, ...] = ()


def numbers(
    least: str | None, most: str | None, slack: float, *, whole: bool
) -> tuple[float, float] | None:
    """Return the range of some numbers with slack on both sides; it never changes its sign."""
    low, high = _number(least), _number(most)
    if low is None or high is None or high < low:
        return None
    room = (high - low or abs(high) or Decimal(1)) * Decimal(str(slack))
    if whole:
        room = max(room, Decimal(1))
    under, over = _floor(low - room, room), -_floor(-(high + room), room)
    under = max(under, 0) if low >= 0 else under
    over = min(over, 0) if high <= 0 else over
    return under, over


def days(least: str | None, most: str | None, slack: float) -> tuple[str, str] | None:
    """Return the first and the last day of a range with slack, at least a year after its end."""
    try:
        low, high = date.fromisoformat(str(least)[:10]), date.fromisoformat(str(most)[:10])
        room = (high - low) * slack
        return str(low - max(room, timedelta(days=1))), str(high + max(room, _A_YEAR))
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> Decimal | None:
    """Return the number behind a canonical text; None where there is none, or it is not finite."""
    if text is None:
        return None
    if found := _FLOAT.fullmatch(text):
        text = f"{found[1]}0.{found[2]}e{found[3]}"
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _floor(number: Decimal, room: Decimal) -> float:
    """Return a short number that is not above another: whole where there is room for that."""
    if abs(number) >= _WHOLE or room >= 1 or number == number.to_integral_value():
        return math.floor(number)
    step = Decimal(10) ** (room.adjusted() - 1) if room else Decimal(1).scaleb(-9)
    return float((number / step).to_integral_value("ROUND_FLOOR") * step)
