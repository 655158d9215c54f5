"""What fits into SQLite's columns, and which of its values do not fit elsewhere."""

from typing import Final

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.fitting import Beyond, Limits

LIMITS: Final = Limits(any_date=True)

_NUMERIC: Final = "typeof({0}) IN ('integer', 'real') AND "
_FOUND: Final = {
    Beyond.TOO_LARGE: _NUMERIC + "abs({0}) >= 1e{1}",
    Beyond.TOO_FINE: _NUMERIC + "{1} < 15 AND {0} <> round({0}, {1})",
    Beyond.OUT_OF_RANGE: "typeof({0}) = 'integer' AND ({0} < {1} OR {0} > {2})",
    Beyond.NOT_FINITE: "typeof({0}) = 'real' AND abs({0}) > 1.7976931348623157e308",
    Beyond.TOO_LONG: "length({0}) > {1}",
    Beyond.HAS_NUL: "typeof({0}) = 'text' AND instr({0}, char(0)) > 0",
    Beyond.NO_DATE: "typeof({0}) = 'text' AND date({0}, '+0 days') IS NOT substr({0}, 1, 10) "
    "AND NOT ({1} AND {0} LIKE '0000-00-00%')",
    Beyond.ZONED: "typeof({0}) = 'text' AND "
    "({0} LIKE '%Z' OR {0} GLOB '*[0-9][+-][0-9][0-9]:[0-9][0-9]')",
}
_STORED: Final = {
    Kind.INTEGER: "'integer'",
    Kind.FLOAT: "'real', 'integer'",
    Kind.DECIMAL: "'real', 'integer'",
    Kind.TEXT: "'text'",
    Kind.CHAR: "'text'",
    Kind.BLOB: "'blob'",
    Kind.DATE: "'text'",
    Kind.TIMESTAMP: "'text'",
    Kind.JSON: "'text'",
    Kind.UUID: "'text', 'blob'",
    Kind.ANY: "'integer', 'real', 'text'",
}
"""Storage classes that hold a kind; a number in a column of texts was made a text by SQLite."""
_HEX: Final = "[0-9a-fA-F]"
_UUID: Final = "-".join(_HEX * n for n in (8, 4, 4, 4, 12))
_MORE: Final = {
    Kind.BOOLEAN: "{0} NOT IN (0, 1, '0', '1', 'true', 'false')",
    Kind.JSON: "typeof({0}) = 'text' AND NOT json_valid({0})",
    Kind.UUID: f"typeof({{0}}) = 'text' AND {{0}} NOT GLOB '{_UUID}'",
}
"""Values of the right storage class that are no values of the kind."""


def beyond(how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
    """Return the predicate in SQLite's words, '' for one that it does not have."""
    if how is Beyond.OTHER_TYPE:
        kind = list(Kind)[bound[0]]
        stored = f"typeof({sql}) NOT IN ('null', {_STORED[kind]})" if kind in _STORED else ""
        more = _MORE.get(kind, "").format(sql)
        return f"({stored} OR {more})" if stored and more else stored or more
    return _FOUND.get(how, "").format(sql, *bound)
