"""The SELECT of an ordered stream, and how it goes on after a key."""

import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql.canonical import canonical
from datamig_pipelines.dialects.mysql.names import literal
from datamig_pipelines.dialects.mysql.rendering import (
    cell,
    cell_kind,
    client_field,
    client_renders,
    copy_field,
    raw_field,
)
from datamig_pipelines.dialects.mysql.types import ADDRESSES, base_name
from datamig_pipelines.dialects.reading import Cell, Compared, KeyPart, Projection, Read
from datamig_pipelines.errors import KeyUnsupportedError, NotYetError

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_HEX: Final = re.compile(r"([0-9a-fA-F]{2})*")

DECODERS: Final[dict[Kind, Callable[[bytes], Cell]]] = {
    Kind.INTEGER: int,
    Kind.FLOAT: float,
    Kind.BLOB: bytes,
    Kind.TEXT: bytes.decode,
}
"""From the bytes on the wire to a cell, by `cell_kind`."""


def select(read: Read, table: str) -> str:
    """Return the SELECT of a stream over a quoted table."""
    read.refuse_pages()
    for part in read.key:
        _check(part)
    if read.wire is Wire.COPY_TEXT:
        columns = ", ".join(_piece(p) for p in _pieces(read))
    elif read.wire is Wire.CELLS:
        shown = [cell(c) for c in read.columns]
        hidden = [canonical(Compared(p.sql, p.type, p.type.kind)) for p in read.key]
        columns = ", ".join([*shown, *hidden])
    else:
        raise NotYetError(
            f"MySQL/MariaDB is not read on the wire {read.wire}", hint="use copy_text or cells."
        )
    own_order = "" if read.key else " USE INDEX ()"  # no index: rows as the table itself has them
    return f"SELECT {columns} FROM {table}{own_order}{_where(read)}{_order(read)}"


def cell_decoders(read: Read) -> tuple[Callable[[bytes], Cell], ...]:
    """Return one decoder per cell of a row, those of the hidden key included."""
    shown = tuple(DECODERS[cell_kind(c)] for c in read.columns)
    return shown + (DECODERS[Kind.TEXT],) * len(read.key)


def piece_decoders(read: Read) -> tuple[Callable[[bytes], bytes] | None, ...]:
    """Return one decoder per piece of a COPY line; None where the server wrote it."""
    return tuple(
        client_field(piece[0]) if client_renders(piece[0]) else None for piece in _pieces(read)
    )


def _pieces(read: Read) -> list[list[Projection]]:
    """Return the columns of a COPY line in pieces: one that the client writes, or many."""
    pieces: list[list[Projection]] = []
    for by_client, group in groupby(read.columns, key=client_renders):
        columns = list(group)
        pieces += [[c] for c in columns] if by_client else [columns]
    return pieces


def _piece(piece: list[Projection]) -> str:
    if client_renders(piece[0]):
        return raw_field(piece[0])
    tab = ", " + literal("\t") + ", "
    return f"CONCAT({tab.join(copy_field(c) for c in piece)})"


def _where(read: Read) -> str:
    parts = [f"({read.where})"] if read.where else []
    if within := in_range(read.key, read.after, read.upto):
        parts.append(within)
    if read.exactly is not None:
        pairs = zip(read.key, read.exactly, strict=True)
        parts += [f"{compared(p)} = {key_value(p, v)}" for p, v in pairs]
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def _order(read: Read) -> str:
    return f" ORDER BY {', '.join(p.sql for p in read.key)}" if read.key else ""


def in_range(
    key: Sequence[KeyPart], after: tuple[str, ...] | None, upto: tuple[str, ...] | None
) -> str:
    """Return the condition of the keys between two others; see `Dialect.in_range`."""
    bounds = [(">", after), ("<", upto)] if key else []
    return " AND ".join(_beyond(key, sign, b) for sign, b in bounds if b is not None)


