r"""COPY text of large values, piece by piece: their text never exists as a whole.

A block of COPY text may end anywhere in a row but not in the midst of an escape.
"""

from binascii import hexlify
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from datamig_pipelines.dialects.reading import Row

if TYPE_CHECKING:
    import pyarrow as pa

PIECE: Final = 256 * 1024
LARGE: Final = 1 << 20
"""Bytes of a row from which on it is worth the trouble."""

_SAMPLED: Final = 32
_NULL: Final = b"\\N"
_ESCAPES: Final = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"))


def is_large(rows: Sequence[Row]) -> bool:
    """Say whether there are large rows among some; of many, only some are looked at."""
    sample = rows[:: max(1, len(rows) // _SAMPLED)]
    return any(_size(row) >= LARGE for row in sample)


def _size(row: Row) -> int:
    if isinstance(row, bytes):
        return len(row)
    return sum(len(cell) for cell in row if isinstance(cell, str | bytes))


def gathered(pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield pieces joined into blocks of about `PIECE` bytes."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def blob(raw: bytes | memoryview) -> Iterator[bytes]:
    """Yield the field of a blob."""
    yield b"\\\\x"
    view = memoryview(raw)
    for at in range(0, len(view), PIECE):
        yield hexlify(view[at : at + PIECE])


def text(utf8: bytes | memoryview) -> Iterator[bytes]:
    """Yield the field of a text."""
    view = memoryview(utf8)
    for at in range(0, len(view), PIECE):
        piece = bytes(view[at : at + PIECE])
        for mark, escape in _ESCAPES:
            if mark in piece:
                piece = piece.replace(mark, escape)
        yield piece


def of_columns(table: "pa.Table") -> Iterator[bytes]:
    """Yield the rows of a table as COPY text."""
    import pyarrow as pa

    binary = [pa.types.is_binary(c.type) for c in table.columns]
    strings = [pa.types.is_string(c.type) for c in table.columns]
    others = [
        None if b or s else c.cast(pa.string())
        for c, b, s in zip(table.columns, binary, strings, strict=True)
    ]
    for at in range(table.num_rows):
        for number, column in enumerate(table.columns):
            if number:
                yield b"\t"
            held = (others[number] or column)[at]
            if not held.is_valid:
                yield _NULL
            elif others[number]:
                yield held.as_py().encode()
            else:
                yield from (blob if binary[number] else text)(memoryview(held.as_buffer()))
        yield b"\n"
