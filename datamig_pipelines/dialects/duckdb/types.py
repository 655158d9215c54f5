"""DuckDB's types: its declarations read, and a home for everybody else's."""

import re
from dataclasses import replace

from datamig_pipelines.catalog.types import Kind, Type

_OWN: dict[str, Type] = {
    "BOOLEAN": Type(Kind.BOOLEAN),
    "TINYINT": Type(Kind.INTEGER, bits=8),
    "SMALLINT": Type(Kind.INTEGER, bits=16),
    "INTEGER": Type(Kind.INTEGER, bits=32),
    "BIGINT": Type(Kind.INTEGER, bits=64),
    "HUGEINT": Type(Kind.INTEGER, bits=128),
    "UTINYINT": Type(Kind.INTEGER, bits=8, unsigned=True),
    "USMALLINT": Type(Kind.INTEGER, bits=16, unsigned=True),
    "UINTEGER": Type(Kind.INTEGER, bits=32, unsigned=True),
    "UBIGINT": Type(Kind.INTEGER, bits=64, unsigned=True),
    "UHUGEINT": Type(Kind.INTEGER, bits=128, unsigned=True),
    "BIGNUM": Type(Kind.DECIMAL, scale=0),
    "FLOAT": Type(Kind.FLOAT, bits=32),
    "DOUBLE": Type(Kind.FLOAT, bits=64),
    "VARCHAR": Type(Kind.TEXT),
    "BLOB": Type(Kind.BLOB),
    "BIT": Type(Kind.BITS),
    "DATE": Type(Kind.DATE),
    "TIME": Type(Kind.TIME, fraction=6),
    "TIME_NS": Type(Kind.TIME, fraction=9),
    "TIME WITH TIME ZONE": Type(Kind.TIMETZ, fraction=6),
    "TIMESTAMP": Type(Kind.TIMESTAMP, fraction=6),
    "TIMESTAMP_S": Type(Kind.TIMESTAMP, fraction=0),
    "TIMESTAMP_MS": Type(Kind.TIMESTAMP, fraction=3),
    "TIMESTAMP_NS": Type(Kind.TIMESTAMP, fraction=9),
    "TIMESTAMP WITH TIME ZONE": Type(Kind.TIMESTAMPTZ, fraction=6),
    "INTERVAL": Type(Kind.INTERVAL),
    "UUID": Type(Kind.UUID),
    "JSON": Type(Kind.JSON),
}
_ALIASES = {
    "BOOL": "BOOLEAN", "LOGICAL": "BOOLEAN", "INT1": "TINYINT", "INT2": "SMALLINT",
    "SHORT": "SMALLINT", "INT": "INTEGER", "INT4": "INTEGER", "SIGNED": "INTEGER",
    "INT8": "BIGINT", "LONG": "BIGINT", "FLOAT4": "FLOAT", "REAL": "FLOAT", "FLOAT8": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE", "TEXT": "VARCHAR", "STRING": "VARCHAR", "CHAR": "VARCHAR",
    "BPCHAR": "VARCHAR", "CHARACTER VARYING": "VARCHAR", "BYTEA": "BLOB", "BINARY": "BLOB",
    "VARBINARY": "BLOB", "BITSTRING": "BIT", "TIMETZ": "TIME WITH TIME ZONE",
    "TIME WITHOUT TIME ZONE": "TIME", "DATETIME": "TIMESTAMP", "TIMESTAMP_US": "TIMESTAMP",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "DECIMAL": "DECIMAL(18,3)", "NUMERIC": "DECIMAL(18,3)", "DEC": "DECIMAL(18,3)",
}  # fmt: skip
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC|DEC)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", re.IGNORECASE)
_TEXT = re.compile(r"(?:VARCHAR|CHAR|TEXT|STRING|CHARACTER VARYING)\s*\(\s*\d+\s*\)", re.IGNORECASE)
_COLLATED = re.compile(r"VARCHAR COLLATE \S+", re.IGNORECASE)
_ENUM = re.compile(r"ENUM\s*\((.*)\)", re.IGNORECASE | re.DOTALL)
_LIST = re.compile(r"(.*)\[(\d*)\]", re.DOTALL)
_NESTED = re.compile(r"(?:STRUCT|MAP|UNION)\(.*\)|GEOMETRY(?:\(.*\))?|VARIANT|.*\[\d*\]", re.DOTALL)
_VALUE = re.compile(r"'((?:[^']|'')*)'")

_SIZED = {Kind.INTEGER, Kind.FLOAT, Kind.TIME, Kind.TIMESTAMP}
_SIGNED = ((8, "TINYINT"), (16, "SMALLINT"), (32, "INTEGER"), (64, "BIGINT"), (128, "HUGEINT"))
_FLAT = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TEXT: "VARCHAR",
    Kind.CHAR: "VARCHAR",
    Kind.BLOB: "BLOB",
    Kind.BITS: "BIT",
    Kind.DATE: "DATE",
    Kind.DURATION: "INTERVAL",
    Kind.TIMETZ: "TIME WITH TIME ZONE",
    Kind.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
    Kind.INTERVAL: "INTERVAL",
    Kind.YEAR: "SMALLINT",
    Kind.JSON: "JSON",
    Kind.UUID: "UUID",
    Kind.ENUM: "VARCHAR",
    Kind.SET: "VARCHAR",
    Kind.ANY: "VARCHAR",
    Kind.OTHER: "VARCHAR",
}
_NOTES = {
    Kind.ENUM: "any text may be written: the list of values is not kept",
    Kind.SET: "kept as text, values separated by commas",
    Kind.ANY: "every value becomes text",
    Kind.OTHER: "kept as text: DuckDB has no such type",
    Kind.CHAR: "no fixed length: trailing blanks stay as they are",
}
ELEMENTS = frozenset(Kind) - {
    Kind.CHAR, Kind.BLOB, Kind.BITS, Kind.DURATION, Kind.YEAR, Kind.JSON, Kind.SET, Kind.ARRAY,
    Kind.ANY, Kind.OTHER,
}  # fmt: skip
"""Kinds that a list may hold and that come back out of its JSON text unchanged."""


