"""Logical types, declared in MySQL.

Text of other engines is compared byte by byte (``utf8mb4_bin``): ``a`` and ``A`` are two keys
there, and must be two keys here.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.mysql.names import literal
from datamig_pipelines.dialects.mysql.types import COLUMN_TYPE_WORDS, INTEGER_BITS, parse_type
from datamig_pipelines.errors import TypeUnsupportedError

BINARY: Final = " COLLATE utf8mb4_bin"
_MAX_PRECISION: Final = 65
_MAX_SCALE: Final = 30  # MySQL's; MariaDB has 38
_MAX_VARCHAR: Final = 16_383
_MAX_CHAR: Final = 255
_MAX_BITS: Final = 64
_MAX_ENUM: Final = 65_535
_MAX_SET: Final = 64
_MAX_LABEL: Final = 255
_DIGITS: Final = 6  # of a second

_UUID_NOTE: Final = "MariaDB's UUID refuses what RFC 4122 does not define, so it is kept as text"

Declared = tuple[str, str]
"""A declaration and what it changes."""


def declare(type_: Type) -> tuple[Type, str]:
    """Return how MySQL holds a logical type, and what is changed.

    A type that our own reader made keeps its declaration. TIME, TIMESTAMPTZ and UUID keep their
    kinds, though the columns are TIME, DATETIME and CHAR, so that proofs compare them as what they
    are.
    """
    if _is_own(type_):
        return type_, ""
    loose = type_ if type_.strict else _loosened(type_)
    if loose.kind in (Kind.TIME, Kind.TIMESTAMPTZ):
        return _timed(loose)
    if loose.kind is Kind.UUID:
        return Type(Kind.UUID, native="char(36) COLLATE ascii_bin"), _UUID_NOTE
    text, note = _declared(loose)
    return parse_type(text), note


def _is_own(type_: Type) -> bool:
    if not type_.strict or type_.native.split("(")[0].split(" ")[0] not in COLUMN_TYPE_WORDS:
        return False
    try:
        parsed = parse_type(type_.native)
    except TypeUnsupportedError:
        return False
    too_long = type_.kind is Kind.BITS and (type_.length or 1) > _MAX_BITS
    return parsed.same_as(type_) and not too_long


def _loosened(type_: Type) -> Type:
    """Return a type without the bounds that its engine does not enforce."""
    if type_.kind is Kind.CHAR:
        return Type(Kind.TEXT)
    if type_.kind in (Kind.INTEGER, Kind.YEAR):
        return Type(Kind.INTEGER, bits=64)
    if type_.kind is Kind.FLOAT:
        return replace(type_, bits=64)
    return replace(type_, length=None, precision=None, scale=None, fraction=None)


def _declared(type_: Type) -> Declared:
    if type_.kind in _WORDS:
        return _WORDS[type_.kind]
    return _BUILT[type_.kind](type_)


_WORDS: Final[dict[Kind, Declared]] = {
    Kind.BOOLEAN: ("tinyint(1)", ""),
    Kind.DATE: ("date", ""),
    Kind.YEAR: ("year", ""),
    Kind.JSON: ("json", ""),
    Kind.ARRAY: ("json", "an array becomes a JSON array"),
    Kind.INTERVAL: (f"varchar(128){BINARY}", "an interval becomes its text"),
    Kind.TIMETZ: (f"varchar(32){BINARY}", "a time with a zone becomes its text"),
    Kind.ANY: (f"longtext{BINARY}", "values of several types become their text"),
}


def _integer(type_: Type) -> Declared:
    bits = type_.bits or 64
    suffix = " unsigned" if type_.unsigned else ""
    for name, size in INTEGER_BITS.items():
        if bits <= size:
            return name + suffix, ""
    return "decimal(39,0)", f"no integer is wide enough for {type_}"


def _decimal(type_: Type) -> Declared:
    precision, scale = type_.precision, type_.scale or 0
    widest = f"decimal({_MAX_PRECISION},{_MAX_SCALE})"
    if precision is None:
        whole = _MAX_PRECISION - _MAX_SCALE
        note = f"values beyond {whole} digits, or {_MAX_SCALE} decimals, are refused"
        return widest, note if type_.strict else ""
    whole, scale = max(precision - scale, 0), max(scale, 0)
    if scale > _MAX_SCALE or whole + scale > _MAX_PRECISION:
        return widest, f"values of {type_} that need more digits are refused"
    return f"decimal({max(whole + scale, 1)},{scale})", ""


def _text(type_: Type) -> Declared:
    length = type_.length
    if type_.kind is Kind.CHAR and length and length <= _MAX_CHAR:
        return f"char({length}){BINARY}", ""
    if length and length <= _MAX_VARCHAR:
        return f"varchar({length}){BINARY}", ""
    note = f"its limit of {length} characters is not kept" if length else ""
    if type_.native == "citext":
        note = "upper and lower case count here"
    return f"longtext{BINARY}", note


def _blob(type_: Type) -> Declared:
    return "longblob", f"its limit of {type_.length} bytes is not kept" if type_.length else ""


def _bits(type_: Type) -> Declared:
    varies = not type_.strict or "var" in type_.native
    if not varies and type_.length and type_.length <= _MAX_BITS:
        return f"bit({type_.length})", ""
    length = type_.length if type_.length and type_.length <= _MAX_VARCHAR else None
    text = f"varchar({length})" if length else "longtext"
    return f"{text}{BINARY}", "bits become a text of 0 and 1"


def _float(type_: Type) -> Declared:
    return "float" if type_.bits == 32 else "double", ""


def _fraction(type_: Type) -> Declared:
    """Return the digits of a second, in parentheses."""
    if type_.fraction is None or type_.fraction == _DIGITS:
        return f"({_DIGITS})", ""
    if type_.fraction > _DIGITS:
        return f"({_DIGITS})", f"values with more than {_DIGITS} digits of a second are refused"
    return (f"({type_.fraction})" if type_.fraction else ""), ""


def _timestamp(type_: Type) -> Declared:
    size, note = _fraction(type_)
    return f"datetime{size}", note


def _duration(type_: Type) -> Declared:
    size, note = _fraction(type_)
    return f"time{size}", note


def _timed(type_: Type) -> tuple[Type, str]:
    size, note = _fraction(type_)
    fraction = min(_DIGITS if type_.fraction is None else type_.fraction, _DIGITS)
    if type_.kind is Kind.TIME:
        return Type(Kind.TIME, fraction=fraction, native=f"time{size}"), note
    utc = "kept in UTC; TIMESTAMP would end in 2038"
    return (
        Type(Kind.TIMESTAMPTZ, fraction=fraction, native=f"datetime{size}"),
        f"{utc}; {note}" if note else utc,
    )


def _listed(type_: Type) -> Declared:
    most = _MAX_ENUM if type_.kind is Kind.ENUM else _MAX_SET
    values = type_.values
    fits = 0 < len(values) <= most and all(
        len(v) <= _MAX_LABEL and not v.endswith(" ") for v in values
    )
    if fits and not (type_.kind is Kind.SET and any("," in v for v in values)):
        return f"{type_.kind.value}({','.join(literal(v) for v in values)}){BINARY}", ""
    return f"longtext{BINARY}", f"{type_.kind.value.upper()} cannot have these values: text instead"


def _other(type_: Type) -> Declared:
    return f"longtext{BINARY}", f"{type_} is not known here and becomes its text"


_BUILT: Final[dict[Kind, Callable[[Type], Declared]]] = {
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLOAT: _float,
    Kind.TEXT: _text,
    Kind.CHAR: _text,
    Kind.BLOB: _blob,
    Kind.BITS: _bits,
    Kind.TIMESTAMP: _timestamp,
    Kind.DURATION: _duration,
    Kind.ENUM: _listed,
    Kind.SET: _listed,
    Kind.OTHER: _other,
}
