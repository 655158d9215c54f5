"""Column defaults: from information_schema to no engine's words, and back."""

import re
from typing import Final

from datamig_pipelines.catalog import Default, DefaultKind, Kind, Type
from datamig_pipelines.dialects.mysql.flavour import Flavour
from datamig_pipelines.dialects.mysql.names import literal
from datamig_pipelines.dialects.mysql.types import base_name, unquote

_NOW: Final = re.compile(
    r"\(?(current_timestamp|now|localtime|localtimestamp)(\(\d*\))?\)?", re.IGNORECASE
)
_TODAY: Final = re.compile(r"\(?(curdate\(\)|current_date(\(\))?)\)?", re.IGNORECASE)
_UUID: Final = re.compile(r"\(?uuid\(\)\)?", re.IGNORECASE)
_STRING: Final = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_BITS: Final = re.compile(r"[bB]'([01]*)'")
_HEX: Final = re.compile(r"0x([0-9a-fA-F]+)|[xX]'([0-9a-fA-F]*)'")


def read_default(text: str | None, extra: str, type_: Type, flavour: Flavour) -> Default | None:
    """Return a column's default.

    Args:
        text: ``column_default``; None, and MariaDB's bare ``NULL``, say that there is none.
        extra: ``extra`` of the column.
        type_: The column's type: a timestamp's default may be a word instead of a value.
        flavour: Whose information_schema it is.
    """
    if text is None or (flavour.quotes_defaults and text.upper() == "NULL"):
        return None
    if flavour.quotes_defaults:
        return _of_sql(text, type_)
    if "default_generated" in extra.lower():
        return _of_sql(flavour.expression(text), type_)
    if type_.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ) and _NOW.fullmatch(text):
        return Default(DefaultKind.NOW)  # MySQL 5.7, which has no DEFAULT_GENERATED
    return _literal(text, type_)


def _of_sql(sql: str, type_: Type) -> Default:
    for pattern, kind in (
        (_NOW, DefaultKind.NOW),
        (_TODAY, DefaultKind.TODAY),
        (_UUID, DefaultKind.UUID),
    ):
        if pattern.fullmatch(sql):
            return Default(kind)
    string = _STRING.fullmatch(sql)
    if string:
        return _literal(unquote(string[1]), type_)
    if _NUMBER.fullmatch(sql) or _BITS.fullmatch(sql) or _HEX.fullmatch(sql):
        return _literal(sql, type_)
    if sql.lower() in ("true", "false"):
        return Default(DefaultKind.LITERAL, str(int(sql.lower() == "true")))
    return Default(DefaultKind.EXPRESSION, sql)


def _literal(text: str, type_: Type) -> Default:
    """Return a literal in canonical text: bits as digits, bytes as hex, no zeros at the end."""
    bits, hexadecimal = _BITS.fullmatch(text), _HEX.fullmatch(text)
    value = text
    if type_.kind is Kind.BITS:
        value = (bits[1] if bits else f"{int(text):b}").zfill(type_.length or 1)
    elif type_.kind is Kind.BLOB:
        value = (
            (hexadecimal[1] or hexadecimal[2] or "").lower() if hexadecimal else text.encode().hex()
        )
    elif type_.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DURATION, Kind.DECIMAL):
        value = text.rstrip("0").rstrip(".") if "." in text else text
        if type_.kind is Kind.TIMESTAMPTZ:
            value += "+00"
    return Default(DefaultKind.LITERAL, value)


# ---- into our own words

_WORDS: Final = """
    abs adddate addtime ascii bin bit_length cast ceil ceiling char char_length character_length
    coalesce concat concat_ws conv convert cos crc32 curdate current_date current_time
    current_timestamp curtime database date date_add date_format date_sub datediff day dayofmonth
    dayofweek dayofyear degrees elt exp field find_in_set floor format from_unixtime greatest hex
    hour if ifnull instr interval json_array json_object json_quote last_day lcase least left length
    ln localtime localtimestamp locate log log10 log2 lower lpad ltrim makedate maketime md5
    microsecond mid minute mod month now nullif pi position pow power quarter quote radians rand
    random_bytes repeat replace reverse right round rpad rtrim schema second sec_to_time
    session_user sha sha1 sha2 sign sin space sqrt st_geomfromtext strcmp str_to_date subdate substr
    substring substring_index subtime sysdate tan time timediff timestamp time_to_sec to_base64 trim
    truncate ucase unhex unix_timestamp upper user utc_date utc_time utc_timestamp uuid uuid_short
    week weekday weekofyear year yearweek in and or not case when then else values decimal varchar
    binary
"""
_FUNCTIONS: Final = frozenset(_WORDS.split())
"""Functions (and words before a parenthesis) that a default of both MySQL and MariaDB may use."""

