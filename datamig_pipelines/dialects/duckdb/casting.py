"""What a value becomes where the target rounds or cuts it, in DuckDB's own exact arithmetic."""

from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.parsing import TEXTS, rounds_digits, rounds_seconds
from datamig_pipelines.dialects.reading import Cast

_MOST_DIGITS: Final = 38
_NUMBER: Final = "^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+) *$"


def cast(sql: str, held: Type, into: Type) -> Cast | None:
    """Return the value as it has to arrive; numbers are rounded half away from zero."""
    if into.kind is Kind.TIME and held.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return Cast(f"CAST(CAST({sql} AS TIMESTAMP) AS TIME)", Type(Kind.TIME))
    if into.kind is Kind.DATE and held.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return Cast(f"CAST({sql} AS DATE)", Type(Kind.DATE))
    if rounds_seconds(held, into) and held.fraction in (None, 6):
        return Cast(_moment(sql, into.fraction or 0), held)
    if not rounds_digits(held, into) or (into.precision or 0) > _MOST_DIGITS:
        return None
    rounded = f"DECIMAL({_MOST_DIGITS},{into.scale or 0})"
    if held.kind is Kind.DECIMAL:
        return Cast(
            f"CAST({sql} AS {rounded})",
            Type(Kind.DECIMAL, precision=_MOST_DIGITS, scale=into.scale or 0),
        )
    words = sql if held.kind in TEXTS else f"CAST(CAST({sql} AS DOUBLE) AS VARCHAR)"
    fits = f"regexp_matches({words}, '{_NUMBER}')"
    if held.kind is Kind.FLOAT:
        fits = f"isfinite({sql})"
    digits = f"CAST(CAST(trim({words}) AS {rounded}) AS VARCHAR)"
    return Cast(f"CASE WHEN {fits} THEN {digits} ELSE {words} END", Type(Kind.TEXT))


def _moment(sql: str, digits: int) -> str:
    """Return a moment rounded half away from the year 2000, from which PostgreSQL counts."""
    unit = 10 ** (6 - digits)
    rest = f"(date_part('microsecond', {sql}) % {unit})"
    up = f"CASE WHEN {sql} >= '2000-01-01' THEN {rest} * 2 >= {unit} ELSE {rest} * 2 > {unit} END"
    shift = f"CASE WHEN {up} THEN {unit} ELSE 0 END - {rest}"
    return f"CASE WHEN isfinite({sql}) THEN {sql} + to_microseconds({shift}) ELSE {sql} END"
