"""The user's own function stands between source and target."""

import sqlite3
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from datamig_pipelines.errors import RejectsError, TransformError, TransformNotFoundError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey, gaps

ROWS = 60
MODULE = """
import pandas as pd
import polars as pl

def with_polars(frame: pl.DataFrame) -> pl.DataFrame:
    assert isinstance(frame, pl.DataFrame)
    assert frame.schema["price"] == pl.Decimal(38, 2), frame.schema
    assert frame.schema["born"] == pl.Date and frame.schema["active"] == pl.Boolean
    assert frame.schema["score"] == pl.Int64
    kept = frame.filter(pl.col("id") % 3 != 0)
    return kept.with_columns(tag=pl.lit("n") + pl.col("id").cast(pl.String))

def with_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    assert isinstance(frame, pd.DataFrame)
    frame = frame[frame["id"].astype(int) % 3 != 0].copy()
    frame["tag"] = "n" + frame["id"].astype(str)
    return frame

def numpy_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    plain = frame.astype(object).where(frame.notna(), None)
    plain["score"] = frame["score"].astype("float64")
    plain = plain[plain["id"].astype(int) % 3 != 0].reset_index(drop=True)
    plain["tag"] = ["n" + str(i) for i in plain["id"]]
    return plain

def raises_on_33(frame: pl.DataFrame) -> pl.DataFrame:
    if 33 in frame["id"]:
        raise RuntimeError("thirty-three")
    return frame.with_columns(tag=pl.lit("x"))

def raises_behind_20(frame: pl.DataFrame) -> pl.DataFrame:
    if frame["id"].max() > 20:
        raise RuntimeError("not yet")
    return frame.with_columns(tag=pl.lit("x"))

def always_raises(frame: pl.DataFrame) -> pl.DataFrame:
    raise RuntimeError("never well")

def lacks_a_column(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("born").with_columns(tag=pl.lit("x"))

def adds_a_column(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(tag=pl.lit("x"), more=pl.lit(1))

def adds_rows(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame]).with_columns(tag=pl.lit("x"))

def returns_nothing(frame: pl.DataFrame) -> None:
    return None

def makes_bad_dates(frame: pl.DataFrame) -> pl.DataFrame:
    day = pl.col("born").cast(pl.String)
    odd = pl.when(pl.col("id") == 5).then(pl.lit("no day")).otherwise(day)
    return frame.with_columns(tag=pl.lit("x"), born=odd)

def wrong_annotation(frame: list) -> list:
    return frame

def two_arguments(frame: pl.DataFrame, more) -> pl.DataFrame:
    return frame

no_function = 7
"""
TARGETS = ("pg_url", "duckdb_url", "sqlite_url", "mariadb_url")


@pytest.fixture
def goods_url(tmp_path: Path) -> str:
    """A SQLite file with one table of every kind of value, NULLs among them."""
    path = tmp_path / "goods.sqlite"
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL(10,2), "
            "born DATE, "
            "active BOOLEAN, score INTEGER, weight DOUBLE, picture BLOB, seen TIMESTAMP)"
        )
        db.executemany(
            "INSERT INTO goods VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, range(1, ROWS + 1))
        )
    db.close()
    return f"sqlite:///{path}"


def _row(number: int) -> tuple[object, ...]:
    if number % 5 == 0:
        return (number, *[None] * 8)
    return (
        number,
        f"näme\t{number}",
        f"{number}.{number:02}",
        f"2020-02-{number % 28 + 1:02}",
        number % 2,
        2**52 + number,
        number / 7,
        bytes([0, number, 255]),
        f"2021-03-04 05:06:07.{number:06}",
    )


def _journey(going: Going, source: str, target: str, function: str, **table: object) -> Journey:
    journey = going(source, target, batch_size=20)
    # Each test has a module of its own: Python keeps what it has imported.
    module = f"goods_{function}_{abs(hash(str(journey.folder)))}"
    (journey.folder / f"{module}.py").write_text(MODULE)
    columns = {"tag": {"type": "TEXT"}}
    spec = {"name": "goods", "transform": f"{module}.{function}", "columns": columns, **table}
    journey.attributes["tables"] = [spec]
    return journey


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("function", ["with_polars", "with_pandas", "numpy_pandas"])
def test_values_survive_the_function(
    function: str, target: str, goods_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """Filtered rows are gone, the new column is there, every other value is what it was."""
    journey = _journey(going, goods_url, request.getfixturevalue(target), function)

    journey.run()

    kept = [n for n in range(1, ROWS + 1) if n % 3]
    columns = "id, name, price, born, active, score, weight, picture, seen, tag"
    found = {row[0]: row[1:] for row in journey.rows("goods", columns)}
    assert set(found) == set(kept)
    for number in kept:
        name, price, born, active, score, weight, picture, seen, tag = found[number]
        assert tag == f"n{number}"
        there = _row(number)
        if there[1] is None:
            assert (name, price, born, active, score, weight, picture, seen) == (None,) * 8
            continue
        assert Decimal(str(price)) == Decimal(str(there[2]))
        assert str(born) == there[3]
        assert str(active).lower() in (("1", "true") if there[4] else ("0", "false"))
        assert (name, int(score), float(weight), bytes(picture)) == (there[1], *there[5:8])
        assert str(seen).rstrip("0") == str(there[8]).rstrip("0")
    batches = journey.batches().values()
    assert sum(e.rows_filtered for e in batches) == ROWS - len(kept)
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) == {"equal"}


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("always_raises", ["never well", "row 1 "]),
        ("lacks_a_column", ["born"]),
        ("adds_a_column", ["more"]),
        ("adds_rows", ["rows"]),
        ("returns_nothing", ["NoneType"]),
    ],
)
def test_wrong_function_names_batch_and_row(
    function: str, words: list[str], goods_url: str, pg_url: str, going: Going
) -> None:
    """A function that raises or returns something else stops the run at its batch."""
    journey = _journey(going, goods_url, pg_url, function)

    error = journey.refused()

    assert isinstance(error, TransformError)
    assert all(word in str(error) for word in (*words, function, "load/goods/batch")), str(error)
    assert journey.batches() == {}


