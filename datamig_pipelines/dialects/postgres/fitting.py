"""What fits into PostgreSQL's columns, and which of its values do not fit elsewhere."""

from typing import Final

from datamig_pipelines.dialects.fitting import Beyond, Limits

LIMITS: Final = Limits(nul=False)

_FOUND: Final = {
    Beyond.TOO_LARGE: "({0})::text NOT IN ('NaN', 'Infinity', '-Infinity') AND abs({0}) >= 1e{1}",
    Beyond.TOO_FINE: "({0})::text NOT IN ('NaN', 'Infinity', '-Infinity') "
    "AND ({0})::numeric <> round(({0})::numeric, {1})",
    Beyond.NOT_FINITE: "({0})::text IN ('NaN', 'Infinity', '-Infinity')",
    Beyond.YEAR: "(NOT isfinite({0}) OR extract(year FROM {0}) NOT BETWEEN {1} AND {2})",
    Beyond.FRACTION: "extract(microseconds FROM {0})::bigint % (10 ^ (6 - {1}))::bigint <> 0",
}


def beyond(how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
    """Return the predicate in PostgreSQL's words, '' for one that is said in ANSI words."""
    return _FOUND.get(how, "").format(sql, *bound)
