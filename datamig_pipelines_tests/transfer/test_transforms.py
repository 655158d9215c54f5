"""The user's function sees native values, and what it returns arrives."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.errors import TransformError, TransformNotFoundError
from datamig_pipelines.transfer.transforms import Transform, find_function
from datamig_pipelines_tests.transfer.streams import BLOB, FLOAT, INTEGER, TEXT, copy_line, route

MODULE = """
import pandas
import polars

def same(frame: polars.DataFrame) -> polars.DataFrame:
    return frame

def pandas_same(frame: pandas.DataFrame) -> pandas.DataFrame:
    return frame

def bare(frame):
    return frame.filter(polars.col("c0") > 1)

def doubled(frame):
    return polars.concat([frame, frame])

def short(frame):
    return frame.drop("c0")

def no_frame(frame):
    return 5

def picky(frame):
    if 2 in frame["c0"].to_list():
        raise ValueError("two")
    return frame

def crowded(frame):
    if len(frame) > 50:
        raise ValueError("crowded")
    return frame

def abroad(frame):
    return frame.with_columns(polars.col("c0").dt.convert_time_zone("Asia/Tokyo"))

def two(a, b):
    return a

def wrong(frame: int):
    return frame

text = "no function"
"""
DECIMAL = Type(Kind.DECIMAL, precision=12, scale=2)
DATE, STAMP = Type(Kind.DATE), Type(Kind.TIMESTAMP, fraction=6)
INSTANT, BOOLEAN, UUID = Type(Kind.TIMESTAMPTZ, fraction=6), Type(Kind.BOOLEAN), Type(Kind.UUID)
VALUES = [
    (INTEGER, "-9223372036854775808"),
    (FLOAT, "0.1"),
    (DECIMAL, "-0.01"),
    (BOOLEAN, "true"),
    (DATE, "0001-01-01"),
    (STAMP, "9999-12-31 23:59:59.999999"),
    (STAMP, "2020-01-31 10:00:00"),
    (STAMP, "2020-01-31 10:10:10.5"),
    (INSTANT, "2020-01-31 10:00:00.5+00"),
    (UUID, "00000000-0000-0000-0000-000000000000"),
    (TEXT, "ž🐎\n\\N"),
    (TEXT, ""),
]


@pytest.fixture
def function(tmp_path):
    """Make a transform of one of the module's functions."""
    (tmp_path / "user_module.py").write_text(MODULE)

    def make(name, *types, sends=Wire.COPY_TEXT):
        from dataclasses import replace

        made = route(*types, sends=sends, takes=Wire.CELLS)
        return Transform(replace(made, transform=f"user_module.{name}"), tmp_path)

    return make


@pytest.mark.parametrize("name", ["same", "pandas_same"])
@pytest.mark.parametrize(("type_", "text"), VALUES)
def test_value_survives_the_frame(function, name, type_, text):
    """What goes into a frame and is not touched comes out as the same text, NULL as NULL."""
    cells = function(name, type_).cells([copy_line([text]), copy_line([None])])

    assert (str(cells[0][0]), cells[1][0]) == (text, None)


@pytest.mark.parametrize("text", ["00ff", "\\x00ff"])
def test_bytes_survive_the_frame(function, text):
    """Hex of any source becomes bytes."""
    assert function("same", BLOB).cells([copy_line([text])]) == [(b"\x00\xff",)]


def test_instant_in_another_zone_is_the_same_instant(function):
    """A function may show moments in any zone; what is written is UTC."""
    cells = function("abroad", INSTANT).cells([copy_line(["2020-01-31 23:00:00+00"])])

    assert cells == [("2020-01-31 23:00:00+00",)]


def test_function_sees_native_values(tmp_path):
    """Numbers, decimals, dates and moments are values, not texts."""
    from datamig_pipelines.transfer.transforms import _arrow

    types = (INTEGER, DECIMAL, DATE, INSTANT, BOOLEAN)
    line = copy_line(["5", "1.50", "2020-01-31", "2020-01-31 10:00:00+00", "false"])
    frame = pl.from_arrow(_arrow(route(*types, sends=Wire.COPY_TEXT), [line]))

    assert frame.row(0) == (
        5, Decimal("1.50"), date(2020, 1, 31), datetime(2020, 1, 31, 10, tzinfo=UTC), False,
    )  # fmt: skip


