"""PostgreSQL's declarations, read into logical types."""

import re
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import Kind, Type

_INTEGERS: Final = {
    "smallint": 16, "int2": 16, "smallserial": 16, "serial2": 16,
    "integer": 32, "int": 32, "int4": 32, "serial": 32, "serial4": 32,
    "bigint": 64, "int8": 64, "bigserial": 64, "serial8": 64,
}  # fmt: skip
_INTEGER_NAMES: Final = {16: "smallint", 32: "integer", 64: "bigint"}
_PLAIN: Final = {
    "boolean": Type(Kind.BOOLEAN, native="boolean"),
    "bool": Type(Kind.BOOLEAN, native="boolean"),
    "oid": Type(Kind.INTEGER, bits=32, unsigned=True, native="oid"),
    "money": Type(Kind.DECIMAL, precision=19, scale=2, native="money"),
    "real": Type(Kind.FLOAT, bits=32, native="real"),
    "float4": Type(Kind.FLOAT, bits=32, native="real"),
    "double precision": Type(Kind.FLOAT, bits=64, native="double precision"),
    "float8": Type(Kind.FLOAT, bits=64, native="double precision"),
    "text": Type(Kind.TEXT, native="text"),
    "citext": Type(Kind.TEXT, native="citext"),
    "name": Type(Kind.TEXT, length=63, native="name"),
    '"char"': Type(Kind.TEXT, length=1, native='"char"'),
    "bytea": Type(Kind.BLOB, native="bytea"),
    "date": Type(Kind.DATE, native="date"),
    "json": Type(Kind.JSON, native="json"),
    "jsonb": Type(Kind.JSON, binary=True, native="jsonb"),
    "uuid": Type(Kind.UUID, native="uuid"),
}
_TIMES: Final = {
    "time": (Kind.TIME, "time{} without time zone"),
    "time without time zone": (Kind.TIME, "time{} without time zone"),
    "timetz": (Kind.TIMETZ, "time{} with time zone"),
    "time with time zone": (Kind.TIMETZ, "time{} with time zone"),
    "timestamp": (Kind.TIMESTAMP, "timestamp{} without time zone"),
    "timestamp without time zone": (Kind.TIMESTAMP, "timestamp{} without time zone"),
    "timestamptz": (Kind.TIMESTAMPTZ, "timestamp{} with time zone"),
    "timestamp with time zone": (Kind.TIMESTAMPTZ, "timestamp{} with time zone"),
}
_TEXTS: Final = {
    "character varying": (Kind.TEXT, "character varying"),
    "varchar": (Kind.TEXT, "character varying"),
    "character": (Kind.CHAR, "character"), "char": (Kind.CHAR, "character"),
    "nchar": (Kind.CHAR, "character"), "bpchar": (Kind.CHAR, "bpchar"),
    "bit": (Kind.BITS, "bit"), "bit varying": (Kind.BITS, "bit varying"),
    "varbit": (Kind.BITS, "bit varying"),
}  # fmt: skip
_ONE_BY_DEFAULT: Final = {"character", "bit"}
_SHARED_NAMES: Final = {"point", "polygon"}  # types of other engines, too, with other values

EXTENSION_OF: Final = {
    "citext": "citext", "hstore": "hstore", "ltree": "ltree", "lquery": "ltree",
    "ltxtquery": "ltree", "cube": "cube", "vector": "vector",
}  # fmt: skip
"""Types whose extension is made in the target with the first table that needs it."""

OWN_OTHERS: Final = frozenset(
    [
        *("inet", "cidr", "macaddr", "macaddr8", "xml", "tsvector", "tsquery", "jsonpath"),
        *("pg_lsn", "txid_snapshot", "pg_snapshot", "xid", "xid8", "tid"),
        *("regclass", "regproc", "regtype"),
        *("line", "lseg", "box", "path", "circle", "pg_catalog.point", "pg_catalog.polygon"),
        *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"),
        *("int4multirange", "int8multirange", "nummultirange"),
        *("tsmultirange", "tstzmultirange", "datemultirange"),
        *("hstore", "ltree", "lquery", "ltxtquery", "cube", "vector"),
    ]
)
"""Types that only this engine has, by their own names."""

