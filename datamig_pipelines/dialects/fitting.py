"""Which values of a source's column a target's type has no room for, and how to count them.

The target says its `Limits`; the source says, in its own SQL, which values lie beyond them.
"""

from dataclasses import dataclass
from enum import StrEnum

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.scripting import Scripting


class Beyond(StrEnum):
    """A way in which a value does not fit; the words are what a report says of the values."""

    TOO_LARGE = "with too many digits before the point"
    TOO_FINE = "with too many digits behind the point"
    OUT_OF_RANGE = "outside the range of the integers"
    NOT_FINITE = "that are NaN or infinite"
    TOO_LONG = "longer than the target's text"
    HAS_NUL = "with a NUL character"
    NO_DATE = "that are no date (0000-00-00 or without a day)"
    YEAR = "outside the target's years"
    FRACTION = "with finer seconds"
    NOT_LISTED = "that the enum does not list"
    OTHER_TYPE = "of another type than the column's"
    ANY = "that do not fit"
    ZONED = "with a zone, which the target's column does not have"


@dataclass(frozen=True)
class Limits:
    """What a column of an engine has room for; None: no limit that any source could pass."""

    finite_only: bool = False
    nul: bool = True
    years: tuple[int, int] | None = None
    """First and last; then there is no infinity either. None where the ends are of no interest."""
    any_date: bool = False
    """It takes 0000-00-00 and dates without a day."""


@dataclass(frozen=True)
class Misfit:
    """Values that do not fit: in which way, and the SQL predicate that finds them."""

    beyond: Beyond
    sql: str


def any_of(misfits: list[Misfit]) -> Misfit:
    """Return what finds the values that do not fit in any of some ways."""
    return Misfit(Beyond.ANY, " OR ".join(f"({m.sql})" for m in misfits))


_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_SECONDS = (Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_LENGTHS = (Kind.TEXT, Kind.CHAR)
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR)


class Fitting(Scripting):
    """Says what fits. Pure text; an engine overrides what it says differently."""

    def limits(self) -> Limits:
        """Return what this engine's columns have room for, beside what a type itself says."""
        return Limits()

    def beyond(self, how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
        """Return the predicate that finds values beyond a bound, '' where this engine has none.

        The bounds: exclusive power of ten · digits behind the point · smallest and largest ·
        characters · 1 if 0000-00-00 is a date · first and last year · digits of a second.
        """
        plain = {
            Beyond.TOO_LARGE: "abs({0}) >= 1e{1}",
            Beyond.TOO_FINE: "{0} <> round({0}, {1})",
            Beyond.OUT_OF_RANGE: "({0} < {1} OR {0} > {2})",
            Beyond.TOO_LONG: "char_length({0}) > {1}",
        }.get(how, "")
        return plain.format(sql, *bound)

    def misfits(self, sql: str, type_: Type, into: Type, limits: Limits) -> list[Misfit]:
        """Return how values of a column (source SQL) may not fit into a target's type."""
        asked = [*_numbers(type_, into, limits), *_texts(type_, into, limits)]
        asked += _moments(type_, into, limits)
        if not type_.strict:
            asked += [(Beyond.OTHER_TYPE, (list(Kind).index(type_.kind),))]
            asked += [(Beyond.ZONED, ())] if into.kind is Kind.TIMESTAMP else []
        found = [Misfit(how, self.beyond(how, sql, bound)) for how, bound in asked]
        return [m for m in found if m.sql]

    def count_misfits(self, table: TableName, predicates: list[str], where: str) -> str:
        """Return the SELECT of one count per predicate."""
        counts = ", ".join(f"count(CASE WHEN {p} THEN 1 END)" for p in predicates)
        return f"SELECT {counts} FROM {self.table(table)}" + (f" WHERE {where}" if where else "")


Asked = list[tuple[Beyond, tuple[int, ...]]]


def _numbers(type_: Type, into: Type, limits: Limits) -> Asked:
    if type_.kind not in _NUMBERS or not (into.strict or type_.strict is into.strict):
        return []
    asked: Asked = []
    unbounded = type_.kind is Kind.FLOAT or (type_.kind is Kind.DECIMAL and not type_.precision)
    if unbounded and (into.kind is Kind.DECIMAL or limits.finite_only):
        asked.append((Beyond.NOT_FINITE, ()))
    if into.kind is Kind.DECIMAL and into.precision is not None:
        asked += _digits(type_, into.precision, into.scale or 0)
    if into.kind is Kind.INTEGER and into.bits and _range(type_) != _range(into):
        low, high = _range(into)
        if low > _range(type_)[0] or high < _range(type_)[1]:
            asked.append((Beyond.OUT_OF_RANGE, (low, high)))
    return asked


def _digits(type_: Type, precision: int, scale: int) -> Asked:
    bounded = type_.kind is Kind.DECIMAL and type_.precision is not None and type_.strict
    whole = (type_.precision or 0) - (type_.scale or 0)
    fits = bounded and whole <= precision - scale
    large: Asked = [] if fits else [(Beyond.TOO_LARGE, (precision - scale,))]
    if type_.kind is Kind.INTEGER or (bounded and (type_.scale or 0) <= scale):
        return [] if type_.kind is Kind.INTEGER and precision - scale >= 19 else large
    return [*large, (Beyond.TOO_FINE, (scale,))]


def _range(type_: Type) -> tuple[int, int]:
    if type_.kind is not Kind.INTEGER or not type_.bits:
        return (-(10**40), 10**40)
    if type_.unsigned:
        return 0, 2**type_.bits - 1
    return -(2 ** (type_.bits - 1)), 2 ** (type_.bits - 1) - 1


def _texts(type_: Type, into: Type, limits: Limits) -> Asked:
    asked: Asked = []
    if type_.kind is Kind.ENUM:
        asked.append((Beyond.NOT_LISTED, ()))
    textual = (*_LENGTHS, Kind.ANY, Kind.ENUM, Kind.SET, Kind.JSON)
    if type_.kind in textual and into.kind in (*_LENGTHS, Kind.JSON) and not limits.nul:
        asked.append((Beyond.HAS_NUL, ()))
    shorter = not type_.strict or type_.length is None or type_.length > (into.length or 0)
    if type_.kind in _LENGTHS and into.kind in _LENGTHS and into.strict and into.length and shorter:
        asked.append((Beyond.TOO_LONG, (into.length,)))
    return asked


def _moments(type_: Type, into: Type, limits: Limits) -> Asked:
    asked: Asked = []
    if type_.kind in _MOMENTS and into.kind in _MOMENTS:
        asked.append((Beyond.NO_DATE, (int(limits.any_date),)))
        asked += [(Beyond.YEAR, limits.years)] if limits.years else []
    finer = type_.fraction is None or type_.fraction > (into.fraction or 0)
    bounded = into.strict and into.fraction is not None
    if type_.kind in _SECONDS and into.kind in _SECONDS and bounded and finer:
        asked.append((Beyond.FRACTION, (into.fraction or 0,)))
    return asked
