"""The text in which a value is compared with other engines', and the checksum over it."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.parsing import BY_ELEMENT, PARSED, TEXTS, Speech
from datamig_pipelines.dialects.postgres.naming import OWN_NAME, literal
from datamig_pipelines.dialects.postgres.rendering import duration
from datamig_pipelines.dialects.reading import Compared

_SPEECH: Final = Speech()
_JOINED_AT_ONCE: Final = 50  # a function takes 100 arguments


def canonical(column: Compared) -> str:
    """Return SQL for the canonical text of a value; see `Dialect.canonical`."""
    sql = column.sql if OWN_NAME.fullmatch(column.sql) else f"({column.sql})"
    held = column.held.kind
    if column.held.native == "money":
        sql = f"{sql}::numeric"
    element = column.held.element
    if element and column.compare is Kind.ARRAY and element.kind in BY_ELEMENT:
        return _list(sql, element)
    if held is Kind.ARRAY or (held is Kind.OTHER and column.held.values):
        return f"to_json({sql})::text"
    if held in TEXTS and column.compare in PARSED:
        return _parsed(f"{sql}::text", column.compare)
    return _FORMS.get(column.compare, _text)(sql, held)


def _list(sql: str, element: Type) -> str:
    """Return the canonical texts of an array's elements; one of several dimensions is JSON."""
    one = canonical(Compared("u.e", element, element.kind))
    texts = f"string_agg(coalesce({one}, 'null'), ',' ORDER BY u.o)"
    listed = (
        f"SELECT '[' || coalesce({texts}, '') || ']' FROM unnest({sql}) WITH ORDINALITY u(e, o)"
    )
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL WHEN array_ndims({sql}) > 1 "
        f"THEN to_json({sql})::text ELSE ({listed}) END"
    )


def _parsed(text: str, form: Kind) -> str:
    """Return the canonical text of a text that holds a value; see `parsing`."""
    if form is Kind.FLOAT:
        return _SPEECH.floating(text, _float(text, Kind.TEXT))
    if form in (Kind.INTEGER, Kind.DECIMAL):
        return _SPEECH.number(text, f"trim_scale({text}::numeric)::text")
    if form is Kind.TIMESTAMPTZ:
        return _SPEECH.instant(text)
    forms = {
        Kind.BOOLEAN: _SPEECH.boolean,
        Kind.UUID: _SPEECH.guid,
        Kind.DATE: _SPEECH.date,
        Kind.TIMESTAMP: _SPEECH.moment,
    }
    return forms.get(form, _SPEECH.clock)(text)


def _text(sql: str, held: Kind) -> str:
    return f"encode({sql}, 'hex')" if held is Kind.BLOB else f"{sql}::text"


def _char(sql: str, held: Kind) -> str:
    return f"rtrim({_text(sql, held)}, ' ')"


def _uuid(sql: str, held: Kind) -> str:
    if held is Kind.BLOB:
        hexed = f"encode({sql}, 'hex')"
        text = f"lower(encode({sql}, 'escape'))"
        whens = f"WHEN 16 THEN {hexed}::uuid::text WHEN 36 THEN {text}"
        return f"CASE octet_length({sql}) {whens} ELSE {hexed} END"
    return f"{sql}::text" if held is Kind.UUID else f"lower({sql}::text)"


def _time(sql: str, held: Kind) -> str:
    return duration(sql) if held is Kind.INTERVAL else f"{sql}::text"


def _number(sql: str, held: Kind) -> str:
    if held is Kind.INTEGER:
        return f"{sql}::text"
    if held is Kind.BOOLEAN:
        return f"{sql}::int::text"
    if held is Kind.BITS:
        return f"{sql}::bigint::text"
    number = sql if held is Kind.DECIMAL else f"{sql}::text::numeric"
    return f"trim_scale({number})::text"


_SHORTER: Final = "round(split_part(t, 'e', 1)::numeric, 15)::text || 'e' || split_part(t, 'e', 2)"
_SHORTEST: Final = (
    "CASE WHEN strpos(t, 'e+') > 18 AND abs(n) < 1e300"  # rounded up, the largest would overflow
    f" THEN CASE WHEN ({_SHORTER})::float8 = n THEN {_SHORTER} ELSE t END ELSE t END"
)
"""PostgreSQL writes 17 digits where 16 lie half-way between two numbers; others take the 16."""


def _float(sql: str, held: Kind) -> str:
    """Return sign, digits, ``e`` and the exponent of ``0.digits``, from the shortest text."""
    number = (
        f"{sql}::float8"
        if held in (Kind.FLOAT, Kind.INTEGER, Kind.DECIMAL)
        else (f"{sql}::text::float8")
    )
    exponent = (
        "coalesce(nullif(split_part(t, 'e', 2), ''), '0')::int"
        " + CASE WHEN w = '0' THEN length(ltrim(f, '0')) - length(f) ELSE length(w) END"
    )
    return (
        "(SELECT CASE WHEN t IN ('NaN', 'Infinity', '-Infinity') THEN t"
        " WHEN t IN ('0', '-0') THEN '0'"
        f" ELSE s || trim(BOTH '0' FROM w || f) || 'e' || ({exponent})::text END"
        " FROM (SELECT t, CASE WHEN t LIKE '-%' THEN '-' ELSE '' END AS s,"
        " split_part(ltrim(split_part(t, 'e', 1), '-'), '.', 1) AS w,"
        " split_part(split_part(t, 'e', 1), '.', 2) AS f"
        f" FROM (SELECT {_SHORTEST} AS t FROM (SELECT {number} AS n, {number}::text AS t OFFSET 0)"
        " AS z OFFSET 0) AS x OFFSET 0) AS y)"
    )


