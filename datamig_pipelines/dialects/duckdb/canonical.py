"""The canonical text of a value: the same on every engine."""

from collections.abc import Sequence

from datamig_pipelines.catalog.types import Kind, Type
from datamig_pipelines.dialects.duckdb.rendering import duration, text
from datamig_pipelines.dialects.parsing import BY_ELEMENT, PARSED, TEXTS, Speech
from datamig_pipelines.dialects.reading import Compared

_SPEECH = Speech("regexp_matches({0}, '{1}')")
_NUMBERS = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.BOOLEAN, Kind.YEAR}
_WHOLE = {Kind.BOOLEAN: "INTEGER", Kind.INTEGER: "VARCHAR", Kind.BITS: "UHUGEINT"}
_MOMENTS = {Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}


def canonical(column: Compared) -> str:
    """Return SQL for the canonical text of a column in the form ``column.compare``."""
    sql, held, compare = column.sql, column.held, column.compare
    if " COLLATE " in held.native:
        sql = f"({sql} COLLATE C)"  # texts of two orders cannot stand in one hash
    if held.kind in TEXTS and compare in PARSED:
        return _parsed(text(sql, held), compare)
    if compare is Kind.ARRAY:
        return _list(sql, held)
    return _number(sql, held, compare) if compare in _NUMBERS else _other(sql, held, compare)


def _list(sql: str, held: Type) -> str:
    """Return the canonical texts of a list's elements."""
    element = held.element
    if element is None or element.kind not in BY_ELEMENT:
        return text(sql, held)
    one = canonical(Compared("e", element, element.kind))
    texts = f"list_transform({sql}, lambda e: coalesce({one}, 'null'))"
    return f"'[' || array_to_string({texts}, ',') || ']'"


def _other(sql: str, held: Type, compare: Kind) -> str:
    if compare in _MOMENTS:
        return _moment(sql, held, compare)
    if compare in {Kind.TIME, Kind.DURATION} and held.kind is Kind.INTERVAL:
        return duration(sql)
    if compare is Kind.BLOB and held.kind is not Kind.BLOB:
        return f"lower(hex(encode({text(sql, held)})))"
    if compare is Kind.UUID and held.kind is Kind.BLOB:
        dashed, words = _SPEECH.guid(text(sql, held)), f"lower(CAST({sql} AS VARCHAR))"
        return f"CASE octet_length({sql}) WHEN 36 THEN {words} ELSE {dashed} END"
    shape = {Kind.UUID: "lower({0})", Kind.CHAR: "rtrim({0}, ' ')"}.get(compare, "{0}")
    return shape.replace("{0}", text(sql, held))


def _parsed(words: str, form: Kind) -> str:
    """Return the canonical text of a text that holds a value; see `parsing`."""
    if form is Kind.FLOAT:
        number = _float(f"CAST(TRY_CAST(trim({words}) AS DOUBLE) AS VARCHAR)")
        return _SPEECH.floating(words, f"coalesce({number}, {words})")
    if form in (Kind.INTEGER, Kind.DECIMAL):
        digits = f"CAST(TRY_CAST({words} AS DECIMAL(38,19)) AS VARCHAR)"
        return _SPEECH.number(words, f"coalesce({_trimmed(digits)}, {words})")
    if form is Kind.TIMESTAMPTZ:
        utc = f"CAST(TRY_CAST({words} AS TIMESTAMPTZ) AS VARCHAR)"
        return _SPEECH.instant(words, f"coalesce({utc}, {words})")
    forms = {
        Kind.BOOLEAN: _SPEECH.boolean,
        Kind.UUID: _SPEECH.guid,
        Kind.DATE: _SPEECH.date,
        Kind.TIMESTAMP: _SPEECH.moment,
    }
    return forms.get(form, _SPEECH.clock)(words)


def fingerprint(table: str, cells: Sequence[str], where: str) -> str:
    """Return the SELECT of (rows, sum of the first 60 bits of each row's MD5)."""
    sql = f"SELECT count(*), sum({row_hash(cells)}) FROM {table}"
    return f"{sql} WHERE {where}" if where else sql


