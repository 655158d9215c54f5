"""Looks into single rows of a wire: their key for the ledger, their values for a reject."""

import marshal
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import xxhash

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.dialects.reading import Cell, Row
from datamig_pipelines.transfer.lines import digest
from datamig_pipelines.transfer.pieces import is_large
from datamig_pipelines.transfer.route import Route

_TOGETHER = 1_000  # rows
_LIST_HEAD = 5  # bytes of a list's head in marshal's format: its mark, its length
_CSV_FIELD = re.compile(r'"[^"]*(?:""[^"]*)*"|[^,]*')
_UNESCAPE = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescape(field: bytes) -> str | None:
    r"""Return the value of one field of COPY text, None for ``\N``."""
    return unescaped(field.decode("utf-8", "surrogateescape"))


def unescaped(text: str) -> str | None:
    r"""Return the value of one field of COPY text that is decoded, None for ``\N``."""
    if "\\" not in text:
        return text
    if text == "\\N":
        return None
    parts = text.split("\\")
    out = [parts[0]]
    index = 1
    while index < len(parts):
        part = parts[index]
        if part:
            out.append(_UNESCAPE.get(part[0], part[0]) + part[1:])
        elif index + 1 < len(parts):  # an escaped backslash
            out.append("\\" + parts[index + 1])
            index += 1
        index += 1
    return "".join(out)


def split_text(line: bytes) -> list[str | None]:
    """Return the values of one line of COPY text."""
    return [unescape(f) for f in line.rstrip(b"\n").split(b"\t")]


def split_csv(line: bytes) -> list[str | None]:
    """Return the values of one line of COPY CSV with FORCE_QUOTE: all but NULL stand in quotes.

    Python's csv reader would refuse fields of 128 KiB and cannot tell NULL from an empty text.
    """
    text = line.removesuffix(b"\n").decode("utf-8", "surrogateescape")
    fields: list[str | None] = []
    place = 0
    while place <= len(text):
        found = _CSV_FIELD.match(text, place)
        assert found is not None  # noqa: S101 (the pattern matches nothing at all, too)
        quoted = found[0].startswith('"')
        fields.append(found[0][1:-1].replace('""', '"') if quoted else found[0] or None)
        place = found.end() + 1
    return fields


def split_binary(row: bytes) -> list[bytes | None]:
    """Return the raw fields of one row of COPY binary."""
    (count,) = struct.unpack_from("!h", row)
    place, fields = 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", row, place)
        place += 4
        fields.append(None if size < 0 else row[place : place + size])
        place += max(size, 0)
    return fields


def binary_key(field: bytes, type_: Type) -> str:
    """Return the canonical text of a key column of COPY binary (integer, uuid or text)."""
    if type_.kind is Kind.INTEGER:
        return str(int.from_bytes(field, "big", signed=not type_.unsigned))
    if type_.kind is Kind.UUID:
        return str(UUID(bytes=field))
    return field.decode("utf-8")


BINARY_KEYS = (Kind.INTEGER, Kind.UUID, Kind.TEXT)


def cell_text(cell: Cell) -> str:
    """Return a cell as the ledger keeps it."""
    return cell.hex() if isinstance(cell, bytes) else str(cell)


@dataclass(frozen=True)
class Lens:
    """Looks into the rows of a route's wire.

    ``key`` and ``values`` are of the row at an index, ``picked`` the rows at some indexes, in
    order. ``digest`` is 32 hex digits over everything that the rows brought: equal rows read in an
    equal order have an equal digest in every process.
    """

    key: Callable[[Sequence[Row], int], tuple[str, ...]]
    values: Callable[[Sequence[Row], int], list[str | None]]
    picked: Callable[[Sequence[Row], Sequence[int]], Sequence[Row]]
    digest: Callable[[Sequence[Row]], str]


def lens(route: Route) -> Lens:
    """Return the lens for a route's wire."""
    if route.sends in (Wire.CELLS, Wire.ARROW):
        width = len(route.columns)
        arrow = route.sends is Wire.ARROW
        return Lens(
            key=lambda rows, at: tuple(cell_text(c) for c in rows[at][width:]),
            values=lambda rows, at: [None if c is None else cell_text(c) for c in rows[at][:width]],
            picked=_listed,
            digest=(lambda rows: digest(rows, width)) if arrow else _cells_digest,
        )
    key, values = _framed(route)
    return Lens(
        key=lambda rows, at: key(_bytes(rows[at])),
        values=lambda rows, at: values(_bytes(rows[at])),
        picked=_listed,
        digest=_framed_digest,
    )


def _framed(
    route: Route,
) -> tuple[Callable[[bytes], tuple[str, ...]], Callable[[bytes], list[str | None]]]:
    """Return what reads the key and the values of one framed row."""
    at = [next(i for i, c in enumerate(route.columns) if c.sql == part.sql) for part in route.key]
    if route.sends is Wire.COPY_BINARY:
        kinds = [part.type for part in route.key]
        return (
            lambda row: _binary_keys(row, at, kinds),
            lambda row: [None if f is None else f.hex() for f in split_binary(row)],
        )
    split = split_text if route.sends is Wire.COPY_TEXT else split_csv
    return lambda row: _picked(split(row), at), split


def _listed(rows: Sequence[Row], indexes: Sequence[int]) -> Sequence[Row]:
    if isinstance(rows, Columns):
        return rows.picked(indexes)
    return [rows[i] for i in indexes]


def _framed_digest(rows: Sequence[Row]) -> str:
    made = xxhash.xxh3_128()
    for part in _some(rows):
        made.update(part[0] if len(part) == 1 else b"".join(part))  # type: ignore[arg-type]
    return made.hexdigest()


def _cells_digest(rows: Sequence[Row]) -> str:
    """Return the digest of cells; marshal's version 2 knows no references, so it is stable."""
    made = xxhash.xxh3_128(b"[" + struct.pack("<i", len(rows)))
    for part in _some(rows):
        made.update(memoryview(marshal.dumps(list(part), 2))[_LIST_HEAD:])
    return made.hexdigest()


def _some(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Yield rows, some at a time: what is digested together exists once more meanwhile."""
    step = 1 if is_large(rows) else _TOGETHER
    for at in range(0, len(rows), step):
        yield rows[at : at + step]


def _bytes(row: Row) -> bytes:
    assert isinstance(row, bytes)  # noqa: S101 (the wire says so; narrows the type)
    return row


def _picked(values: list[str | None], at: list[int]) -> tuple[str, ...]:
    return tuple(values[i] or "" for i in at)


def _binary_keys(row: bytes, at: list[int], types: list[Type]) -> tuple[str, ...]:
    fields = split_binary(row)
    return tuple(binary_key(fields[i] or b"", t) for i, t in zip(at, types, strict=True))
