"""Column defaults of information_schema, in no engine's words where possible."""

import re
from typing import Final

from datamig_pipelines.catalog import Default, DefaultKind, Kind, Type
from datamig_pipelines.dialects.mysql.flavour import Flavour
from datamig_pipelines.dialects.mysql.types import unquote

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
