"""The canonical text of a value, the same on every engine, and the fingerprint made of it."""

from collections.abc import Callable, Sequence
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.mysql.names import literal
from datamig_pipelines.dialects.mysql.rendering import number, text, truth
from datamig_pipelines.dialects.parsing import PARSED, TEXTS, Speech
from datamig_pipelines.dialects.reading import Compared

_SPEECH: Final = Speech(
    "{0} REGEXP '{1}'",
    "REGEXP_REPLACE({0}, '{1}', '')",
    lambda *texts: f"CONCAT({', '.join(texts)})",
)
_PLAIN_TEXT: Final = Type(Kind.TEXT)
_NUMERIC: Final = (Kind.INTEGER, Kind.YEAR, Kind.DECIMAL, Kind.BITS, Kind.BOOLEAN)


def canonical(column: Compared) -> str:
    """Return SQL of the canonical text of a column, NULL for NULL."""
    if column.held.kind in TEXTS and column.compare in PARSED:
        return _parsed(text(column.sql, column.held, _PLAIN_TEXT), column.compare)
    write = _FORMS.get(column.compare)
    if write is None:
        return text(column.sql, column.held, _PLAIN_TEXT)
    return write(column.sql, column.held)


def _parsed(words: str, form: Kind) -> str:
    """Return the canonical text of a text that holds a value; see `parsing`."""
    if form is Kind.FLOAT:
        return _SPEECH.floating(words, _float(words, _PLAIN_TEXT))
    if form in (Kind.INTEGER, Kind.DECIMAL):
        power = f"CAST(CAST({words} AS DECIMAL(65,30)) AS CHAR)"
        return _SPEECH.number(words, _without_zeros(power))
    forms = {
        Kind.BOOLEAN: _SPEECH.boolean,
        Kind.UUID: _SPEECH.guid,
        Kind.DATE: _SPEECH.date,
        Kind.TIMESTAMP: _SPEECH.moment,
        Kind.TIMESTAMPTZ: _SPEECH.instant,
    }
    return forms.get(form, _SPEECH.clock)(words)


def _integer(sql: str, held: Type) -> str:
    if held.kind is Kind.INTEGER or held.kind in (Kind.YEAR, Kind.BITS, Kind.BOOLEAN):
        return f"CAST({number(sql, held)} AS CHAR)"
    return _decimal(sql, held)


def _decimal(sql: str, held: Type) -> str:
    if held.kind is Kind.DECIMAL and held.scale is not None:
        digits = f"CAST({number(sql, held)} AS CHAR)"
        return _without_zeros(digits) if held.scale else digits
    if held.kind in _NUMERIC and held.kind is not Kind.DECIMAL:
        return _integer(sql, held)
    if held.kind is not Kind.DECIMAL:  # floats through their shortest text, and text
        sql = f"CAST({number(sql, held)} AS DECIMAL(65,30))"
        return _without_zeros(f"CAST({sql} AS CHAR)")
    digits = f"CAST({number(sql, held)} AS CHAR)"
    return f"IF(LOCATE('.', {digits}), {_without_zeros(digits)}, {digits})"


def _without_zeros(digits: str) -> str:
    """Return SQL that strips the trailing zeros of a text which has a point in it."""
    return f"TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM {digits}))"


def _float(sql: str, _: Type) -> str:
    """Return sign, digits, ``e`` and exponent of 0.digits, cut out of the server's shortest text.

    The server writes ``-1.5``, ``0.001``, ``1e20`` or ``1.5e-7``; it knows no NaN and no infinity.
    """
    value = f"({sql}) * 1e0"
    whole = f"CAST({value} AS CHAR)"
    mantissa = f"TRIM(LEADING '-' FROM SUBSTRING_INDEX({whole}, 'e', 1))"
    digits = f"TRIM(LEADING '0' FROM REPLACE({mantissa}, '.', ''))"
    fraction = f"IF(LOCATE('.', {mantissa}), CHAR_LENGTH(SUBSTRING_INDEX({mantissa}, '.', -1)), 0)"
    power = f"IF(LOCATE('e', {whole}), SUBSTRING_INDEX({whole}, 'e', -1) + 0, 0)"
    exponent = f"CAST({power} + CHAR_LENGTH({digits}) - {fraction} AS SIGNED)"
    return (
        f"IF({value} = 0, '0', CONCAT(IF({value} < 0, '-', ''), "
        f"TRIM(TRAILING '0' FROM {digits}), 'e', {exponent}))"
    )


