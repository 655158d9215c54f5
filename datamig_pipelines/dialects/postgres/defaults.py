"""Column defaults, between PostgreSQL's words and ours."""

import re
from typing import Final

from datamig_pipelines.catalog import Default, DefaultKind, Kind, Type
from datamig_pipelines.dialects.postgres.naming import literal

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_NUMBER_WORDS: Final = {"nan", "infinity", "-infinity"}
_NUMERIC: Final = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR}
_MOMENTS: Final = {Kind.TIMESTAMP, Kind.TIMESTAMPTZ}
_TEXTS: Final = {Kind.TEXT, Kind.CHAR}
_STRING: Final = re.compile(r"(E|B)?'((?:[^']|'')*)'", re.IGNORECASE | re.DOTALL)
_CAST: Final = re.compile(r'::(?:"(?:[^"]|"")+"|[a-z_][\w.]*|[ .\[\]]|\([\d,]*\))+$', re.IGNORECASE)
_NOW: Final = re.compile(
    r"(?:now\(\)|transaction_timestamp\(\)|(?:CURRENT_|LOCAL)TIMESTAMP(?:\(\d\))?|'now'(?:::text)?)",
    re.IGNORECASE,
)
_TODAY: Final = re.compile(
    r"CURRENT_DATE|\(?\(?now\(\)\)?::date\)?|\('now'::text\)::date", re.IGNORECASE
)
_UUID: Final = re.compile(r'(?:(?:\w+|"[^"]+")\.)?(?:gen_random_uuid|uuid_generate_v4)\(\)')
_NEXTVAL: Final = re.compile(r"\(?nextval\('((?:[^']|'')+)'(?:::text)?(?:::regclass)?\)\)?")
_NO_DAY: Final = re.compile(r"0000-|\d{4}-00|\d{4}-\d\d-00")


def read_default(text: str, type_: Type) -> Default | None:
    """Return the default behind ``pg_get_expr``; None where it is NULL."""
    bare = _without_casts(text)
    if bare.upper() == "NULL":
        return None
    if _NOW.fullmatch(bare) and type_.kind in _MOMENTS:
        return Default(DefaultKind.NOW)
    if type_.kind is Kind.DATE and (_TODAY.fullmatch(text) or _NOW.fullmatch(bare)):
        return Default(DefaultKind.TODAY)
    if _UUID.fullmatch(bare) and type_.kind in {Kind.UUID, *_TEXTS}:
        return Default(DefaultKind.UUID)
    value = None if type_.native == "money" else _literal_value(bare, type_)
    if value is None:
        return Default(DefaultKind.EXPRESSION, text)
    return Default(DefaultKind.LITERAL, value)


def sequence_named_in(text: str) -> str | None:
    """Return the sequence of a default that is ``nextval`` and nothing more."""
    found = _NEXTVAL.fullmatch(_without_casts(text))
    return found[1].replace("''", "'") if found else None


def sequences_named_in(text: str) -> list[str]:
    """Return every sequence that an expression draws from, as ``regclass`` reads it."""
    return [name.replace("''", "'") for name in re.findall(r"nextval\('((?:[^']|'')+)'", text)]


def _without_casts(text: str) -> str:
    """Return an expression without the casts and parentheses around the whole of it."""
    while True:
        stripped = _CAST.sub("", text)
        if stripped.startswith("(") and _closes_last(stripped):
            stripped = stripped[1:-1]
        if stripped == text:
            return text
        text = stripped


def strip_parentheses(text: str) -> str:
    """Return an expression without the parentheses around the whole of it."""
    while text.startswith("(") and _closes_last(text):
        text = text[1:-1]
    return text


def _closes_last(text: str) -> bool:
    """Say whether the first parenthesis is closed by the last character, quotes respected."""
    depth = 0
    for token in re.finditer(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]", text):
        if token[0] in "()":
            depth += 1 if token[0] == "(" else -1
            if depth == 0:
                return token.end() == len(text)
    return False


def _literal_value(bare: str, type_: Type) -> str | None:
    string = _STRING.fullmatch(bare)
    if string:
        value = string[2].replace("''", "'")
        if (string[1] or "").upper() == "E":
            value = value.replace("\\\\", "\\")
        if type_.kind is Kind.BLOB and value.startswith("\\x"):
            value = value[2:]
        return (
            {"t": "true", "f": "false"}.get(value, value) if type_.kind is Kind.BOOLEAN else value
        )
    if _NUMBER.fullmatch(bare):
        return bare
    return bare.lower() if bare.lower() in ("true", "false") else None


def write_default(default: Default, type_: Type) -> str | None:
    """Return a default in PostgreSQL's words, or None if it has none for it."""
    match default.kind:
        case DefaultKind.EXPRESSION:
            return default.value
        case DefaultKind.NOW:
            return _now(type_)
        case DefaultKind.TODAY:
            return "CURRENT_DATE" if type_.kind in {Kind.DATE, *_MOMENTS, *_TEXTS} else None
        case DefaultKind.UUID:
            return "gen_random_uuid()" if type_.kind in {Kind.UUID, *_TEXTS} else None
        case DefaultKind.LITERAL:
            return _literal(default.value, type_)


def _now(type_: Type) -> str | None:
    if type_.kind in {*_MOMENTS, *_TEXTS}:
        return "CURRENT_TIMESTAMP"
    return {
        Kind.DATE: "CURRENT_DATE",
        Kind.TIME: "LOCALTIME",
        Kind.TIMETZ: "CURRENT_TIME",
        Kind.YEAR: "EXTRACT(year FROM CURRENT_DATE)",
    }.get(type_.kind)


def _literal(value: str, type_: Type) -> str | None:
    if "\0" in value:
        return None
    if type_.kind is Kind.BOOLEAN:
        return {"true": "true", "1": "true", "false": "false", "0": "false"}.get(value.lower())
    if type_.kind in _NUMERIC:
        return _number(value)
    if type_.kind is Kind.BITS:
        return f"B'{value}'" if re.fullmatch("[01]*", value) else None
    never = type_.kind in {Kind.DATE, *_MOMENTS} and _NO_DAY.match(value)
    return None if never else literal("\\x" + value if type_.kind is Kind.BLOB else value)


def _number(value: str) -> str | None:
    if _NUMBER.fullmatch(value):
        return value
    return literal(value) if value.lower() in _NUMBER_WORDS else None
