"""Between MySQL's declarations and logical types."""

import re
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.errors import TypeUnsupportedError

INTEGER_BITS: Final = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
_STRINGS: Final[dict[str, tuple[Kind, bool, int | None]]] = {
    "char": (Kind.CHAR, True, 1),
    "varchar": (Kind.TEXT, True, None),
    "binary": (Kind.BLOB, True, 1),
    "varbinary": (Kind.BLOB, True, None),
    "bit": (Kind.BITS, True, 1),
    **dict.fromkeys(("tinytext", "text", "mediumtext", "longtext"), (Kind.TEXT, False, None)),
    **dict.fromkeys(("tinyblob", "blob", "mediumblob", "longblob"), (Kind.BLOB, False, None)),
}
"""Kind, whether the number in parentheses is its length, and the length where there is none."""

_SIZE_BITS: Final = (
    dict.fromkeys(("tinytext", "tinyblob"), 8)
    | dict.fromkeys(("text", "blob"), 16)
    | dict.fromkeys(("mediumtext", "mediumblob"), 24)
    | {"uuid": 128}
)
"""In how many bits a length in bytes is counted (the LONG types hold whatever comes); a UUID's.

They tell TEXT of 64 KiB, and a UUID that RFC 4122 must know, from what others call so.
"""

_TIMES: Final = {
    "datetime": Kind.TIMESTAMP,
    "timestamp": Kind.TIMESTAMPTZ,
    "time": Kind.DURATION,
}
_PLAIN: Final = {"date": Kind.DATE, "year": Kind.YEAR, "json": Kind.JSON, "uuid": Kind.UUID}
_ALIASES: Final = {
    "bool": "tinyint(1)",
    "boolean": "tinyint(1)",
    "integer": "int",
    "int1": "tinyint",
    "int2": "smallint",
    "int3": "mediumint",
    "int4": "int",
    "int8": "bigint",
    "serial": "bigint unsigned",
    "dec": "decimal",
    "numeric": "decimal",
    "fixed": "decimal",
    "real": "double",
    "double precision": "double",
    "float4": "float",
    "float8": "double",
    "character": "char",
    "nchar": "char",
    "nvarchar": "varchar",
    "character varying": "varchar",
    "long": "mediumtext",
}
GEOMETRIES: Final = frozenset(
    {
        "geometry",
        "geometrycollection",
        "geomcollection",
        "linestring",
        "multilinestring",
        "multipoint",
        "multipolygon",
        "point",
        "polygon",
    }
)
ADDRESSES: Final = frozenset({"inet4", "inet6"})

COLUMN_TYPE_WORDS: Final = frozenset(
    {*INTEGER_BITS, *_STRINGS, *_TIMES, *_PLAIN, *GEOMETRIES, *ADDRESSES}
    | {"decimal", "float", "double", "enum", "set"}
)
"""First words of ``information_schema.columns.column_type``, which knows no aliases."""

_DECLARATION: Final = re.compile(
    r"\s*(?P<base>[a-z][a-z0-9]*(?: precision| varying)?)\s*(?:\((?P<size>.*)\))?(?P<rest>[^()]*)$",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED: Final = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "Z": "\x1a"}


def unquote(text: str) -> str:
    """Return what stands inside of a string literal: doubled quotes and backslashes resolved."""
    return re.sub(
        r"''|\\(.)",
        lambda m: "'" if m.group(1) is None else _ESCAPES.get(m.group(1), m.group(1)),
        text,
        flags=re.DOTALL,
    )


def parse_type(declaration: str) -> Type:
    """Return the logical type of a declaration, as COLUMN_TYPE has it or as a user writes it.

    Raises:
        TypeUnsupportedError: It is no declaration of MySQL.
    """
    base, size, rest = _split(declaration)
    native = declaration.strip()
    numbers = [int(n) for n in re.findall(r"\d+", size)] if "'" not in size else []
    if base in INTEGER_BITS:
        return Type(Kind.INTEGER, bits=INTEGER_BITS[base], unsigned=_unsigned(rest), native=native)
    if base == "decimal":
        precision, scale = ([*numbers, 0] if numbers else [10, 0])[:2]
        return Type(Kind.DECIMAL, precision=precision, scale=scale, native=native)
    if base in ("float", "double"):
        wide = base == "double" or (len(numbers) == 1 and numbers[0] > 24)
        return Type(Kind.FLOAT, bits=64 if wide else 32, native=native)
    if base in ("enum", "set"):
        values = tuple(unquote(v) for v in _QUOTED.findall(size))
        return Type(Kind(base), values=values, native=native)
    return _sized(base, numbers[0] if numbers else None, native)


def _split(declaration: str) -> tuple[str, str, str]:
    found = _DECLARATION.match(declaration)
    if not found:
        raise _unknown(declaration)
    base, size, rest = found["base"].lower(), found["size"] or "", found["rest"].lower()
    alias = _ALIASES.get(base)
    if alias is None:
        return base, size, rest
    name, aliased, tail = _split(alias)
    return name, size or aliased, f"{tail} {rest}"


def _sized(base: str, number: int | None, native: str) -> Type:
    """Return the types with one number at most: lengths and fractions of a second."""
    if base in _TIMES:
        return Type(_TIMES[base], fraction=number or 0, native=native)
    if base in _PLAIN:
        return Type(_PLAIN[base], bits=_SIZE_BITS.get(base), native=native)
    if base in _STRINGS:
        kind, measured, least = _STRINGS[base]
        length = (least if number is None else number) if measured else None
        return Type(kind, bits=_SIZE_BITS.get(base), length=length, native=native)
    if base in GEOMETRIES | ADDRESSES:
        return Type(Kind.OTHER, native=native)
    raise _unknown(native)


def column_type(declaration: str, *, json: bool, collation: str = "") -> Type:
    """Return the type of a column of the catalog; what nobody knows becomes OTHER.

    Args:
        declaration: ``information_schema.columns.column_type``.
        json: The column has MariaDB's implicit check ``json_valid``.
        collation: The column's collation where it is not its database's or does not pad, else ''.
    """
    if json:
        return Type(Kind.JSON, native="json")
    try:
        return parse_type(f"{declaration} COLLATE {collation}" if collation else declaration)
    except TypeUnsupportedError:
        return Type(Kind.OTHER, native=declaration)


def base_name(type_: Type) -> str:
    """Return the first word of the native declaration, lower case."""
    found = re.match(r"\s*(\w+)", type_.native)
    return found[1].lower() if found else ""


def zerofilled(type_: Type) -> bool:
    """Say whether the server pads the number's text with zeros."""
    return "zerofill" in type_.native.lower()


def _unsigned(rest: str) -> bool:
    return "unsigned" in rest or "zerofill" in rest


def _unknown(declaration: str) -> TypeUnsupportedError:
    return TypeUnsupportedError(
        f"MySQL has no type {declaration!r}",
        hint="write it as CREATE TABLE would: int unsigned, decimal(12,2), varchar(40), ...",
    )
