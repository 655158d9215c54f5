"""What a value becomes where the target rounds or cuts it, in MySQL's own exact arithmetic."""

from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.mysql.canonical import blob_digits
from datamig_pipelines.dialects.mysql.rendering import number, text
from datamig_pipelines.dialects.parsing import TEXTS, rounds_digits, rounds_seconds
from datamig_pipelines.dialects.reading import Cast

_MOST_DIGITS: Final = 65
_MOST_SCALE: Final = 30
_PARTS: Final = {
    Kind.DATE: ("DATE", Type(Kind.DATE)),
    Kind.TIME: ("TIME(6)", Type(Kind.TIME, fraction=6)),
}
"""Parts of a moment."""
_NUMBER: Final = "^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+) *$"


def cast(sql: str, held: Type, into: Type) -> Cast | None:
    """Return the value as it has to arrive; numbers are rounded half away from zero."""
    if held.kind is Kind.BLOB and into.kind is Kind.TEXT:
        return Cast(blob_digits(sql), into)
    if into.kind in _PARTS and held.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        native, part = _PARTS[into.kind]
        return Cast(f"CAST({sql} AS {native})", part)
    if rounds_seconds(held, into):
        return Cast(_moment(sql, into.fraction or 0), held)
    scale = into.scale or 0
    room = (into.precision or 0) <= _MOST_DIGITS and scale <= _MOST_SCALE
    if not rounds_digits(held, into) or not room:
        return None
    if held.kind in TEXTS:
        words = text(sql, held, Type(Kind.TEXT))
        digits = f"CAST(CAST({words} AS DECIMAL({_MOST_DIGITS},{scale})) AS CHAR)"
        whole = f"CASE WHEN {words} REGEXP '{_NUMBER}' THEN {digits} ELSE {words} END"
        return Cast(whole, Type(Kind.TEXT))
    exact = f"CAST({number(sql, held)} AS CHAR)" if held.kind is Kind.FLOAT else sql
    into = Type(Kind.DECIMAL, precision=_MOST_DIGITS, scale=scale)
    return Cast(f"CAST({exact} AS DECIMAL({_MOST_DIGITS},{scale}))", into)


def _moment(sql: str, digits: int) -> str:
    """Return a moment rounded half away from the year 2000, from which PostgreSQL counts."""
    unit = 10 ** (6 - digits)
    rest = f"(MICROSECOND({sql}) % {unit})"
    up = f"IF({sql} >= '2000-01-01', {rest} * 2 >= {unit}, {rest} * 2 > {unit})"
    return f"TIMESTAMPADD(MICROSECOND, IF({up}, {unit}, 0) - {rest}, {sql})"
