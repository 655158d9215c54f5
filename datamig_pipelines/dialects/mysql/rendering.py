r"""SQL that turns a value into the text or the cell that leaves the server.

Everything is utf8mb4. ``CONVERT(x USING utf8mb4)`` stands around text because two columns of
different character sets or collations cannot be put into one CONCAT otherwise.
"""

from binascii import hexlify
from collections.abc import Callable
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.mysql.names import literal
from datamig_pipelines.dialects.mysql.types import (
    ADDRESSES,
    GEOMETRIES,
    base_name,
    zerofilled,
)
from datamig_pipelines.dialects.reading import Projection
from datamig_pipelines.errors import TypeUnsupportedError

_LONG: Final = frozenset({Kind.TEXT, Kind.JSON, Kind.BLOB, Kind.ANY, Kind.INTERVAL, Kind.ARRAY})
_ESCAPING: Final = frozenset({*_LONG, Kind.CHAR, Kind.ENUM, Kind.SET} - {Kind.BLOB})
_SHORT: Final = 255
BYTEA: Final = rb"\\x"
_MOMENTS: Final = frozenset({Kind.DATE, Kind.TIME, Kind.TIMETZ, Kind.TIMESTAMP, Kind.DURATION})
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.YEAR, Kind.DECIMAL, Kind.FLOAT})
_TRUTHS: Final = frozenset({Kind.BOOLEAN, Kind.INTEGER, Kind.YEAR, Kind.BITS})
_COUNTS: Final = frozenset({Kind.BOOLEAN, Kind.BITS, Kind.YEAR})
_ESCAPED: Final = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_ESCAPED_BYTES: Final = tuple((raw.encode(), sign.encode()) for raw, sign in _ESCAPED)


def number(sql: str, held: Type) -> str:
    """Return SQL of a number without the padding, or the bit pattern, that its text would have."""
    if held.kind is Kind.FLOAT:
        return f"({sql}) * 1e0"  # FLOAT's own text has six digits only; so has FLOAT(7,2) two
    if held.kind in _COUNTS or zerofilled(held):
        return f"({sql}) + 0"
    return sql


def text(sql: str, held: Type, into: Type) -> str:
    """Return SQL of a value's text in utf8mb4, NULL for NULL.

    Args:
        sql: An expression.
        held: What it yields.
        into: What the target column holds; the text is made to be read by that.
    """
    as_number = into.kind in _NUMBERS
    if held.kind in _TRUTHS and into.kind is Kind.BOOLEAN:
        return truth(sql)
    if held.kind is Kind.BOOLEAN and not as_number:
        return truth(sql)
    if held.kind is Kind.BITS and not as_number:
        return f"LPAD(BIN({sql}), {held.length or 1}, '0')"
    if held.kind in _NUMBERS or held.kind in _TRUTHS:
        return f"CAST({number(sql, held)} AS CHAR)"
    return _WORDS.get(held.kind, _converted)(sql, held, into)


def _converted(sql: str, _: Type, __: Type) -> str:
    return f"CONVERT({sql} USING utf8mb4)"


def _cast(sql: str, _: Type, __: Type) -> str:
    return f"CAST({sql} AS CHAR)"


def _hex(sql: str, _: Type, into: Type) -> str:
    prefix = "" if into.kind is Kind.UUID else literal("\\x") + ", "
    return f"CONCAT({prefix}LOWER(HEX({sql})))"


def _instant(sql: str, _: Type, into: Type) -> str:
    return f"CAST({sql} AS CHAR)" if into.kind in _MOMENTS else f"CONCAT({sql}, '+00')"


def _other(sql: str, held: Type, into: Type) -> str:
    name = base_name(held)
    if name in GEOMETRIES and base_name(into) in GEOMETRIES:
        return f"HEX({sql})"  # as it is stored, its SRID included
    if name in GEOMETRIES:
        return f"CONVERT(ST_AsText({sql}) USING utf8mb4)"
    if name in ADDRESSES or not name:
        return f"CAST({sql} AS CHAR)"
    raise TypeUnsupportedError(
        f"values of the type {held.native} cannot be read as text",
        hint="exclude the column, or give it an expression that yields text.",
    )