def _boolean(sql: str, held: Kind) -> str:
    if held is Kind.BOOLEAN:
        return f"{sql}::text"
    return f"CASE {sql}::text WHEN '1' THEN 'true' WHEN '0' THEN 'false' ELSE {sql}::text END"


def _blob(sql: str, held: Kind) -> str:
    if held is Kind.BLOB:
        return f"encode({sql}, 'hex')"
    if held is Kind.UUID:
        return f"replace({sql}::text, '-', '')"
    return f"encode(convert_to({sql}::text, 'UTF8'), 'hex')"


def _date(sql: str, held: Kind) -> str:
    if held is Kind.TIMESTAMPTZ:
        sql = f"({sql} AT TIME ZONE 'UTC')"
    return f"{sql}::text" if held is Kind.DATE else f"replace({sql}::text, ' 00:00:00', '')"


def _timestamp(sql: str, held: Kind) -> str:
    if held is Kind.TIMESTAMPTZ:
        sql = f"({sql} AT TIME ZONE 'UTC')"
    moments = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
    return f"{sql}::text" if held in moments else f"{sql}::timestamp::text"


def _timestamptz(sql: str, held: Kind) -> str:
    return f"{sql}::text" if held is Kind.TIMESTAMPTZ else f"({_timestamp(sql, held)} || '+00')"


_FORMS: Final[dict[Kind, Callable[[str, Kind], str]]] = {
    Kind.INTEGER: _number,
    Kind.YEAR: _number,
    Kind.DECIMAL: _number,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.CHAR: _char,
    Kind.BLOB: _blob,
    Kind.UUID: _uuid,
    Kind.TIME: _time,
    Kind.DURATION: _time,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.TIMESTAMPTZ: _timestamptz,
}


def fingerprint_sql(table: str, cells: Sequence[str], where: str) -> str:
    """Return the SELECT of (number of rows, exact sum of row hashes) of a table's own rows."""
    return f"SELECT count(*), coalesce(sum({row_hash(cells)}), 0) {rows_of(table, where)}"


def buckets_sql(table: str, bucket: str, cells: Sequence[str], where: str) -> str:
    """Return the SELECT of (bucket, number of rows, exact sum of row hashes).

    The half that is always empty keeps the planner from taking the keys' number for the buckets':
    it would sort all rows then, in one process.
    """
    hashed = f"SELECT {bucket} AS datamig_b, {row_hash(cells)} AS datamig_h, tableoid AS datamig_o"
    only = f" WHERE ({where})" if where else ""
    own = own_rows(table, "datamig_o")
    return (
        f"SELECT datamig_b, count(*), coalesce(sum(datamig_h), 0) FROM ({hashed} FROM {table}{only}"
        f" UNION ALL {hashed} FROM {table} WHERE false) datamig_q"
        + (f" WHERE {own}" if own else "")
        + " GROUP BY datamig_b"
    )


def row_hash(cells: Sequence[str]) -> str:
    """Return SQL for the hash of a row; see `Dialect.row_hash`."""
    row = _joined([f"coalesce({c}, chr(30))" for c in cells])
    half = f"substr(md5(convert_to({row}, 'UTF8')), 1, 15)"
    return f"('x' || {half})::bit(60)::bigint"


def rows_of(table: str, where: str) -> str:
    """Return FROM and WHERE for a table's own rows."""
    condition = " AND ".join(c for c in (own_rows(table), f"({where})" if where else "") if c)
    return f"FROM {table}" + (f" WHERE {condition}" if condition else "")


def _joined(cells: Sequence[str]) -> str:
    if len(cells) <= _JOINED_AT_ONCE:
        return f"concat_ws(chr(31), {', '.join(cells)})" if cells else "''"
    groups = [cells[i : i + _JOINED_AT_ONCE] for i in range(0, len(cells), _JOINED_AT_ONCE)]
    return _joined([_joined(group) for group in groups])


def own_rows(table: str, oid_of_row: str = "tableoid") -> str:
    """Return the condition that leaves out the rows of tables that inherit from this one.

    A partitioned table has no rows of its own: all of its partitions' rows count. '' where
    ``table`` is not a plain quoted name.
    """
    if not re.fullmatch(OWN_NAME, table):
        return ""
    oid = f"{literal(table)}::regclass"
    partitioned = f"EXISTS (SELECT FROM pg_class WHERE oid = {oid} AND relkind = 'p')"
    return f"({oid_of_row} = {oid} OR {partitioned})"
