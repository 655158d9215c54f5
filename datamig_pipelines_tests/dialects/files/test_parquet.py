"""Parquet as a source: its own types, its parts compared, its rows numbered."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datamig_pipelines.errors import BrokenFileError
from datamig_pipelines_tests.dialects.files.conftest import Moving, opened, rows, types

MOMENT = datetime(2020, 1, 1, 10, 0, 0, 500, tzinfo=UTC)
NAIVE = MOMENT.replace(tzinfo=None)
ALL = pa.table(
    {
        "i8": pa.array([1, None], pa.int8()),
        "u64": pa.array([2**64 - 1, None], pa.uint64()),
        "f32": pa.array([1.5, None], pa.float32()),
        "f64": pa.array([0.1, None], pa.float64()),
        "d38": pa.array([Decimal("1234567890123456789012345678.0123456789"), None]),
        "t": pa.array(["a\nb", None]),
        "b": pa.array([b"\0\xff", None]),
        "y": pa.array([True, None]),
        "day": pa.array([date(2020, 2, 29), None]),
        "clock": pa.array([time(10, 0, 0, 5), None], pa.time64("us")),
        "at": pa.array([NAIVE, None], pa.timestamp("us")),
        "tz": pa.array([MOMENT, None], pa.timestamp("us", tz="UTC")),
        "ns": pa.array([NAIVE, None], pa.timestamp("ns")),
        "list": pa.array([[1, None], None], pa.list_(pa.int32())),
        "word": pa.array(["x", None]).dictionary_encode(),
    }
)


def url(folder: Path, table: pa.Table, name: str = "t.parquet") -> str:
    """Write a file and return the URL of its folder."""
    (folder / name).parent.mkdir(exist_ok=True, parents=True)
    pq.write_table(table, folder / name)
    return f"parquet:///{folder}"


def test_parquet_has_the_types_of_its_schema(folder: Path) -> None:
    """No type is guessed."""
    assert types(url(folder, ALL), "t") == {
        "i8": "TINYINT",
        "u64": "UBIGINT",
        "f32": "FLOAT",
        "f64": "DOUBLE",
        "d38": "DECIMAL(38,10)",
        "t": "VARCHAR",
        "b": "BLOB",
        "y": "BOOLEAN",
        "day": "DATE",
        "clock": "TIME",
        "at": "TIMESTAMP",
        "tz": "TIMESTAMP WITH TIME ZONE",
        "ns": "TIMESTAMP_NS",
        "list": "INTEGER[]",
        "word": "VARCHAR",
    }


@pytest.mark.parametrize("target", ["pg_url", "duckdb_url", "sqlite_url", "mariadb_url"])
def test_parquet_moves_every_type(
    folder: Path, target: str, moving: Moving, request: pytest.FixtureRequest
) -> None:
    """Every type arrives in every engine, proven equal."""
    moved = moving(url(folder, ALL), request.getfixturevalue(target))

    assert (moved.error, moved.not_equal(), moved.rejects) == (None, {}, [])


def test_parquet_rows_have_one_number_over_all_parts(folder: Path) -> None:
    """The number of a row counts on over files and row groups."""
    for part in range(3):
        ids = list(range(part * 1000, part * 1000 + 1000))
        there = url(folder, pa.table({"id": ids}), f"t/{part}.parquet")

    with opened(there) as session:
        assert session.query("SELECT count(*) FROM t WHERE id <> rowid") == [(0,)]
        assert session.query("SELECT id FROM t WHERE rowid > 2997") == [(2998,), (2999,)]


def test_parquet_folders_with_values_are_columns(folder: Path) -> None:
    """What stands in a folder's name is no less a value than what stands in the file."""
    url(folder, pa.table({"id": [1]}), "t/year=2023/a.parquet")
    there = url(folder, pa.table({"id": [2]}), "t/year=2024/a.parquet")

    assert rows(there, "t") == [(1, "2023"), (2, "2024")]


@pytest.mark.parametrize(
    "other",
    [
        pa.table({"id": pa.array([1], pa.int32())}),
        pa.table({"id": [1], "more": [1]}),
        pa.table({"other": [1]}),
    ],
)
def test_parquet_parts_must_be_alike(folder: Path, other: pa.Table) -> None:
    """Parts with other columns are refused: DuckDB would leave out what the first does not have."""
    url(folder, pa.table({"id": [1]}), "t/1.parquet")
    there = url(folder, other, "t/2.parquet")

    with pytest.raises(BrokenFileError, match=r"2\.parquet and .*1\.parquet are parts of t"):
        opened(there)


def test_parquet_with_decimals_beyond_38_digits_is_refused(folder: Path) -> None:
    """DuckDB would make wrong doubles of them."""
    numbers = pa.array([Decimal("1.5")], pa.decimal256(50, 3))

    with pytest.raises(BrokenFileError, match="column n has decimals of 50 digits"):
        opened(url(folder, pa.table({"n": numbers})))


def test_parquet_columns_that_differ_in_case_are_refused(folder: Path) -> None:
    """DuckDB would give the second one another name, and nobody would know."""
    with pytest.raises(BrokenFileError, match="differ in nothing but case: A_1"):
        opened(url(folder, pa.table({"a": [1], "A": [2]})))


@pytest.mark.parametrize("size", [0, 5, 200])
def test_parquet_that_is_cut_off_is_refused(folder: Path, size: int) -> None:
    """A file that is not whole is named."""
    there = url(folder, pa.table({"id": list(range(1000))}))
    path = folder / "t.parquet"
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(BrokenFileError, match=r"t\.parquet"):
        opened(there)


def test_parquet_with_odd_names_is_read(folder: Path) -> None:
    """Quotes, blanks and wildcards in the names of files and columns mean nothing."""
    there = url(folder, pa.table({'a"b': [1], "from": [2], "rowid": [3]}), "it's [1] * x.parquet")
    url(folder, pa.table({"a": [9]}), "it's 1 * x.parquet")

    assert rows(there, "it's [1] * x") == [(1, 2, 3)]