_DECLARATION: Final = re.compile(r'([a-z_"][^(]*?)\s*(?:\(([^)]*)\)\s*([a-z ]*))?', re.IGNORECASE)
_BRACKETS: Final = re.compile(r"(?:\s*\[\d*\])+$|\s+array(\s*\[\d+\])?$", re.IGNORECASE)


def parse_type(declaration: str) -> Type:
    """Return the logical type of a declaration, as a user or ``format_type`` writes it.

    ``native`` is spelt as ``format_type`` spells it; what is not built in becomes OTHER.
    """
    text = " ".join(declaration.split())
    brackets = _BRACKETS.search(text)
    if brackets:
        return array_of(parse_type(text[: brackets.start()]))
    found = _DECLARATION.fullmatch(text)
    if not found:
        return Type(Kind.OTHER, native=text)
    name = " ".join(part for part in (found[1], found[3]) if part)
    name = name if name.startswith('"') else name.lower().removeprefix("pg_catalog.")
    numbers = [int(n) for n in re.findall(r"-?\d+", found[2] or "")]
    return _built_in(name, numbers) or _other(name, text)


def array_of(element: Type) -> Type:
    """Return the array of a type."""
    return Type(Kind.ARRAY, element=element, native=f"{element.native}[]")


def _built_in(name: str, numbers: list[int]) -> Type | None:
    first = numbers[0] if numbers else None
    if name in _INTEGERS:
        bits = _INTEGERS[name]
        return Type(Kind.INTEGER, bits=bits, native=_INTEGER_NAMES[bits])
    if name in ("numeric", "decimal", "dec"):
        return _decimal(numbers)
    if name in _TIMES:
        kind, pattern = _TIMES[name]
        native = pattern.format("" if first is None else f"({first})")
        return Type(kind, fraction=6 if first is None else first, native=native)
    if name in _TEXTS:
        return _text(*_TEXTS[name], first)
    if name == "float":
        name = "real" if first is not None and first <= 24 else "float8"
    return _PLAIN.get(name)


def _decimal(numbers: list[int]) -> Type:
    if not numbers:
        return Type(Kind.DECIMAL, native="numeric")
    precision, scale = [*numbers, 0][:2]
    return Type(
        Kind.DECIMAL, precision=precision, scale=scale, native=f"numeric({precision},{scale})"
    )


def _text(kind: Kind, name: str, length: int | None) -> Type:
    if length is None and name in _ONE_BY_DEFAULT:
        length = 1
    return Type(kind, length=length, native=name if length is None else f"{name}({length})")


def _other(name: str, text: str) -> Type:
    if name.startswith("interval"):
        return Type(Kind.INTERVAL, fraction=6, native=text.lower())
    if name in _SHARED_NAMES:
        return Type(Kind.OTHER, native=f"pg_catalog.{name}")
    spelt = text.lower().removeprefix("pg_catalog.")
    return Type(Kind.OTHER, native=spelt if spelt in OWN_OTHERS else text)


def unbound(type_: Type) -> Type:
    """Return a type without its length, precision or fraction: what a literal may be cast to."""
    bare = {
        Kind.TEXT: "text", Kind.CHAR: "bpchar", Kind.BITS: "varbit",
        Kind.TIME: "time", Kind.TIMETZ: "timetz",
        Kind.TIMESTAMP: "timestamp", Kind.TIMESTAMPTZ: "timestamptz",
    }  # fmt: skip
    if type_.kind is Kind.DECIMAL and type_.native != "money":
        return replace(type_, native="numeric")
    if type_.kind in bare and type_.native not in ("citext", "name", '"char"'):
        return replace(type_, native=bare[type_.kind])
    return type_