_WORDS: Final[dict[Kind, Callable[[str, Type, Type], str]]] = {
    **dict.fromkeys(_MOMENTS, _cast),
    Kind.UUID: _cast,
    Kind.BLOB: _hex,
    Kind.TIMESTAMPTZ: _instant,
    Kind.OTHER: _other,
}


def truth(sql: str) -> str:
    """Return SQL of ``true`` for 1 and ``false`` for 0; any other number stays what it is."""
    bare = f"({sql}) + 0"
    return f"CASE {bare} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST({bare} AS CHAR) END"


def client_renders(projection: Projection) -> bool:
    """Say whether the value travels raw and is written into the COPY line by the client.

    The server's REPLACE moves the rest of the text at every hit, which is quadratic: a megabyte of
    short lines takes it seconds. And what it renders may not exceed ``max_allowed_packet``.
    """
    held = projection.type
    long = held.length is None or held.length > _SHORT
    return long and held.kind in _LONG


def copy_field(projection: Projection) -> str:
    r"""Return SQL of one field of a PostgreSQL COPY text line, ``\N`` for NULL.

    What outgrows ``max_allowed_packet`` (the server gives NULL for it) is never taken for NULL:
    the IF asks the value itself, and the CONCAT of the line becomes NULL as a whole.
    """
    sql, held, into = projection.sql, projection.type, projection.into
    null = literal("\\N")
    if held.kind is Kind.BLOB:
        prefix = "" if into.kind is Kind.UUID else literal("\\\\x") + ", "
        digits = f"HEX({sql})" if into.kind in (Kind.BLOB, Kind.UUID) else f"LOWER(HEX({sql}))"
        return f"IF({sql} IS NULL, {null}, CONCAT({prefix}{digits}))"
    cell = text(sql, held, into)
    if held.kind in _ESCAPING:
        # As bytes: REPLACE is twice as fast, and no collation can call a tab equal to nothing.
        cell = f"CAST({cell} AS BINARY)"
        for raw, escaped in _ESCAPED:
            cell = f"REPLACE({cell}, {literal(raw)}, {literal(escaped)})"
    elif held.kind is not Kind.OTHER:
        return f"IFNULL({cell}, {null})"
    return f"IF({sql} IS NULL, {null}, {cell})"


def raw_field(projection: Projection) -> str:
    """Return SQL of a value that the client writes into the COPY line."""
    if projection.type.kind is Kind.BLOB:
        return projection.sql
    return text(projection.sql, projection.type, projection.into)


def client_field(projection: Projection) -> Callable[[bytes], bytes]:
    """Return what makes a field of a COPY line out of the bytes of `raw_field`."""
    if projection.type.kind is not Kind.BLOB:
        return escaped
    return hexlify if projection.into.kind is Kind.UUID else bytea


def escaped(value: bytes) -> bytes:
    """Return a text as it stands in a COPY line."""
    for raw, sign in _ESCAPED_BYTES:
        if raw in value:
            value = value.replace(raw, sign)
    return value


def bytea(value: bytes) -> bytes:
    """Return a blob as it stands in a COPY line."""
    return BYTEA + hexlify(value)


def cell(projection: Projection) -> str:
    """Return SQL of one cell: integers, floats and bytes as they are, everything else as text."""
    sql, held, into = projection.sql, projection.type, projection.into
    if cell_kind(projection) in (Kind.INTEGER, Kind.FLOAT):
        return number(sql, held)
    if cell_kind(projection) is Kind.BLOB:
        return sql
    return text(sql, held, into)


def cell_kind(projection: Projection) -> Kind:
    """Return INTEGER, FLOAT, BLOB or TEXT: how a cell of this column leaves the server."""
    held, into = projection.type.kind, projection.into.kind
    if into is Kind.BOOLEAN and held in _TRUTHS:
        return Kind.TEXT
    if held in (Kind.INTEGER, Kind.YEAR):
        return Kind.INTEGER
    if held in (Kind.BITS, Kind.BOOLEAN) and into in (Kind.INTEGER, Kind.YEAR):
        return Kind.INTEGER
    if held is Kind.FLOAT:
        return Kind.FLOAT
    if held is Kind.BLOB and into is not Kind.UUID:
        return Kind.BLOB
    return Kind.TEXT
