"""Defaults: from SQLite's text to neutral words and back."""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from datamig_pipelines.catalog import Default, DefaultKind, Kind, Type
from datamig_pipelines.dialects.sqlite.tokens import Token, tokenize
from datamig_pipelines.dialects.sqlite.types import affinity

UUID_SQL: Final = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || "
    "substr(hex(randomblob(2)), 2) || '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || "
    "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)
"""A random UUID, version 4."""

_NUMERIC: Final = {Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR, Kind.BOOLEAN}
_NOW: Final = re.compile(r"""^(current_timestamp|datetime\(\s*['"]now['"]\s*\))$""", re.IGNORECASE)
_TODAY: Final = re.compile(r"""^(current_date|date\(\s*['"]now['"]\s*\))$""", re.IGNORECASE)


def read_default(text: str | None, type_: Type) -> Default | None:
    """Return what ``dflt_value`` of ``pragma_table_xinfo`` says; None for none and for NULL."""
    bare = _without_parentheses(text or "")
    if not bare or bare.upper() == "NULL":
        return None
    if _NOW.match(bare):
        return Default(DefaultKind.NOW)
    if _TODAY.match(bare):
        return Default(DefaultKind.TODAY)
    if bare == UUID_SQL:
        return Default(DefaultKind.UUID)
    literal = _literal(bare, type_)
    return Default(DefaultKind.EXPRESSION, bare) if literal is None else literal


def default_sql(default: Default, type_: Type) -> str:
    """Return a default as it stands behind DEFAULT."""
    match default.kind:
        case DefaultKind.NOW:
            by_kind = {Kind.DATE: "CURRENT_DATE", Kind.TIME: "CURRENT_TIME"}
            return by_kind.get(type_.kind, "CURRENT_TIMESTAMP")
        case DefaultKind.TODAY:
            return "CURRENT_DATE"
        case DefaultKind.UUID:
            return f"({UUID_SQL})"
        case DefaultKind.EXPRESSION:
            return f"({default.value})"
    return _literal_sql(default.value, type_)


def _literal_sql(value: str, type_: Type) -> str:
    if type_.kind is Kind.BOOLEAN and value in {"true", "false"}:
        return "1" if value == "true" else "0"
    if type_.kind is Kind.BITS and affinity(type_.native) == "INTEGER" and set(value) <= {"0", "1"}:
        return str(int(value or "0", 2))
    if type_.kind is Kind.BLOB and re.fullmatch(r"([0-9a-fA-F]{2})*", value):
        return f"X'{value}'"
    bare = type_.kind in _NUMERIC and affinity(type_.native) != "TEXT"
    if (bare or type_.kind is Kind.ANY) and _number(value) is not None:
        return value
    return "'" + value.replace("'", "''") + "'"


def _literal(bare: str, type_: Type) -> Default | None:
    """Return a literal, or None if it is none."""
    tokens = tokenize(bare)
    sign = tokens[0].text if tokens[0].text in {"+", "-"} else ""
    rest = tokens[1:] if sign else tokens
    if len(rest) != 1:
        return None
    if rest[0].kind == "number":
        return Default(
            DefaultKind.LITERAL, _plain(("-" if sign == "-" else "") + rest[0].text, type_)
        )
    value = _text(rest[0], type_)
    if sign or value is None:
        return None
    if type_.kind is Kind.ANY and _number(value) is not None:
        return None  # '5' is not 5 in a column without a type: it stays an expression
    return Default(DefaultKind.LITERAL, value)


def _text(token: Token, type_: Type) -> str | None:
    """Return the value of a string, a blob, TRUE or FALSE; a lone name counts as a string."""
    if token.kind == "string" and token.text[0] in "xX":
        return token.text[2:-1].lower() if type_.kind is Kind.BLOB else None
    if token.is_word("CURRENT_TIME"):
        return None
    truth = {"true": "1", "false": "0"}.get(token.text.lower()) if token.kind == "word" else None
    value = truth if truth is not None else token.name
    if token.kind == "string" and type_.kind is Kind.BLOB:
        return value.encode().hex()
    return {"1": "true", "0": "false"}.get(value, value) if type_.kind is Kind.BOOLEAN else value


def _plain(text: str, type_: Type) -> str:
    number = Decimal(int(text, 16)) if "x" in text.lower() else Decimal(text)
    if type_.kind is Kind.BOOLEAN and number in {0, 1}:
        return "true" if number else "false"
    return f"{number:f}"


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text) if re.fullmatch(r"[-+\d.eE]+", text) else None
    except InvalidOperation:
        return None
    return number


def _without_parentheses(text: str) -> str:
    bare = text.strip()
    while bare.startswith("(") and bare.endswith(")"):
        tokens = tokenize(bare)
        first = next(i for i, t in enumerate(tokens) if t.text == ")" and t.depth == 0)
        if first != len(tokens) - 1:
            break
        bare = bare[1:-1].strip()
    return bare