def _beyond(key: Sequence[KeyPart], sign: str, bound: tuple[str, ...]) -> str:
    """Return the condition of all keys behind (``>``), or before (``<``) and at, a key.

    Several columns are spelt out: rows are not compared by the index. The first bound is for it.
    """
    columns = [compared(p) for p in key]
    values = [key_value(p, v) for p, v in zip(key, bound, strict=True)]
    ways = []
    for last in range(len(columns)):
        equal = [f"{columns[i]} = {values[i]}" for i in range(last)]
        at_end = "=" if sign == "<" and last == len(columns) - 1 else ""
        ways.append(" AND ".join([*equal, f"{columns[last]} {sign}{at_end} {values[last]}"]))
    if len(ways) == 1:
        return ways[0]
    alternatives = " OR ".join(f"({w})" for w in ways)
    return f"{columns[0]} {sign}= {values[0]} AND ({alternatives})"


def compared(part: KeyPart) -> str:
    """Return the key column as it is compared: ENUM and SET by number, as ORDER BY sorts them."""
    return f"({part.sql} + 0)" if part.type.kind in (Kind.ENUM, Kind.SET, Kind.BITS) else part.sql


def key_value(part: KeyPart, value: str) -> str:
    """Return a literal of the key column's own type for the text of a key.

    Both the canonical text and the text of a rendered column are understood.

    Raises:
        KeyUnsupportedError: The text is no value of the type.
    """
    kind = part.type.kind
    if kind in _LITERALS:
        return _LITERALS[kind](part, value)
    if kind in (Kind.TEXT, Kind.CHAR):
        return literal(value)
    if kind is Kind.OTHER:
        return f"CAST({literal(value)} AS {base_name(part.type).upper()})"
    raise _unsupported(part)


def _number(part: KeyPart, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise _misfit(part, value)
    return value


def _hex(part: KeyPart, value: str) -> str:
    digits = value.removeprefix("\\x")
    if not _HEX.fullmatch(digits):
        raise _misfit(part, value)
    return f"X'{digits}'"


def _bits(part: KeyPart, value: str) -> str:
    if not re.fullmatch("[01]+", value):
        raise _misfit(part, value)
    return str(int(value, 2))


def _enum(part: KeyPart, value: str) -> str:
    """Return the number of an enum's value; '' is the number 0 of an invalid one."""
    if value in part.type.values:
        return str(part.type.values.index(value) + 1)
    if value:
        raise _misfit(part, value)
    return "0"


def _set(part: KeyPart, value: str) -> str:
    members = value.split(",") if value else []
    if any(m not in part.type.values for m in members):
        raise _misfit(part, value)
    return str(sum(1 << part.type.values.index(m) for m in members))


def _cast(as_type: str) -> Callable[[KeyPart, str], str]:
    return lambda _, value: f"CAST({literal(value.removesuffix('+00'))} AS {as_type})"


_LITERALS: Final[dict[Kind, Callable[[KeyPart, str], str]]] = {
    Kind.INTEGER: _number,
    Kind.YEAR: _number,
    Kind.DECIMAL: _number,
    Kind.BLOB: _hex,
    Kind.BITS: _bits,
    Kind.ENUM: _enum,
    Kind.SET: _set,
    Kind.DATE: _cast("DATE"),
    Kind.TIMESTAMP: _cast("DATETIME(6)"),
    Kind.TIMESTAMPTZ: _cast("DATETIME(6)"),
    Kind.DURATION: _cast("TIME(6)"),
    Kind.UUID: _cast("UUID"),
}


def _check(part: KeyPart) -> None:
    kind = part.type.kind
    address = kind is Kind.OTHER and base_name(part.type) in ADDRESSES
    if kind not in _LITERALS and kind not in (Kind.TEXT, Kind.CHAR) and not address:
        raise _unsupported(part)


def _unsupported(part: KeyPart) -> KeyUnsupportedError:
    kind: Type = part.type
    return KeyUnsupportedError(
        f"a {kind} cannot be the key that MySQL is read in order of ({part.sql})",
        hint="name another unique key of the table, or let it be read without a key.",
    )


def _misfit(part: KeyPart, value: str) -> KeyUnsupportedError:
    return KeyUnsupportedError(
        f"{value!r} is no value of the key {part.sql} ({part.type})",
        hint="the column's type was changed since the run began: start a new run.",
    )