def test_rows_may_be_left_out(function):
    """A function may return fewer rows; they count as filtered."""
    lines = [copy_line([str(i)]) for i in range(4)]

    assert function("bare", INTEGER).cells(lines) == [(2,), (3,)]


@pytest.mark.parametrize(
    ("name", "said"),
    [("doubled", "has 2 rows, it came with 1"), ("short", "lacks"), ("no_frame", "returned a int")],
)
def test_frame_that_does_not_fit_is_refused(function, name, said):
    """More rows, missing columns or no frame at all are errors with the function's name."""
    with pytest.raises(TransformError, match=said) as caught:
        function(name, INTEGER).cells([copy_line(["1"])])

    assert f"user_module.{name}" in caught.value.message


def lines(*numbers: int) -> list[bytes]:
    return [copy_line([str(n)]) for n in numbers]


def never(bad: int) -> bool:
    return False


@pytest.mark.parametrize("count", [5, 200])
def test_rows_that_a_function_raises_for_are_sorted_out(function, count):
    """They alone stand aside, with the function's words; it sees all others together."""
    numbers = [2, *range(3, count), 2]

    cells, bad = function("picky", INTEGER).sorted_out(lines(*numbers), never)

    assert cells == [(n,) for n in range(3, count)]
    assert sorted(bad) == [0, count - 2]
    assert {e.message for e in bad.values()} == {"user_module.picky failed: ValueError: two"}


def test_bad_row_costs_few_calls(function):
    """A row among thousands is found by halving, not by trying one after the other."""
    transform = function("picky", INTEGER)
    calls = []
    real = transform.function
    transform.function = lambda frame: calls.append(len(frame)) or real(frame)

    transform.sorted_out(lines(*[5] * 1500, 2, *[5] * 2000), never)

    assert len(calls) < 40


def test_function_that_fails_for_too_many_rows_is_an_error(function):
    """At the limit nothing more is tried; the message names the first row."""
    with pytest.raises(TransformError, match=r"for 3 rows, first in row 3 of the batch.*two"):
        function("picky", INTEGER).sorted_out(lines(5, 6, *[2] * 20), lambda bad: bad > 2)


def test_function_that_fails_for_every_row_is_an_error_at_once(function):
    """It is not tried on thousands of rows whatever the limit allows."""
    with pytest.raises(TransformError, match=r"each of 16 rows.*ValueError: two"):
        function("picky", INTEGER).sorted_out(lines(*[2] * 5000), never)


def test_function_that_fails_for_no_single_row_is_an_error(function):
    """What only all rows together bring about is nobody's reject."""
    with pytest.raises(TransformError, match="no single row does it"):
        function("crowded", INTEGER).sorted_out(lines(*range(100)), never)


@pytest.mark.parametrize("name", ["doubled", "short", "no_frame"])
def test_frame_that_does_not_fit_makes_no_rejects(function, name):
    """A function that returns something else is wrong for every row."""
    with pytest.raises(TransformError):
        function(name, INTEGER).sorted_out(lines(1, 2, 3), never)


def test_value_that_is_none_of_its_type_is_sorted_out(function):
    """A row whose value cannot be shown to the function is as bad as one that it raises for."""
    rows = [copy_line(["2020-01-01"]), copy_line(["0000-00-00"])]

    cells, bad = function("same", DATE).sorted_out(rows, never)

    assert (cells, {i: e.code for i, e in bad.items()}) == ([("2020-01-01",)], {1: "DM408"})


@pytest.mark.parametrize("name", ["nope", "two", "wrong", "text"])
def test_function_that_cannot_be_used_is_refused(function, tmp_path, name):
    """Missing, with two arguments, annotated with something else, or no function at all."""
    function("same", TEXT)

    with pytest.raises(TransformNotFoundError):
        find_function(f"user_module.{name}", tmp_path)
