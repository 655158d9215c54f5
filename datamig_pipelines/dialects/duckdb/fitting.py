"""What fits into DuckDB's columns, and which of its values do not fit elsewhere."""

from typing import Final

from datamig_pipelines.dialects.fitting import Beyond, Limits

LIMITS: Final = Limits()

_FOUND: Final = {
    Beyond.TOO_LARGE: "abs(CAST({0} AS DOUBLE)) >= 1e{1}",
    Beyond.TOO_FINE: "length(rtrim(split_part(CAST({0} AS VARCHAR), '.', 2), '0')) > {1}",
    Beyond.NOT_FINITE: "NOT isfinite(CAST({0} AS DOUBLE))",
    Beyond.TOO_LONG: "length({0}) > {1}",
    Beyond.HAS_NUL: "contains(CAST({0} AS VARCHAR), chr(0))",
    Beyond.YEAR: "(NOT isfinite({0}) OR year({0}) NOT BETWEEN {1} AND {2})",
    Beyond.FRACTION: "nanosecond({0}) % CAST(pow(10, 9 - {1}) AS BIGINT) <> 0",
}


def beyond(how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
    """Return the predicate in DuckDB's words, '' for one that is said in ANSI words."""
    return _FOUND.get(how, "").format(sql, *bound)