def row_hash(cells: Sequence[str]) -> str:
    """Return SQL for the hash of a row; see `Dialect.row_hash`."""
    filled = ", ".join(f"coalesce({c}, chr(30))" for c in cells)
    line = f"concat_ws(chr(31), {filled})" if filled else "''"
    return f"CAST('0x' || left(md5({line}), 15) AS BIGINT)"


def _number(sql: str, held: Type, compare: Kind) -> str:
    if compare is Kind.BOOLEAN:
        plain = text(sql, held)
        flag = f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE {plain} END"
        return flag if held.kind is Kind.INTEGER else plain
    if compare is Kind.FLOAT:
        return _float(f"CAST(CAST({sql} AS DOUBLE) AS VARCHAR)")
    if held.kind in _WHOLE:
        return f"CAST(CAST({sql} AS {_WHOLE[held.kind]}) AS VARCHAR)"
    if held.kind is Kind.FLOAT:
        plain = text(sql, held)
        wide = f"CAST(CAST({sql} AS DECIMAL(38,18)) AS VARCHAR)"
        return _trimmed(
            f"(CASE WHEN {plain} LIKE '%e%' THEN coalesce(TRY({wide}), {plain}) ELSE {plain} END)"
        )
    plain = text(sql, held)
    if held.kind is Kind.DECIMAL and held.precision == held.scale:  # printed as .5
        plain = f"regexp_replace({plain}, '^(-?)[.]', '\\10.')"
    return _trimmed(plain)


def _trimmed(plain: str) -> str:
    """Return SQL without the zeros behind a decimal point, and without a sign at zero."""
    short = (
        f"CASE WHEN contains({plain}, '.') THEN rtrim(rtrim({plain}, '0'), '.') ELSE {plain} END"
    )
    return f"CASE WHEN ({short}) IN ('-0', '-', '') THEN '0' ELSE {short} END"


def _float(shortest: str) -> str:
    """Return SQL that turns ``-1.5e-07`` into sign, digits, ``e``, exponent of ``0.digits``."""
    size = "ltrim(t, '-')"
    mantissa = f"split_part({size}, 'e', 1)"
    exponent = f"coalesce(TRY_CAST(split_part({size}, 'e', 2) AS INTEGER), 0)"
    digits = f"replace({mantissa}, '.', '')"
    first = f"ltrim({digits}, '0')"
    point = f"length(split_part({mantissa}, '.', 1)) - (length({digits}) - length({first}))"
    sign = "CASE WHEN starts_with(t, '-') THEN '-' ELSE '' END"
    body = (
        f"CASE WHEN t = 'nan' OR t = '-nan' THEN 'NaN' WHEN t = 'inf' THEN 'Infinity' "
        f"WHEN t = '-inf' THEN '-Infinity' WHEN {first} = '' THEN '0' "
        f"ELSE {sign} || rtrim({first}, '0') || 'e' || ({point} + {exponent}) END"
    )
    return f"list_transform([{shortest}], lambda t: {body})[1]"


def _moment(sql: str, held: Type, compare: Kind) -> str:
    plain = text(sql, held)
    if held.kind not in _MOMENTS or held.kind is compare:
        return plain
    if compare is Kind.DATE:
        return f"replace(replace({plain}, '+00', ''), ' 00:00:00', '')"
    if held.kind is Kind.TIMESTAMPTZ:
        return f"replace({plain}, '+00', '')"
    if held.kind is Kind.DATE:
        plain = text(f"CAST({sql} AS TIMESTAMP)", Type(Kind.TIMESTAMP))
    if compare is Kind.TIMESTAMPTZ:
        zone = "regexp_replace({0}, '( BC)?$', '+00\\1')"
        return f"CASE WHEN isfinite({sql}) THEN {zone.format(plain)} ELSE {plain} END"
    return plain
