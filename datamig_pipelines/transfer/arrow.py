"""Arrow tables of rows: the types that carry a cell, and how lines of CSV are read."""

from binascii import unhexlify
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.reading import Projection, Row
from datamig_pipelines.transfer.pieces import is_large

if TYPE_CHECKING:
    import pyarrow as pa

_INT64_BITS = 63
_PARSED = 5_000  # lines of CSV at once


def arrow_type(type_: Type) -> "pa.DataType":
    """Return the Arrow type that carries a cell without a loss: int64, double, binary or string."""
    import pyarrow as pa

    whole = type_.kind is Kind.INTEGER and (type_.bits or 0) + type_.unsigned <= _INT64_BITS + 1
    if whole or type_.kind is Kind.YEAR:
        return pa.int64()
    if type_.kind is Kind.FLOAT:
        return pa.float64()
    return pa.binary() if type_.kind is Kind.BLOB else pa.string()


def csv_to_arrow(columns: Sequence[Projection]) -> "Callable[[Sequence[Row]], pa.Table]":
    """Return the function that reads lines of COPY CSV with FORCE_QUOTE into a table."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    names = [f"c{i}" for i in range(len(columns))]
    whole = [
        arrow_type(c.type) == pa.int64() and c.into.kind is not Kind.BOOLEAN for c in columns
    ]  # an integer that becomes a boolean travels as a word
    types = {n: pa.int64() if w else pa.string() for n, w in zip(names, whole, strict=True)}
    blobs = [i for i, c in enumerate(columns) if c.type.kind is Kind.BLOB]
    # An empty line is a row: the one column of its table is NULL.
    parse = pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    convert = pacsv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )

    def parsed_lines(lines: Sequence[Row]) -> pa.Table:
        payload = b"".join(lines)  # type: ignore[arg-type]
        read = pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(payload) + 1)
        table = pacsv.read_csv(pa.BufferReader(payload), read, parse, convert)
        del payload
        bytes_of = _large_bytes if is_large(lines) else _bytes
        for i in blobs:
            raw = pa.array(bytes_of(table.column(i)), type=pa.binary())
            table = table.set_column(i, names[i], raw)
        return table

    def encode(rows: Sequence[Row]) -> pa.Table:
        step = 1 if is_large(rows) else _PARSED
        return pa.concat_tables(parsed_lines(rows[i : i + step]) for i in range(0, len(rows), step))

    return encode


def _bytes(digits: "pa.ChunkedArray") -> list[bytes | None]:
    return [None if t is None else bytes.fromhex(t) for t in digits.to_pylist()]


def _large_bytes(digits: "pa.ChunkedArray") -> list[bytes | None]:
    return [unhexlify(t.as_buffer()) if t.is_valid else None for t in digits]
