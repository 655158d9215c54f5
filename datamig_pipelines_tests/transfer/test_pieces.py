"""Large rows: written and read piece by piece, they are what they are as a whole."""

import os

import pyarrow as pa
import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.errors import RefusedError
from datamig_pipelines.transfer.encoders import cells_encoder, encoder
from datamig_pipelines.transfer.pieces import LARGE, PIECE
from datamig_pipelines.transfer.rows import lens
from datamig_pipelines_tests.transfer.streams import (
    BLOB,
    INTEGER,
    TEXT,
    columns,
    copy_line,
    csv_line,
    route,
)

TYPES = (INTEGER, BLOB, TEXT, INTEGER)
BYTES = os.urandom(LARGE + 5)
WORDS = "a\\b\tc\nd\re\\N ž🐎" * (LARGE // 8)
ROWS = [(1, BYTES, WORDS, None), (2, None, None, 5), (3, b"", "", -7), (4, b"\0", WORDS, 2**40)]


def shown(row):
    """Return a row's fields as PostgreSQL's COPY text has them."""
    number, raw, words, other = row
    hexed = None if raw is None else "\\x" + raw.hex()
    return [str(number), hexed, words, None if other is None else str(other)]


def test_large_cells_become_copy_text():
    """Blocks stay small, and joined they are the lines."""
    made = list(cells_encoder(columns(*TYPES), Wire.COPY_TEXT)(ROWS))

    assert b"".join(made) == b"".join(copy_line(shown(r)) for r in ROWS)
    assert max(map(len, made)) <= 4 * PIECE


def test_large_columns_become_copy_text():
    """The same from an Arrow table, whatever its chunks."""
    halves = [pa.Table.from_pylist([dict(zip("abcd", r, strict=True)) for r in ROWS], SCHEMA)] * 2
    made = list(
        encoder(route(*TYPES, sends=Wire.ARROW, takes=Wire.COPY_TEXT))(
            Columns(pa.concat_tables(halves))
        )
    )

    assert b"".join(made) == b"".join(copy_line(shown(r)) for r in ROWS + ROWS)
    assert max(map(len, made)) <= 4 * PIECE


SCHEMA = pa.schema([("a", pa.int64()), ("b", pa.binary()), ("c", pa.string()), ("d", pa.int64())])


def test_large_copy_text_becomes_cells():
    """A blob's digits are read where they stand; every other field as always."""
    lines = [copy_line(shown(r)) for r in ROWS]

    assert encoder(route(*TYPES, sends=Wire.COPY_TEXT, takes=Wire.CELLS))(lines) == ROWS


def test_large_csv_becomes_arrow():
    """Blobs come out of the digits that Arrow holds."""
    lines = [csv_line([None if r[1] is None else r[1].hex(), r[2]]) for r in ROWS]
    table = encoder(route(BLOB, TEXT, sends=Wire.COPY_CSV, takes=Wire.ARROW))(lines)

    assert list(zip(*(c.to_pylist() for c in table.columns), strict=True)) == [r[1:3] for r in ROWS]


def test_bytes_in_no_blob_are_refused_among_large_cells():
    """The refusal comes while the blocks are taken."""
    blocks = cells_encoder(columns(BLOB, Type(Kind.DATE)), Wire.COPY_TEXT)([(BYTES, b"20200131")])

    with pytest.raises(RefusedError, match="20200131"):
        list(blocks)


@pytest.mark.parametrize("wire", [Wire.CELLS, Wire.ARROW])
def test_digest_sees_every_byte_of_large_rows(wire):
    """Cells and columns have the digest of their kind, and one byte more or less is another."""
    digest = lens(route(*TYPES, sends=wire, takes=Wire.COPY_TEXT)).digest
    rows = [(*r, r[0]) for r in ROWS]
    other = [(1, BYTES[:-1] + b"?", *rows[0][2:]), *rows[1:]]
    names = [*SCHEMA.names, "k"]
    table = pa.Table.from_pylist(
        [dict(zip(names, r, strict=True)) for r in rows], SCHEMA.append(pa.field("k", pa.int64()))
    )

    assert digest(rows) != digest(other)
    assert wire is Wire.CELLS or digest(rows) == digest(Columns(table))


def test_digest_of_lines_does_not_depend_on_their_size():
    """Large lines are hashed one by one, small ones together: the digest is that of all bytes."""
    digest = lens(route(TEXT, sends=Wire.COPY_TEXT, takes=Wire.COPY_TEXT)).digest
    line = b"x" * (LARGE + 1)

    assert digest([line, b"y\n"]) == digest([line + b"y", b"\n"])
