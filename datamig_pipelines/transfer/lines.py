r"""COPY text of columns, written by Arrow: no Python value per cell.

Where no text needs an escape, Arrow's CSV writer makes the lines. It refuses quotes and line ends;
backslashes it does not know: they are counted, for only NULL (``\N``) may bring one.
"""

import marshal
from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import xxhash

from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.dialects.reading import Row
from datamig_pipelines.transfer import pieces

if TYPE_CHECKING:
    import pyarrow as pa

_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_NULL = "\\N"


def digest(rows: Columns | Sequence[Row], width: int) -> str:
    """Return the digest of rows: the same for columns and for the cells that they stand for."""
    import pyarrow as pa

    if not isinstance(rows, Columns):
        try:
            rows = Columns(_table(rows))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeError):
            return xxhash.xxh3_128_hexdigest(marshal.dumps(list(rows), 2))
    made = xxhash.xxh3_128()
    key = Columns(rows.table.select(rows.places[width:]))
    for part in (copy_lines(rows, width), copy_lines(key, len(key.places))):
        for block in part:
            made.update(block)
    return made.hexdigest()


def _table(rows: Sequence[Row]) -> "pa.Table":
    import pyarrow as pa

    arrays = [pa.array(cells) for cells in zip(*rows, strict=True)]
    arrays = [a.cast(pa.string()) if pa.types.is_null(a.type) else a for a in arrays]
    return pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])


def copy_lines(rows: Columns, width: int) -> Iterable[bytes]:
    """Return the first ``width`` columns as blocks of COPY text; of large rows nothing is kept."""
    if rows.lines is None:
        table = rows.table.select(range(width))
        if not width:
            return []
        if table.nbytes >= pieces.LARGE * len(rows):
            return pieces.gathered(pieces.of_columns(table))
        rows.lines = [_block(batch) for batch in table.to_batches() if batch.num_rows]
    return rows.lines


def _block(batch: "pa.RecordBatch") -> bytes:
    plain = _plain_block(batch)
    return _escaped_block(batch) if plain is None else plain


def _plain_block(batch: "pa.RecordBatch") -> bytes | None:
    """Return the lines of values that need no escape, None if some do."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    if any(pa.types.is_binary(c.type) for c in batch.columns):
        return None
    options = pacsv.WriteOptions(
        include_header=False,
        batch_size=batch.num_rows,
        delimiter="\t",
        null_string=_NULL,
        quoting_style="none",
    )
    out = pa.BufferOutputStream()
    try:
        pacsv.write_csv(batch, out, options)
    except pa.ArrowInvalid:  # a quote or a line end
        return None
    lines: bytes = out.getvalue().to_pybytes()
    nulls = sum(c.null_count for c in batch.columns)
    return lines if lines.count(b"\\") == nulls else None


def _escaped_block(batch: "pa.RecordBatch") -> bytes:
    import pyarrow.compute as pc

    fields = [_field(c) for c in batch.columns]
    nulls = {"null_handling": "replace", "null_replacement": _NULL}
    fields[-1] = pc.binary_join_element_wise(fields[-1], "\n", "", **nulls)
    lines = pc.binary_join_element_wise(*fields, "\t", **nulls)
    _, offsets, held = lines.buffers()
    ends = memoryview(offsets).cast("i")[lines.offset : lines.offset + len(lines) + 1]
    return bytes(held[ends[0] : ends[-1]])


def _field(column: "pa.Array") -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_binary(column.type):
        return pc.binary_join_element_wise("\\\\x", hexed(column), "")
    if not pa.types.is_string(column.type):
        return column.cast(pa.string())
    for mark, escape in _ESCAPES:
        column = pc.replace_substring(column, mark, escape)
    return column


def hexed(column: "pa.Array") -> "pa.Array":
    """Return binary values as hex digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    _, offsets, held = column.buffers()
    if not len(column):
        return column.cast(pa.string())
    ends = memoryview(offsets).cast("i")[column.offset : column.offset + len(column) + 1]
    doubled = array("i", [2 * (end - ends[0]) for end in ends])
    digits = b"" if held is None else bytes(held[ends[0] : ends[-1]]).hex().encode()
    texts = pa.Array.from_buffers(
        pa.string(), len(column), [None, pa.py_buffer(doubled), pa.py_buffer(digits)]
    )
    nothing = pa.scalar(None, pa.string())
    return pc.if_else(column.is_valid(), texts, nothing) if column.null_count else texts
