"""Rows held as columns: every encoder and lens treats them as the cells that they stand for."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.columns import Columns, joined
from datamig_pipelines.transfer.batches import cut
from datamig_pipelines.transfer.encoders import cells_encoder, encoder
from datamig_pipelines.transfer.rows import lens, split_text
from datamig_pipelines_tests.transfer.streams import BLOB, FLOAT, INTEGER, TEXT, columns, route
from datamig_pipelines_tests.transfer.test_rows import TEXTS

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=True)
PLAIN = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=9)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS,
        st.none() | INT64,
        st.none() | FLOATS,
        st.none() | st.binary(max_size=9),
        INT64,
    ),
    min_size=1,
    max_size=6,
)
PLAIN_ROWS = st.lists(
    st.tuples(st.none() | PLAIN, st.none() | INT64, INT64), min_size=1, max_size=6
)
TYPES = (TEXT, INTEGER, FLOAT, BLOB)
ARROW = (pa.string(), pa.int64(), pa.float64(), pa.binary(), pa.int64())


def held(rows, types=ARROW) -> Columns:
    arrays = [pa.array(c, t) for c, t in zip(zip(*rows, strict=True), types, strict=True)]
    return Columns(pa.Table.from_arrays(arrays, names=[str(i) for i in range(len(arrays))]))


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or (repr(one) == repr(other))
    return type(one) is type(other) and one == other


def text_of(fields: list[str | None]) -> list[object]:
    """Return what the fields of a COPY line of `TYPES` mean."""
    text, whole, real, blob = fields
    return [
        text,
        whole and int(whole),
        real and float(real),
        None if blob is None else bytes.fromhex(blob.removeprefix("\\x")),
    ]


@given(ROWS, st.integers(0, 5))
def test_columns_become_copy_text_and_come_back(rows, start):
    """Nasty texts, NULL beside '', huge integers, NaN, infinities and bytes; slices, too."""
    encode = encoder(route(*TYPES, sends=Wire.ARROW, takes=Wire.COPY_TEXT))
    lines = b"".join(encode(held(rows)[start:])).splitlines(keepends=True)
    back = [text_of(split_text(line)) for line in b"".join(lines).split(b"\n")[:-1]]

    assert len(back) == len(rows[start:])
    for mine, row in zip(back, rows[start:], strict=True):
        assert all(map(same, mine, row))


@given(PLAIN_ROWS)
def test_plain_columns_are_the_lines_of_cells(rows):
    """Where nothing needs an escape Arrow's own writer makes the very same bytes."""
    some = columns(TEXT, INTEGER)
    encode = encoder(route(TEXT, INTEGER, sends=Wire.ARROW, takes=Wire.COPY_TEXT))

    made = encode(held(rows, (pa.string(), pa.int64(), pa.int64())))
    assert b"".join(made) == b"".join(cells_encoder(some, Wire.COPY_TEXT)(rows))


@given(ROWS)
def test_columns_become_arrow_and_come_back(rows):
    """A target that takes Arrow gets the columns as they are, without the key behind them."""
    table = encoder(route(*TYPES, sends=Wire.ARROW, takes=Wire.ARROW))(held(rows))

    assert table.column_names == ["c0", "c1", "c2", "c3"]
    back = zip(*(c.to_pylist() for c in table.columns), strict=True)
    for mine, row in zip(back, rows, strict=True):
        assert all(map(same, mine, row[:4]))


@pytest.mark.parametrize("takes", [Wire.COPY_TEXT, Wire.ARROW])
@given(ROWS)
def test_cells_may_come_on_the_wire_of_columns(takes, rows):
    """A source that cannot give columns for some rows gives cells; they are encoded alike."""
    one = encoder(route(*TYPES, sends=Wire.ARROW, takes=takes))(rows)
    other = cells_encoder(columns(*TYPES), takes)(rows)

    assert one == other or takes is Wire.ARROW  # NaN is not equal to itself in a table
    assert len(one) == len(other)


@given(ROWS)
def test_lens_sees_the_same_in_columns_and_cells(rows):
    """Key, values and chosen rows."""
    view = lens(route(*TYPES, sends=Wire.ARROW, takes=Wire.COPY_TEXT))
    some = held(rows)

    assert [view.key(some, i) for i in range(len(rows))] == [(str(r[-1]),) for r in rows]
    assert view.key(some, -1) == view.key(rows, -1)
    assert [view.values(some, i) for i in range(len(rows))] == [
        view.values(rows, i) for i in range(len(rows))
    ]
    assert len(view.picked(some, [len(rows) - 1, 0])) == 2
    assert all(map(same, view.picked(some, [len(rows) - 1])[0], rows[-1]))


@given(ROWS, ROWS, st.integers(1, 5))
def test_digest_does_not_depend_on_how_rows_are_held(rows, others, at):
    """In pieces, in one, or as cells: equal rows have an equal digest, others another one."""
    digest = lens(route(*TYPES, sends=Wire.ARROW, takes=Wire.COPY_TEXT)).digest
    parts = [p for p in (held(rows)[:at], held(rows)[at:]) if len(p)]

    assert digest(joined(parts)) == digest(held(rows)) == digest(rows)
    if repr(rows) != repr(others):
        assert digest(held(others)) != digest(held(rows))


@given(ROWS, st.integers(1, 7))
def test_cut_gives_all_rows_of_mixed_lists(rows, batch_size):
    """Columns and cells in one stream: batches are of the asked size, in order, nothing is lost."""
    lists = iter([held(rows), list(rows), held(rows), held(rows)])

    batches = list(cut(lists, batch_size))

    assert all(len(b.rows) == batch_size for b in batches[:-1])
    assert repr([row for b in batches for row in b.rows]) == repr(list(rows) * 4)


def test_columns_stay_columns_in_a_batch():
    """Nothing is turned into Python values while a stream brings columns only."""
    (batch,) = cut(iter([held([("a", 1, 1.0, b"", 1)])] * 3), 10)

    assert isinstance(batch.rows, Columns)
    assert len(batch.rows) == 3
