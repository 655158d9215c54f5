"""Logical types, declared in PostgreSQL."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.postgres.naming import is_user_defined
from datamig_pipelines.dialects.postgres.types import (
    EXTENSION_OF,
    OWN_OTHERS,
    array_of,
    parse_type,
)

_MAX_LENGTH: Final = 10_485_760
_MAX_PRECISION: Final = 1000
_MAX_BITS: Final = 83_886_080

Declared = tuple[str, str]
"""A declaration and what it changes."""


def declare(type_: Type) -> tuple[Type, str]:
    """Return how PostgreSQL holds a logical type, and what is changed.

    A type that our own reader made keeps its declaration.
    """
    if _is_own(type_):
        return type_, ""
    if type_.kind is Kind.ARRAY and type_.element is not None:
        element, note = declare(type_.element)
        return array_of(element), note
    text, note = _declared(type_ if type_.strict else _loosened(type_))
    return parse_type(text), note


def _is_own(type_: Type) -> bool:
    if not type_.native or not type_.strict:
        return False
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return _is_own(type_.element) and type_.native == f"{type_.element.native}[]"
    if type_.kind in (Kind.ENUM, Kind.OTHER):
        base = type_.native.partition("(")[0]
        qualified = "." in base and not base.startswith(".")
        return is_user_defined(type_) or base in OWN_OTHERS or qualified
    parsed = parse_type(type_.native)
    return parsed.native == type_.native and parsed.same_as(type_)


def extension_of(type_: Type) -> str | None:
    """Return the extension that a type comes from, if it is one that may simply be created."""
    if type_.kind is Kind.ARRAY and type_.element is not None:
        return extension_of(type_.element)
    return EXTENSION_OF.get(type_.native.partition("(")[0])


def _loosened(type_: Type) -> Type:
    """Return a type without the bounds that its engine does not enforce."""
    if type_.kind is Kind.CHAR:
        return Type(Kind.TEXT)
    if type_.kind is Kind.INTEGER:
        return replace(type_, bits=64, unsigned=False)
    if type_.kind is Kind.FLOAT:
        return replace(type_, bits=64)
    return replace(type_, length=None, precision=None, scale=None, fraction=None)


def _declared(type_: Type) -> Declared:
    if type_.kind in _TOLD_AS_TEXT:
        return "text", _TOLD_AS_TEXT[type_.kind].format(type_)
    if type_.kind in _WORDS:
        return _WORDS[type_.kind]
    return _BUILT[type_.kind](type_)


_TOLD_AS_TEXT: Final = {
    Kind.ENUM: "the list of values becomes a check",
    Kind.SET: "a set becomes its comma separated text",
    Kind.ANY: "values of several types become their text",
    Kind.OTHER: "{} is not known here and becomes its text",
}
_WORDS: Final[dict[Kind, Declared]] = {
    Kind.BOOLEAN: ("boolean", ""),
    Kind.DATE: ("date", ""),
    Kind.DURATION: ("interval", ""),
    Kind.INTERVAL: ("interval", ""),
    Kind.YEAR: ("smallint", ""),
    Kind.JSON: ("json", ""),
    Kind.UUID: ("uuid", ""),
    Kind.ARRAY: ("json", "an array of unknown elements becomes json"),
}


def _integer(type_: Type) -> Declared:
    bits = (type_.bits or 64) + (1 if type_.unsigned else 0)
    for size, name in ((16, "smallint"), (32, "integer"), (64, "bigint")):
        if bits <= size:
            return name, ""
    digits = 20 if bits == 65 else 39
    return f"numeric({digits},0)", f"no integer is wide enough for {type_}"


def _decimal(type_: Type) -> Declared:
    precision, scale = type_.precision, type_.scale or 0
    if precision is None:
        return "numeric", ""
    if precision > _MAX_PRECISION or scale > precision:
        return "numeric", f"the bounds of {type_} are not kept"
    return f"numeric({precision},{scale})", ""


def _sized(type_: Type) -> Declared:
    length = type_.length
    if type_.kind is Kind.BITS:
        return (f"bit({length})", "") if length and length <= _MAX_BITS else ("varbit", "")
    if length is None:
        return "text" if type_.kind is Kind.TEXT else "bpchar", ""
    if length == 0 or length > _MAX_LENGTH:
        return "text", f"its limit of {length} characters is not kept"
    return ("varchar" if type_.kind is Kind.TEXT else "char") + f"({length})", ""


def _timed(type_: Type) -> Declared:
    word = {Kind.TIMETZ: "timetz", Kind.TIMESTAMPTZ: "timestamptz"}.get(
        type_.kind, type_.kind.value
    )
    if type_.fraction is None or type_.fraction == 6:
        return word, ""
    if type_.fraction > 6:
        return word, f"{type_.fraction} digits of a second are rounded to 6"
    return f"{word}({type_.fraction})", ""


def _float(type_: Type) -> Declared:
    return "real" if type_.bits == 32 else "double precision", ""


def _blob(type_: Type) -> Declared:
    return "bytea", f"its limit of {type_.length} bytes is not kept" if type_.length else ""


_BUILT: Final[dict[Kind, Callable[[Type], Declared]]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.TEXT: _sized,
    Kind.CHAR: _sized,
    Kind.BITS: _sized,
    Kind.BLOB: _blob,
    Kind.TIME: _timed,
    Kind.TIMETZ: _timed,
    Kind.TIMESTAMP: _timed,
    Kind.TIMESTAMPTZ: _timed,
}