_CALL: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'|\b([A-Za-z_]\w*)\s*\(")
_SHAPES: Final = {
    Kind.INTEGER: r"-?\d+",
    Kind.DECIMAL: r"-?\d+(\.\d+)?",
    Kind.FLOAT: r"-?\d+(\.\d+)?(e[-+]?\d+)?",
    Kind.YEAR: r"\d{4}",
    Kind.DATE: r"\d{4}-\d\d-\d\d",
    Kind.TIMESTAMP: r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?",
    Kind.TIMESTAMPTZ: r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?",
    Kind.TIME: r"-?\d\d+:\d\d:\d\d(\.\d{1,6})?",
    Kind.DURATION: r"-?\d\d+:\d\d:\d\d(\.\d{1,6})?",
    Kind.BITS: r"[01]+",
    Kind.BLOB: r"([0-9a-f]{2})*",
    Kind.UUID: r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}",
}
_NUMBERS: Final = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR)
_LONG_WORDS: Final = ("text", "blob", "json")


def write_default(default: Default, type_: Type) -> str | None:
    """Return what stands behind DEFAULT; None where the server would refuse it."""
    if default.kind is DefaultKind.NOW:
        return _now(type_)
    if default.kind is DefaultKind.TODAY:
        return "(CURDATE())"
    if default.kind is DefaultKind.UUID:
        return "(UUID())"
    if default.kind is DefaultKind.EXPRESSION:
        calls = {c.lower() for c in _CALL.findall(default.value) if c}
        return f"({default.value})" if calls <= _FUNCTIONS else None
    return _written(default.value, type_)


def _now(type_: Type) -> str | None:
    """Return the present moment; in a DATETIME that stands for an instant it is UTC's."""
    size = f"({type_.fraction})" if type_.fraction else ""
    word = base_name(type_)
    if type_.kind is Kind.TIMESTAMPTZ and word == "datetime":
        return f"(UTC_TIMESTAMP{size or '()'})"
    if word in ("datetime", "timestamp"):
        return f"CURRENT_TIMESTAMP{size}"
    words = {
        Kind.DATE: "(CURDATE())",
        Kind.TIME: f"(CURTIME{size or '()'})",
        Kind.YEAR: "(YEAR(NOW()))",
    }
    if type_.kind in (Kind.TEXT, Kind.CHAR):
        return "(CURRENT_TIMESTAMP())"
    return words.get(type_.kind)


def _written(value: str, type_: Type) -> str | None:
    kind = type_.kind
    if kind is Kind.INTEGER:
        value = {"true": "1", "false": "0"}.get(value, value)
    if kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        value = value.removesuffix("+00")
    shape = _SHAPES.get(kind)
    if (shape and not re.fullmatch(shape, value, re.IGNORECASE)) or not _fits(value, type_):
        return None
    if kind is Kind.BITS:
        return f"b'{value}'"
    if kind is Kind.BLOB:
        return f"(x'{value}')"
    if kind in _NUMBERS:
        return value
    return f"({literal(value)})" if base_name(type_).endswith(_LONG_WORDS) else literal(value)


def _fits(value: str, type_: Type) -> bool:
    """Say whether a value keeps to length, decimals or list of its type."""
    if type_.kind in (Kind.TEXT, Kind.CHAR, Kind.BITS) and type_.length is not None:
        return len(value) <= type_.length
    if type_.kind is Kind.DECIMAL and type_.scale is not None:
        return len(value.partition(".")[2].rstrip("0")) <= type_.scale
    if type_.kind is Kind.ENUM:
        return value in type_.values
    return type_.kind is not Kind.SET or set(value.split(",")) <= {*type_.values, ""}