def _boolean(sql: str, held: Type) -> str:
    if held.kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.YEAR, Kind.BITS):
        return truth(sql)
    return text(sql, held, _PLAIN_TEXT)


def _char(sql: str, held: Type) -> str:
    return f"TRIM(TRAILING ' ' FROM {text(sql, held, _PLAIN_TEXT)})"


def _blob(sql: str, held: Type) -> str:
    if held.kind is Kind.UUID:
        return f"LOWER(REPLACE(CAST({sql} AS CHAR), '-', ''))"
    if held.kind is not Kind.BLOB:
        sql = text(sql, held, _PLAIN_TEXT)
    # HEX gives NULL above max_allowed_packet: such a blob must be an error and not look like NULL.
    return f"COALESCE(LOWER(HEX({sql})), IF({sql} IS NULL, NULL, {_error(f'LENGTH({sql})')}))"


def blob_digits(sql: str) -> str:
    """Return SQL of the text that a blob becomes in a column of texts: its digits."""
    return f"CONCAT({literal(chr(92) + 'x')}, {_blob(sql, Type(Kind.BLOB))})"


def _error(seed: str) -> str:
    """Return SQL that fails (1690) when it is evaluated; ``seed`` keeps it from being folded."""
    return f"CAST(CAST({seed} * 0 AS UNSIGNED) - 1 AS CHAR)"


def _uuid(sql: str, held: Type) -> str:
    if held.kind is Kind.BLOB:
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        parts = ", '-', ".join(f"SUBSTR(HEX({sql}), {at}, {size})" for at, size in cuts)
        words = f"CONVERT({sql} USING utf8mb4)"
        whens = f"WHEN 16 THEN CONCAT({parts}) WHEN 36 THEN {words}"
        return f"LOWER(CASE LENGTH({sql}) {whens} ELSE HEX({sql}) END)"
    return f"LOWER({text(sql, held, _PLAIN_TEXT)})"


def _date(sql: str, held: Type) -> str:
    if held.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return f"REPLACE({_timestamp(sql, held)}, ' 00:00:00', '')"
    return f"CAST({sql if held.kind is Kind.DATE else f'CAST({sql} AS DATE)'} AS CHAR)"


def _timestamp(sql: str, held: Type) -> str:
    if held.kind not in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return _moment(f"CAST({sql} AS DATETIME(6))", 6)
    return _moment(sql, held.fraction)


def _timestamptz(sql: str, held: Type) -> str:
    return f"CONCAT({_timestamp(sql, held)}, '+00')"


def _time(sql: str, held: Type) -> str:
    if held.kind not in (Kind.TIME, Kind.DURATION):
        return _moment(f"CAST({sql} AS TIME(6))", 6)
    return _moment(sql, held.fraction)


def _timetz(sql: str, held: Type) -> str:
    return text(sql, held, _PLAIN_TEXT)


def _moment(sql: str, fraction: int | None) -> str:
    written = f"CAST({sql} AS CHAR)"
    if fraction == 0:
        return written
    if fraction is not None:
        return _without_zeros(written)
    return f"IF(LOCATE('.', {written}), {_without_zeros(written)}, {written})"


_FORMS: Final[dict[Kind, Callable[[str, Type], str]]] = {
    Kind.INTEGER: _integer,
    Kind.YEAR: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.CHAR: _char,
    Kind.BLOB: _blob,
    Kind.UUID: _uuid,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.TIMESTAMPTZ: _timestamptz,
    Kind.TIME: _time,
    Kind.TIMETZ: _timetz,
    Kind.DURATION: _time,
}


def fingerprint_sql(table: str, cells: Sequence[str], where: str) -> str:
    """Return the SELECT of (number of rows, sum of the rows' hashes as an exact DECIMAL).

    A row longer than ``max_allowed_packet`` has no MD5 here; it makes the statement fail (1690).
    """
    only = f" WHERE {where}" if where else ""
    return f"SELECT COUNT(*), SUM({row_hash(cells)}) FROM {table}{only}"


def row_hash(cells: Sequence[str]) -> str:
    """Return SQL for the hash of a row; see `Dialect.row_hash`."""
    row = ", ".join(f"IFNULL({cell}, CHAR(30 USING utf8mb4))" for cell in cells)
    line = f"CONCAT_WS(CHAR(31 USING utf8mb4), {row})"
    digest = f"CONV(SUBSTR(MD5({line}), 1, 15), 16, 10)"
    safe = f"COALESCE({digest}, {_error(f'LENGTH({cells[0]})')})"
    return f"CAST({safe} AS DECIMAL(30,0))"
