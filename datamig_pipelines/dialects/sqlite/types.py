"""What a declared type means here, and which declaration holds a logical type.

SQLite enforces no declaration: it has five *affinities*, chosen by what the declared name contains
(https://www.sqlite.org/datatype3.html). A name that contains INT has INTEGER affinity, so names are
chosen here such that no value is turned into a number on its way in:

========================  ==========  ==========================================================
declaration               affinity    holds
========================  ==========  ==========================================================
``DECIMAL(p,s)``, p <= 15  NUMERIC     decimals that a 64-bit float keeps exactly
``DECTEXT``, ``DECTEXT(p,s)`` TEXT     all other decimals, unsigned 64-bit integers
``JSONTEXT``, ``JSONBTEXT``  TEXT       JSON (a bare ``1`` stays text)
``BITINT(n)``             INTEGER     bit strings of fixed length up to 63 bits, as a number
``BITTEXT(n)``            TEXT        other bit strings
``DURATIONTEXT``, ``TIMETZTEXT``, ``PERIODTEXT`` TEXT  durations, times with zone, intervals
========================  ==========  ==========================================================
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from datamig_pipelines.catalog import Kind, Type

EXACT_DIGITS: Final = 15
"""Significant decimal digits that a 64-bit float always gives back."""
INTEGER_BITS: Final = 64

_COLLATE = re.compile(r"""\s+COLLATE\s+("[^"]*"|\w+)\s*$""", re.IGNORECASE)
_ARGUMENTS = re.compile(r"\(([^()]*)\)")
_OWN: Final = {
    "dectext": Type(Kind.DECIMAL),
    "jsontext": Type(Kind.JSON),
    "jsonbtext": Type(Kind.JSON, binary=True),
    "bitint": Type(Kind.BITS),
    "bittext": Type(Kind.BITS),
    "durationtext": Type(Kind.DURATION),
    "timetztext": Type(Kind.TIMETZ),
    "periodtext": Type(Kind.INTERVAL),
}
_FAMILIES: Final = (
    (r"bool", Type(Kind.BOOLEAN)),
    (
        r"^(timestamptz|datetimeoffset|(timestamp|datetime)\b.*\bwith\b.*\btime zone)",
        Type(Kind.TIMESTAMPTZ),
    ),
    (r"^(timestamp|datetime|smalldatetime$)", Type(Kind.TIMESTAMP)),
    (r"^date$", Type(Kind.DATE)),
    (r"^(timetz$|time with time zone)", Type(Kind.TIMETZ)),
    (r"^time( without time zone)?$", Type(Kind.TIME)),
    (r"jsonb", Type(Kind.JSON, binary=True)),
    (r"json", Type(Kind.JSON)),
    (r"^(uuid|guid)$", Type(Kind.UUID)),
    (r"^year$", Type(Kind.INTEGER, bits=INTEGER_BITS)),
    (r"^(?!.*(point|interval)).*int", Type(Kind.INTEGER, bits=INTEGER_BITS)),
    (r"char|clob|text|string", Type(Kind.TEXT)),
    (r"blob|binary|bytea|^image$", Type(Kind.BLOB)),
    (r"real|floa|doub", Type(Kind.FLOAT, bits=64)),
    (r"dec|num|money", Type(Kind.DECIMAL)),
)
_FAMILY_PATTERNS: Final = tuple((re.compile(p), t) for p, t in _FAMILIES)


@lru_cache(maxsize=1024)
def parse(declaration: str) -> Type:
    """Return the logical type of a declaration; ``ANY`` for none or for one that nobody knows.

    A trailing ``COLLATE name`` belongs to the declaration and stays in ``native``.
    """
    plain = _COLLATE.sub("", declaration)
    numbers = [int(n) for n in re.findall(r"-?\d+", " ".join(_ARGUMENTS.findall(plain)))]
    name = " ".join(_ARGUMENTS.sub(" ", plain).lower().split())
    found = _OWN.get(name) or next((t for p, t in _FAMILY_PATTERNS if p.search(name)), None)
    type_ = _with_arguments(found or Type(Kind.ANY), numbers)
    return replace(type_, native=declaration, strict=False)