def parse(declaration: str) -> Type | None:
    """Return the type of one of DuckDB's declarations, ``native`` in DuckDB's spelling, or None."""
    text = " ".join(declaration.split())
    name = _ALIASES.get(text.upper(), text.upper())
    if name in _OWN:
        return replace(_OWN[name], native=name)
    if match := _DECIMAL.fullmatch(name):
        precision, scale = int(match[1]), int(match[2] or 0)
        return Type(
            Kind.DECIMAL, precision=precision, scale=scale, native=f"DECIMAL({precision},{scale})"
        )
    if _TEXT.fullmatch(text):
        return Type(Kind.TEXT, native="VARCHAR")
    if _COLLATED.fullmatch(text):
        return Type(Kind.TEXT, native=text)
    if match := _ENUM.fullmatch(declaration.strip()):
        values = tuple(v.replace("''", "'") for v in _VALUE.findall(match[1]))
        written = ", ".join("'" + v.replace("'", "''") + "'" for v in values)
        return Type(Kind.ENUM, values=values, native=f"ENUM({written})")
    return _parse_nested(declaration.strip())


def _parse_nested(declaration: str) -> Type | None:
    if match := _LIST.fullmatch(declaration):
        element = parse(match[1])
        if element is not None and element.kind in ELEMENTS:
            native = f"{element.native}[{match[2]}]"
            return Type(Kind.ARRAY, element=element, native=native)
    if _NESTED.fullmatch(declaration):
        return Type(Kind.OTHER, native=declaration)
    return None


def is_own(type_: Type) -> bool:
    """Say whether a type is one that this module's `parse` made or would make."""
    own = parse(type_.native) if type_.native else None
    return own is not None and own.same_as(type_) and own.native == type_.native


def declare(type_: Type) -> tuple[Type, str]:
    """Return the column that holds a logical type, and what is lost or changed by it.

    The kind of the result is what the column really is: a foreign enum becomes ``TEXT``, MySQL's
    TIME an ``INTERVAL``, a year an ``INTEGER``.
    """
    if type_.native == "VARIANT":
        return _named("JSON"), "kept as JSON"
    own = parse(type_.native) if type_.native else None
    if own is not None and own.same_as(type_) and (own.precision or 0) <= 38:
        return own, ""
    if type_.kind is Kind.DECIMAL:
        return _decimal(type_)
    if type_.kind is Kind.ARRAY:
        return _array(type_)
    if type_.kind in _SIZED:
        return _named(_sized(type_)), ""
    note = _NOTES.get(type_.kind, "")
    if type_.kind is Kind.TEXT and type_.length is not None:
        note = "the length is not enforced"
    return _named(_FLAT[type_.kind]), note


def _named(name: str) -> Type:
    return replace(_OWN[name], native=name)


def _sized(type_: Type) -> str:
    if type_.kind is Kind.FLOAT:
        return "FLOAT" if type_.bits == 32 and type_.strict else "DOUBLE"
    if type_.kind is not Kind.INTEGER:
        return f"{type_.kind.value.upper()}{'_NS' if (type_.fraction or 0) > 6 else ''}"
    bits = (type_.bits or 64) if type_.strict else max(type_.bits or 64, 64)
    name = next((name for limit, name in _SIGNED if bits <= limit), "HUGEINT")
    return f"U{name}" if type_.unsigned else name


def _decimal(type_: Type) -> tuple[Type, str]:
    if type_.precision is None and not type_.strict:
        # SQLite keeps such numbers as integers or doubles; the fingerprint finds any other.
        return _named(
            "DOUBLE"
        ), "a number without bounds becomes a double; the proofs tell if one changes"
    if type_.precision is None:
        return _named("VARCHAR"), "a number without bounds is kept as text; give it a cast"
    scale = type_.scale or 0
    precision = max(type_.precision - min(scale, 0), scale)
    if precision > 38:
        return _named("VARCHAR"), "more than 38 digits: kept as text; give it a cast"
    native = f"DECIMAL({precision},{max(scale, 0)})"
    return Type(Kind.DECIMAL, precision=precision, scale=max(scale, 0), native=native), ""


def _array(type_: Type) -> tuple[Type, str]:
    if type_.element is not None:
        element, note = declare(type_.element)
        exact = element.kind is not Kind.TEXT or type_.element.kind in {
            Kind.TEXT,
            Kind.CHAR,
            Kind.ENUM,
        }
        if element.kind in ELEMENTS and exact:
            return Type(Kind.ARRAY, element=element, native=f"{element.native}[]"), note
    return _named("JSON"), "a list of these is kept as JSON"
