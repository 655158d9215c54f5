"""Column defaults: DuckDB's words read and written."""

import re

from datamig_pipelines.catalog import Default, DefaultKind
from datamig_pipelines.catalog.types import Kind, Type

_TEXT = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)
_CAST = re.compile(r"CAST\((.+) AS (\"?[\w ]+\"?(?:\([\d, ]+\))?)\)", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NEXT = re.compile(r"nextval\('((?:[^']|'')+)'\)", re.IGNORECASE)
_PART = re.compile(r'"((?:[^"]|"")*)"|([^".]+)')
_CALLS = {
    **dict.fromkeys(("now", "current_timestamp", "get_current_timestamp"), DefaultKind.NOW),
    **dict.fromkeys(("localtimestamp", "current_localtimestamp"), DefaultKind.NOW),
    **dict.fromkeys(("transaction_timestamp", "statement_timestamp"), DefaultKind.NOW),
    **dict.fromkeys(("current_date", "today"), DefaultKind.TODAY),
    **dict.fromkeys(("uuid", "gen_random_uuid"), DefaultKind.UUID),
}
_QUOTED = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR}
_TRUTH = {"t": "true", "true": "true", "1": "true", "f": "false", "false": "false", "0": "false"}


def read(expression: str, type_: Type) -> Default | None:
    """Return what one of DuckDB's default expressions means; None for NULL."""
    text = _without_cast(expression.strip(), type_)
    word = text.lower()
    if word in {"null", ""}:
        return None
    if word.removesuffix("()") in _CALLS:
        return Default(_CALLS[word.removesuffix("()")])
    value = _value(text)
    if value is None or type_.kind in {Kind.BLOB, Kind.BITS, Kind.OTHER, Kind.ARRAY}:
        return Default(DefaultKind.EXPRESSION, expression)
    if type_.kind is Kind.BOOLEAN:
        value = _TRUTH.get(value.lower(), value)
    return Default(DefaultKind.LITERAL, value)


def _value(text: str) -> str | None:
    if match := _TEXT.fullmatch(text):
        return match[1].replace("''", "'")
    return text if _NUMBER.fullmatch(text) or text.lower() in {"true", "false"} else None


def sequence_of(expression: str) -> tuple[str, str] | None:
    """Return (schema or '', name) of the sequence that a default counts with, or None."""
    match = _NEXT.fullmatch(expression.strip())
    if match is None:
        return None
    found = _PART.findall(match[1].replace("''", "'"))
    parts = [quoted.replace('""', '"') if quoted else plain for quoted, plain in found]
    return ("", parts[0]) if len(parts) == 1 else (parts[-2], parts[-1])


def write(default: Default, type_: Type) -> str | None:
    """Return a default in DuckDB's words."""
    if default.kind is DefaultKind.EXPRESSION:
        return f"({default.value})"
    if default.kind is DefaultKind.NOW:
        return {Kind.DATE: "current_date", Kind.TIME: "current_time"}.get(
            type_.kind, "current_timestamp"
        )
    if default.kind is DefaultKind.TODAY:
        return "current_date"
    if default.kind is DefaultKind.UUID:
        return "CAST(uuid() AS VARCHAR)" if type_.kind is Kind.TEXT else "uuid()"
    return _literal(default.value, type_)


def _literal(value: str, type_: Type) -> str:
    quoted = "'" + value.replace("'", "''") + "'"
    if type_.kind is Kind.BOOLEAN:
        return _TRUTH.get(value.lower(), quoted)
    if type_.kind in _QUOTED and _NUMBER.fullmatch(value):
        return value
    if type_.kind is Kind.INTEGER and value in {"true", "false"}:
        return str(int(value == "true"))
    if type_.kind is Kind.BLOB:
        return f"encode({quoted})"
    return quoted


def _without_cast(text: str, type_: Type) -> str:
    match = _CAST.fullmatch(text)
    if match is None:
        return text
    inner, named = match[1].strip(), match[2].replace('"', "").upper()
    same = named in {type_.native.upper(), type_.native.upper().split("(", maxsplit=1)[0]}
    simple = _value(inner) is not None or inner.lower().removesuffix("()") in _CALLS
    return inner if same and simple else text