def affinity(declaration: str) -> str:
    """Return SQLite's own reading of a declaration: INTEGER, TEXT, BLOB, REAL or NUMERIC."""
    name = _COLLATE.sub("", declaration).upper()
    if "INT" in name:
        return "INTEGER"
    if any(word in name for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in name or not name.strip():
        return "BLOB"
    return "REAL" if any(word in name for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def is_own(type_: Type) -> bool:
    """Say whether this engine's own reader made the type, so that it can be kept to the letter."""
    return not type_.strict and parse(type_.native) == type_


def declare(type_: Type) -> tuple[Type, str]:
    """Return how SQLite holds a logical type and what is changed by it, '' for nothing.

    The result is what `parse` reads back from the declaration, and never strict.
    """
    if is_own(type_):
        return type_, ""
    declaration, note = _declaration(type_)
    return parse(declaration), note


def _with_arguments(type_: Type, numbers: list[int]) -> Type:
    if not numbers:
        return type_
    match type_.kind:
        case Kind.DECIMAL:
            scale = numbers[1] if len(numbers) > 1 else 0
            return replace(type_, precision=numbers[0], scale=scale)
        case Kind.TEXT | Kind.BLOB | Kind.BITS:
            return replace(type_, length=numbers[0])
        case Kind.TIME | Kind.TIMETZ | Kind.TIMESTAMP | Kind.TIMESTAMPTZ | Kind.DURATION:
            return replace(type_, fraction=numbers[0])
    return type_


def _declaration(type_: Type) -> tuple[str, str]:
    """Return the declaration and the note of a type that another engine described."""
    if type_.kind in _NAMES:
        size = type_.fraction if type_.length is None else type_.length
        name, note = _NAMES[type_.kind]
        return _sized(name, size), note
    by_parameters = {
        Kind.BITS: _bits,
        Kind.DECIMAL: _decimal,
        Kind.ENUM: _listed,
        Kind.INTEGER: _integer,
        Kind.JSON: _json,
        Kind.OTHER: _other,
        Kind.SET: _listed,
        Kind.TEXT: _text,
    }
    return by_parameters[type_.kind](type_)


_NAMES: Final = {
    Kind.ANY: ("", ""),
    Kind.ARRAY: ("JSONTEXT", "an array is kept as the text of a JSON array"),
    Kind.BLOB: ("BLOB", ""),
    Kind.BOOLEAN: ("BOOLEAN", ""),
    Kind.CHAR: ("CHAR", "trailing blanks count in SQLite"),
    Kind.DATE: ("DATE", ""),
    Kind.DURATION: ("DURATIONTEXT", ""),
    Kind.FLOAT: ("REAL", ""),
    Kind.INTERVAL: ("PERIODTEXT", "an interval is kept as text; it does not sort or compute"),
    Kind.TIME: ("TIME", ""),
    Kind.TIMESTAMP: ("TIMESTAMP", ""),
    Kind.TIMESTAMPTZ: ("TIMESTAMPTZ", ""),
    Kind.TIMETZ: ("TIMETZTEXT", ""),
    Kind.UUID: ("UUID", ""),
    Kind.YEAR: ("YEAR", ""),
}
"""Kinds with one name, and what is lost."""


def _sized(name: str, number: int | None) -> str:
    return name if number is None else f"{name}({number})"


def _integer(type_: Type) -> tuple[str, str]:
    bits = type_.bits or INTEGER_BITS
    if bits > INTEGER_BITS or (bits == INTEGER_BITS and type_.unsigned):
        digits = len(str(2**bits))
        return f"DECTEXT({digits},0)", f"{bits} bits are kept as text; SQLite's integers have 63"
    return "INTEGER", ""


def _listed(type_: Type) -> tuple[str, str]:
    return "TEXT", f"the values that {type_} allows are not part of the type"


def _other(type_: Type) -> tuple[str, str]:
    return "TEXT", f"{type_} is kept as text"


def _text(type_: Type) -> tuple[str, str]:
    return _sized("VARCHAR" if type_.length else "TEXT", type_.length), ""


def _json(type_: Type) -> tuple[str, str]:
    return ("JSONBTEXT" if type_.binary else "JSONTEXT"), ""


def _decimal(type_: Type) -> tuple[str, str]:
    precision, scale = type_.precision, type_.scale
    note = f"kept as text, which sorts as text: SQLite's numbers have {EXACT_DIGITS} digits"
    if precision is None:
        return "DECTEXT", note
    size = f"({precision},{scale or 0})"
    span = max(precision, scale or 0, precision - (scale or 0))
    return (f"DECIMAL{size}", "") if span <= EXACT_DIGITS else (f"DECTEXT{size}", note)


def _bits(type_: Type) -> tuple[str, str]:
    varies = "var" in type_.native.lower()
    if type_.length and type_.length < INTEGER_BITS and not varies:
        return f"BITINT({type_.length})", "bits are kept as a number"
    return _sized("BITTEXT", type_.length), "bits are kept as text of 0 and 1"
