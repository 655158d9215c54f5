"""Turns rows of one wire into the payload of another.

Source renders, target parses: where both wires are the same nothing is touched but the framing.
"""

import re
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.dialects.reading import Cell, Projection, Row
from datamig_pipelines.errors import RefusedError
from datamig_pipelines.transfer import pieces
from datamig_pipelines.transfer.arrow import arrow_type, csv_to_arrow
from datamig_pipelines.transfer.lines import copy_lines
from datamig_pipelines.transfer.pieces import is_large
from datamig_pipelines.transfer.route import Route
from datamig_pipelines.transfer.rows import split_text, unescape, unescaped

if TYPE_CHECKING:
    import pyarrow as pa

Encoder = Callable[[Sequence[Row]], Any]

COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_SPECIAL = re.compile(r"[\\\n\r\t]")
_TOGETHER = 1_000  # rows
_BLOCK_BYTES = 1 << 20
_FRACTION = re.compile(r"\s*[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"[+-]?[0-9]+")


def encoder(route: Route) -> Encoder:
    """Return the function that encodes a batch of a route without a transform."""
    if route.sends is route.takes and route.sends in (Wire.COPY_TEXT, Wire.COPY_BINARY):
        return blocks
    return _ENCODERS[route.sends, route.takes](route.columns)


def cells_encoder(columns: Sequence[Projection], takes: Wire) -> Encoder:
    """Return the function that encodes cells for a target's wire."""
    return _ENCODERS[Wire.CELLS, takes](columns)


def pairs() -> set[tuple[Wire, Wire]]:
    """Return the pairs of wires that can be joined."""
    same = {(w, w) for w in (Wire.COPY_BINARY, Wire.COPY_TEXT)}
    return set(_ENCODERS) | same


def blocks(rows: Sequence[Row]) -> Sequence[bytes]:
    """Return framed rows joined into blocks of `_TOGETHER` rows, large ones as they are."""
    if is_large(rows):
        return rows  # type: ignore[return-value]
    parts = (rows[i : i + _TOGETHER] for i in range(0, len(rows), _TOGETHER))
    return [b"".join(part) for part in parts]  # type: ignore[arg-type]


def _copy_cell(column: Projection) -> Callable[[Cell], str]:
    if column.into.kind is Kind.BLOB:
        return _copy_blob
    if column.into.kind in (Kind.INTEGER, Kind.YEAR):
        return _copy_whole
    if column.type.kind in (Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.UUID):
        return _copy_plain
    return _copy_text


def _copy_plain(cell: Cell) -> str:
    if cell is None:
        return "\\N"
    return str(cell) if isinstance(cell, int) else _copy_text(cell)


def _copy_whole(cell: Cell) -> str:
    """Return an integer's field. A fraction is refused here: MySQL would round it in silence."""
    if isinstance(cell, int):
        return str(cell)
    text = _copy_text(cell)
    if _FRACTION.fullmatch(text):
        msg = f'invalid input syntax for type integer: "{text}"'
        raise RefusedError(msg, hint="Mend it in the source, or cast the column to another type.")
    return text


def _copy_text(cell: Cell) -> str:
    if cell is None:
        return "\\N"
    if isinstance(cell, bytes):
        raise _no_text(cell)
    if isinstance(cell, float):
        return repr(cell)
    return str(cell).translate(COPY_ESCAPES)


_AS_TEXT = (_copy_text, _copy_plain)


def _no_text(cell: bytes) -> RefusedError:
    """Return the refusal of bytes in no blob column: a reader's word for "no such value"."""
    msg = f"a value that is not what its column declares, or no UTF-8: {cell[:40]!r}"
    return RefusedError(
        msg, hint="Mend it in the source, or give the column another type with a cast rule."
    )


def _copy_blob(cell: Cell) -> str:
    if cell is None:
        return "\\N"
    raw = cell if isinstance(cell, bytes) else str(cell).encode()
    return "\\\\x" + raw.hex()


def _cells_to_text(columns: Sequence[Projection]) -> Encoder:
    formats = [_copy_cell(c) for c in columns]

    def encode(rows: Sequence[Row]) -> Iterable[bytes]:
        if is_large(rows):
            return pieces.gathered(_large_lines(rows, formats))
        step = _step(rows)
        return [_lines(rows[i : i + step], formats) for i in range(0, len(rows), step)]

    return encode


def _large_lines(rows: Sequence[Row], formats: Sequence[Callable[[Cell], str]]) -> Iterator[bytes]:
    """Yield the rows' COPY text in pieces; a cell that is no value is refused on the way."""
    for row in rows:
        for number, (format_, cell) in enumerate(zip(formats, row, strict=False)):
            if number:
                yield b"\t"
            if isinstance(cell, bytes) and format_ is _copy_blob:
                yield from pieces.blob(cell)
            elif isinstance(cell, str) and format_ in _AS_TEXT:
                yield from pieces.text(cell.encode("utf-8", "surrogateescape"))
            else:
                yield format_(cell).encode("utf-8", "surrogateescape")
        yield b"\n"


def _step(rows: Sequence[Row]) -> int:
    """Return how many rows are written at once: their text exists several times meanwhile."""
    sample = rows[:: max(1, len(rows) // 16)]
    wide = max(sum(len(c) for c in row if isinstance(c, str | bytes)) for row in sample)
    return max(1, min(_TOGETHER, _BLOCK_BYTES // (wide or 1)))


def _lines(rows: Sequence[Row], formats: Sequence[Callable[[Cell], str]]) -> bytes:
    """Return COPY lines, written column by column: most columns need nothing done per cell."""
    columns = zip(*rows, strict=True)
    fields = [_fields(f, cells) for f, cells in zip(formats, columns, strict=False)]
    lines = "\n".join(map("\t".join, zip(*fields, strict=True)))
    return f"{lines}\n".encode("utf-8", "surrogateescape")


def _fields(format_: Callable[[Cell], str], cells: Sequence[Cell]) -> Sequence[str]:
    kinds = set(map(type, cells))
    if format_ is not _copy_blob and kinds == {int}:
        return list(map(str, cells))
    if format_ in _AS_TEXT and kinds <= {str, type(None)}:
        texts = ["" if c is None else c for c in cells] if type(None) in kinds else cells
        if not _SPECIAL.search("".join(texts)):  # type: ignore[arg-type]
            return texts if texts is cells else ["\\N" if c is None else c for c in cells]  # type: ignore[return-value, misc]
    return [format_(c) for c in cells]


def _cells_to_cells(columns: Sequence[Projection]) -> Encoder:
    width = len(columns)

    def encode(rows: Sequence[Row]) -> list[tuple[Cell, ...]]:
        return [row[:width] for row in rows]  # type: ignore[misc]

    return encode


def parsed(type_: Type) -> Callable[[str], Cell] | None:
    """Return what makes a cell of a canonical text, None where the text itself is the cell."""
    if type_.kind in (Kind.INTEGER, Kind.YEAR):
        return _whole
    if type_.kind is Kind.FLOAT:
        return _float
    if type_.kind is Kind.BLOB:
        return unhex
    return None


def _whole(text: str) -> Cell:
    """Return an integer; what is none (of a user's expression) stays text, the target decides."""
    return int(text) if _INTEGER.fullmatch(text) else text


def _float(text: str) -> Cell:
    try:
        return text if "_" in text else float(text)
    except ValueError:
        return text


def unhex(text: str) -> bytes:
    r"""Return the bytes that a reader wrote in hex, with or without PostgreSQL's ``\x``."""
    return bytes.fromhex(text.removeprefix("\\x"))


def _text_to_cells(columns: Sequence[Projection]) -> Encoder:
    readers = [parsed(c.type) for c in columns]

    def encode(rows: Sequence[Row]) -> list[tuple[Cell, ...]]:
        if is_large(rows):
            return [_cells_of(line, columns, readers) for line in rows]  # type: ignore[arg-type]
        out: list[tuple[Cell, ...]] = []
        for start in range(0, len(rows), _TOGETHER):
            texts = _columns_of(rows[start : start + _TOGETHER], len(columns))
            out += zip(*map(_read, texts, readers), strict=True)
        return out

    return encode


def _cells_of(
    line: bytes, columns: Sequence[Projection], readers: Sequence[Callable[[str], Cell] | None]
) -> tuple[Cell, ...]:
    """Return the cells of a large line; the digits of a blob are read where they stand."""
    cells: list[Cell] = []
    view, start = memoryview(line), 0
    for column, read in zip(columns, readers, strict=True):
        end = line.find(b"\t", start)
        end = len(line) - 1 if end < 0 else end
        if column.type.kind is Kind.BLOB and line.startswith(b"\\\\x", start):
            cells.append(unhexlify(view[start + 3 : end]))
        else:
            text = unescape(line[start:end])
            cells.append(text if text is None or read is None else read(text))
        start = end + 1
    return tuple(cells)


def _columns_of(lines: Sequence[Row], width: int) -> list[Sequence[str | None]]:
    """Return the texts of COPY lines, column by column: nothing but separators ends a field."""
    joined = b"".join(lines)  # type: ignore[arg-type]
    text = joined[:-1].decode("utf-8", "surrogateescape")
    fields: list[str | None] = list(text.replace("\n", "\t").split("\t"))
    if len(fields) != width * len(lines):
        return list(zip(*(split_text(line) for line in lines), strict=True))  # type: ignore[arg-type]
    if "\\" in text:
        fields = [unescaped(f) if "\\" in f else f for f in fields]  # type: ignore[arg-type, operator]
    return [fields[i::width] for i in range(width)]


def _read(texts: Sequence[str | None], read: Callable[[str], Cell] | None) -> Sequence[Cell]:
    """Return the cells of a column's texts; numbers without a look at each, if they are numbers."""
    if read is None:
        return texts
    if read in _QUICK and None not in texts:
        quick, signs = _QUICK[read]
        try:
            if signs.fullmatch("".join(texts)):  # type: ignore[arg-type]
                return list(map(quick, texts))  # type: ignore[arg-type]
        except ValueError:  # one of them is no number
            pass
    return [None if t is None else read(t) for t in texts]


_QUICK: dict[Callable[[str], Cell], tuple[Callable[[str], Cell], re.Pattern[str]]] = {
    _whole: (int, re.compile("[0-9+-]+")),
    _float: (float, re.compile("[^_]+")),
}


def _cells_to_arrow(columns: Sequence[Projection]) -> Encoder:
    import pyarrow as pa

    wanted = [arrow_type(c.type) for c in columns]
    names = [f"c{i}" for i in range(len(columns))]

    def encode(rows: Sequence[Row]) -> pa.Table:
        arrays = [
            _array(cells, type_)
            for cells, type_ in zip(zip(*rows, strict=True), wanted, strict=False)
        ]
        return pa.Table.from_arrays(arrays, names=names)

    return encode


def _array(cells: Sequence[Cell], type_: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    kinds = set(map(type, cells))
    if not pa.types.is_binary(type_) and bytes in kinds:  # Arrow would take them for text
        raise _no_text(next(c for c in cells if isinstance(c, bytes)))
    try:
        if pa.types.is_integer(type_) and float in kinds:  # Arrow would cut them
            return pa.array([_as_text(c) for c in cells], type=pa.string())
        return pa.array(cells, type=type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
        # A value that does not fit its column: hand all of them over as text, the target decides.
        if pa.types.is_binary(type_):
            return pa.array([_as_bytes(c) for c in cells], type=type_)
        return pa.array([_as_text(c) for c in cells], type=pa.string())


def _as_text(cell: Cell) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bytes):
        raise _no_text(cell)
    return repr(cell) if isinstance(cell, float) else str(cell)


def _as_bytes(cell: Cell) -> bytes | None:
    return None if cell is None else cell if isinstance(cell, bytes) else str(cell).encode()


def _columns_to_text(columns: Sequence[Projection]) -> Encoder:
    by_cells, width = _cells_to_text(columns), len(columns)

    def encode(rows: Sequence[Row]) -> Iterable[bytes]:
        return copy_lines(rows, width) if isinstance(rows, Columns) else by_cells(rows)

    return encode


def _columns_to_arrow(columns: Sequence[Projection]) -> Encoder:
    by_cells, width = _cells_to_arrow(columns), len(columns)
    names = [f"c{i}" for i in range(width)]

    def encode(rows: Sequence[Row]) -> "pa.Table":
        if not isinstance(rows, Columns):
            return by_cells(rows)
        return rows.table.select(range(width)).rename_columns(names)

    return encode


_ENCODERS: dict[tuple[Wire, Wire], Callable[[Sequence[Projection]], Encoder]] = {
    (Wire.CELLS, Wire.COPY_TEXT): _cells_to_text,
    (Wire.CELLS, Wire.CELLS): _cells_to_cells,
    (Wire.CELLS, Wire.ARROW): _cells_to_arrow,
    (Wire.COPY_TEXT, Wire.CELLS): _text_to_cells,
    (Wire.COPY_CSV, Wire.ARROW): csv_to_arrow,
    (Wire.ARROW, Wire.COPY_TEXT): _columns_to_text,
    (Wire.ARROW, Wire.ARROW): _columns_to_arrow,
}
