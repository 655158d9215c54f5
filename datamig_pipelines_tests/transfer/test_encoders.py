"""Encoders: a value arrives as it left."""

import math
import struct

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.errors import RefusedError
from datamig_pipelines.transfer.arrow import arrow_type
from datamig_pipelines.transfer.encoders import blocks, cells_encoder, encoder, pairs
from datamig_pipelines.transfer.rows import split_text
from datamig_pipelines_tests.transfer.streams import (
    BLOB,
    FLOAT,
    INTEGER,
    TEXT,
    columns,
    copy_line,
    csv_line,
    route,
)
from datamig_pipelines_tests.transfer.test_rows import TEXTS

INT64 = st.integers(-(2**63), 2**63 - 1)
BYTES = st.binary(max_size=30)
FLOATS = st.floats(allow_nan=False)
CELLS = st.tuples(st.none() | TEXTS, st.none() | INT64, st.none() | FLOATS, st.none() | BYTES)
TYPES = (TEXT, INTEGER, FLOAT, BLOB)


def bits(number: float | None) -> bytes | None:
    return None if number is None else struct.pack("d", number)


def whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def unhexed(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text.removeprefix("\\x"))


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_cells_become_copy_text_and_come_back(rows):
    """Texts, NULLs, integers, floats and bytes are the same after COPY text."""
    payload = b"".join(cells_encoder(columns(*TYPES), Wire.COPY_TEXT)(rows))
    back = [split_text(line) for line in payload.split(b"\n")[:-1]]

    assert [(t, whole(n), bits(f and float(f)), unhexed(b)) for t, n, f, b in back] == [
        (t, n, bits(f), b) for t, n, f, b in rows
    ]


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_cells_become_arrow_and_come_back(rows):
    """Every cell has its own value in Arrow, minus zero included."""
    table = cells_encoder(columns(*TYPES), Wire.ARROW)(rows)
    back = list(zip(*(c.to_pylist() for c in table.columns), strict=True))

    assert [(t, n, bits(f), b) for t, n, f, b in back] == [
        (t, n, bits(f), b) for t, n, f, b in rows
    ]


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | INT64), min_size=1, max_size=6))
def test_copy_text_becomes_cells(rows):
    """COPY text is split into the very values, numbers as numbers."""
    lines = [copy_line([t, None if n is None else str(n)]) for t, n in rows]
    encode = encoder(route(TEXT, INTEGER, sends=Wire.COPY_TEXT, takes=Wire.CELLS))

    assert encode(lines) == rows


@pytest.mark.parametrize("text", ["5c78", "\\x5c78"])
def test_copy_text_of_a_blob_becomes_bytes(text):
    """Hex is read with PostgreSQL's prefix and without."""
    encode = encoder(route(BLOB, sends=Wire.COPY_TEXT, takes=Wire.CELLS))

    assert encode([copy_line([text])]) == [(b"\\x",)]


@pytest.mark.parametrize(
    ("type_", "text"), [(INTEGER, "1_0"), (INTEGER, "12a"), (FLOAT, "1_0"), (FLOAT, "x")]
)
def test_copy_text_of_no_number_stays_text(type_, text):
    """What an expression yields instead of a number is handed over: the target decides."""
    encode = encoder(route(type_, sends=Wire.COPY_TEXT, takes=Wire.CELLS))

    assert encode([copy_line([text])]) == [(text,)]


@given(
    st.lists(
        st.tuples(st.none() | TEXTS, st.none() | INT64, st.none() | BYTES), min_size=1, max_size=6
    )
)
def test_csv_becomes_arrow(rows):
    """NULL is not '', 'NULL' is a text, line breaks and lone carriage returns stay."""
    lines = [
        csv_line([t, None if n is None else str(n), None if b is None else b.hex()])
        for t, n, b in rows
    ]
    table = encoder(route(TEXT, INTEGER, BLOB, sends=Wire.COPY_CSV, takes=Wire.ARROW))(lines)

    assert list(zip(*(c.to_pylist() for c in table.columns), strict=True)) == rows


