"""What fits into MySQL's columns, and which of its values do not fit elsewhere."""

from typing import Final

from datamig_pipelines.dialects.fitting import Beyond, Limits

LIMITS: Final = Limits(finite_only=True, years=(0, 9999), any_date=True)

_FOUND: Final = {
    Beyond.HAS_NUL: "locate(char(0), {0}) > 0",
    Beyond.NO_DATE: "{1} = 0 AND (month({0}) = 0 OR dayofmonth({0}) = 0)",
    Beyond.NOT_LISTED: "{0} + 0 = 0",
    Beyond.FRACTION: "microsecond({0}) % pow(10, 6 - {1}) <> 0",
}


def beyond(how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
    """Return the predicate in MySQL's words, '' for one that is said in ANSI words or needless."""
    return _FOUND.get(how, "").format(sql, *bound)