def test_row_that_the_function_raises_for_is_a_reject(
    goods_url: str, pg_url: str, going: Going
) -> None:
    """One row of sixty stands aside, with what the function said; all others arrive."""
    journey = _journey(going, goods_url, pg_url, "raises_on_33")

    error = journey.refused()

    assert isinstance(error, RejectsError)
    (reject,) = journey.rejects()
    assert (reject.row_key, reject.code) == ('["33"]', "DM302")
    assert "thirty-three" in reject.reason
    assert '"id": "33"' in reject.row_values
    assert {row[0] for row in journey.rows("goods", "id")} == set(range(1, ROWS + 1)) - {33}
    assert gaps(journey.batches()) == []
    assert set(journey.verdicts()) == {"equal"}


def test_mended_function_goes_on_behind_the_done_batches(
    goods_url: str, pg_url: str, going: Going, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the function was mended, the run resumes; done batches are not done again."""
    journey = _journey(going, goods_url, pg_url, "raises_behind_20")
    journey.refused()
    before = journey.batches()

    module = next(journey.folder.glob("goods_*.py"))
    module.write_text(MODULE.replace("> 20:", "> 2000:"))
    process = journey.start()  # a new process, as Python keeps what it has imported
    process.finish()

    assert len(before) == 1
    assert {k: v for k, v in journey.batches().items() if k in before} == before
    assert len(journey.rows("goods")) == ROWS


def test_value_that_the_target_refuses_is_a_reject(
    goods_url: str, pg_url: str, going: Going
) -> None:
    """What a function makes of a row is set aside if the target refuses it."""
    journey = _journey(going, goods_url, pg_url, "makes_bad_dates")

    error = journey.refused()

    assert isinstance(error, RejectsError)
    assert [r.table for r in journey.rejects()] == ["goods"]
    assert "no day" in journey.rejects()[0].row_values
    assert len(journey.rows("goods")) == ROWS - 1


@pytest.mark.parametrize(
    "function", ["wrong_annotation", "two_arguments", "no_function", "missing"]
)
def test_function_is_looked_for_before_anything_is_touched(
    function: str, goods_url: str, pg_url: str, going: Going
) -> None:
    """A function that is not there or takes no frame ends the run; the target is untouched."""
    journey = _journey(going, goods_url, pg_url, function)

    error = journey.refused()

    assert isinstance(error, TransformNotFoundError)
    assert function in error.message
    assert error.exit_code == 4
    assert journey.catalog().tables == ()
    assert journey.ledger_tables() == []


def test_module_is_the_one_beside_the_file(
    goods_url: str, pg_url: str, pg_url2: str, tmp_path: Path
) -> None:
    """Two migrations with a module of the same name use each its own, also in one process."""
    found = []
    for name, target in (("one", pg_url), ("two", pg_url2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "same_name.py").write_text(
            "import polars as pl\n"
            "def mark(frame: pl.DataFrame) -> pl.DataFrame:\n"
            f"    return frame.with_columns(name=pl.lit('{name}'))\n"
        )
        table = {"name": "goods", "transform": "same_name.mark"}
        journey = Journey(folder, goods_url, target, {"tables": [table]})
        journey.run()
        found.append(Counter(journey.rows("goods", "name")))

    assert found == [Counter({("one",): ROWS}), Counter({("two",): ROWS})]


@pytest.mark.parametrize("target", TARGETS)
def test_expression_rename_drop_and_where_work_together(
    target: str, goods_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """One table may be renamed, filtered, and have columns renamed, dropped, computed and cast."""
    journey = going(goods_url, request.getfixturevalue(target), batch_size=20)
    columns = {
        "name": {"rename": "title"},
        "picture": {"drop": True},
        "score": {"expression": "score - 4503599627370496"},
        "shout": {"expression": "upper('a' || id)", "type": "VARCHAR(10)"},
    }
    where = "id > 10 AND born IS NOT NULL"
    journey.attributes["tables"] = [
        {"name": "goods", "rename": "wares", "where": where, "columns": columns}
    ]
    journey.attributes["casts"] = [{"when": {"column": "goods.price"}, "to": "DECIMAL(14,4)"}]

    journey.run()

    found = {
        row[0]: row[1:] for row in journey.rows("wares", "id, title, price, score, shout, born")
    }
    assert set(found) == {n for n in range(11, ROWS + 1) if n % 5}
    title, price, score, shout, born = found[12]
    assert (title, Decimal(str(price)), int(score), shout) == (
        "näme\t12",
        Decimal("12.12"),
        12,
        "A12",
    )
    assert str(born) == str(date(2020, 2, 13))
    names = [c.name for t in journey.catalog().tables if t.name.name == "wares" for c in t.columns]
    assert "picture" not in names
    assert "name" not in names
    types = [
        c.type
        for t in journey.catalog().tables
        if t.name.name == "wares"
        for c in t.columns
        if c.name == "price"
    ]
    assert [(t.precision, t.scale) for t in types] == [(14, 4)]
    assert set(journey.verdicts()) == {"equal"}