@given(st.lists(st.none() | TEXTS, min_size=1, max_size=6))
def test_csv_of_one_column_keeps_rows_of_null(values):
    """A row that is one NULL is an empty line, and still a row."""
    encode = encoder(route(TEXT, sends=Wire.COPY_CSV, takes=Wire.ARROW))

    assert encode([csv_line([v]) for v in values]).column(0).to_pylist() == values


@given(st.lists(st.binary(max_size=300)), st.integers(1, 400))
def test_blocks_are_the_rows(rows, size):
    """Blocks one behind the other are the rows one behind the other."""
    assert b"".join(blocks(rows)) == b"".join(rows)


@pytest.mark.parametrize(
    "kind", [Kind.DATE, Kind.TIMESTAMP, Kind.INTEGER, Kind.DECIMAL, Kind.TEXT, Kind.UUID]
)
def test_bytes_in_a_column_that_is_no_blob_are_refused(kind):
    """A reader sends bytes where it has no such value; nobody may guess what they mean."""
    encode = cells_encoder(columns(Type(kind)), Wire.COPY_TEXT)

    with pytest.raises(RefusedError):
        encode([(b"20200131",)])


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "12a", 1.5])
def test_value_that_does_not_fit_its_arrow_column_goes_as_text(value):
    """Nothing is cut: the target sees the digits and decides."""
    table = cells_encoder(columns(INTEGER), Wire.ARROW)([(value,), (None,)])

    assert table.column(0).to_pylist() == [str(value), None]


def test_text_that_is_not_utf_8_is_refused_on_arrow():
    """Arrow's strings are UTF-8; anything else is a reject, not a replacement character."""
    with pytest.raises(RefusedError, match="no UTF-8"):
        cells_encoder(columns(TEXT), Wire.ARROW)([(b"\xff",)])


@given(st.lists(st.tuples(TEXTS, INT64), max_size=5))
def test_cells_for_cells_lose_only_the_hidden_key(rows):
    """The key behind the columns does not travel."""
    assert encoder(route(TEXT))(rows) == [(t,) for t, _ in rows]


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (Type(Kind.INTEGER, bits=64), pa.int64()),
        (Type(Kind.INTEGER, bits=64, unsigned=True), pa.string()),
        (Type(Kind.INTEGER, bits=128), pa.string()),
        (Type(Kind.INTEGER, bits=32, unsigned=True), pa.int64()),
        (Type(Kind.FLOAT), pa.float64()),
        (Type(Kind.DECIMAL, precision=9, scale=2), pa.string()),
        (Type(Kind.BLOB), pa.binary()),
        (Type(Kind.TIMESTAMP), pa.string()),
    ],
)
def test_arrow_type_holds_every_value(type_, expected):
    """What Arrow cannot hold exactly goes as text."""
    assert arrow_type(type_) == expected


def test_every_pair_has_an_encoder():
    """`pairs` promises nothing that `encoder` cannot keep."""
    assert all(encoder(route(TEXT, sends=s, takes=t)) for s, t in pairs())


def test_floats_are_written_in_full():
    """The text of a float gives back its bits."""
    numbers = [0.1, 5e-324, 1.7976931348623157e308, -0.0, math.pi]
    payload = b"".join(cells_encoder(columns(FLOAT), Wire.COPY_TEXT)([(n,) for n in numbers]))

    assert [bits(float(t)) for t in payload.split()] == [bits(n) for n in numbers]


def test_wide_cells_are_written_in_small_blocks():
    """A block holds about a megabyte of cells: while it is made its text exists several times."""
    made = cells_encoder(columns(BLOB), Wire.COPY_TEXT)([(b"x" * 400_000,)] * 10)

    assert len(made) == 5
    assert sum(block.count(b"\n") for block in made) == 10
