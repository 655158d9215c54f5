"""Rows that a function made are held against what it makes of the source now."""

import pytest

from datamig_pipelines import running
from datamig_pipelines_tests.scenarios.conftest import Going, going
from datamig_pipelines_tests.scenarios.journey import Journey

__all__ = ["going"]

ROWS = 500
MODULE = """
import random
import polars as pl

def moved(frame: pl.DataFrame) -> pl.DataFrame:
    kept = frame.filter(pl.col("id") % 3 != 0)
    return kept.with_columns(pl.col("id") + 1000, pl.col("name").str.to_uppercase(), tag=pl.lit("x"))

def placed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(tag=pl.int_range(pl.len()).cast(pl.String))

def rolled(frame: pl.DataFrame) -> pl.DataFrame:
    tags = [str(random.random()) for _ in range(len(frame))]
    return frame.with_columns(tag=pl.Series(tags))

def raises_on_7(frame: pl.DataFrame) -> pl.DataFrame:
    if 7 in frame["id"]:
        raise RuntimeError("seven")
    return frame.with_columns(tag=pl.lit("x"))

def too_long(frame: pl.DataFrame) -> pl.DataFrame:
    tag = pl.when(pl.col("id") == 7).then(pl.lit("long")).otherwise(pl.lit("x"))
    return frame.with_columns(tag=tag)
"""
REJECTS = {"abort_above": "10%", "allow": ["goods"]}
PAIRS = (
    ("sqlite_url", "pg_url"),
    ("pg_url", "mariadb_url"),
    ("mariadb_url", "duckdb_url"),
    ("duckdb_url", "sqlite_url"),
)


def loaded(journey: Journey, function: str, *, key: bool = True, **said: object) -> Journey:
    """Fill the source, write the function beside the file, and run."""
    module = f"made_{function}_{abs(hash(str(journey.folder)))}"
    (journey.folder / f"{module}.py").write_text(MODULE)
    columns = {"tag": {"type": "varchar(200)"}} | said.pop("columns", {})
    spec = {"name": "goods", "transform": f"{module}.{function}", "columns": columns}
    journey.attributes |= {
        "tables": [spec],
        "batch_size": 100,
        "backup": {"verify": "none"},
        **said,
    }
    rows = ", ".join(
        f"({n}, 'näme {n}', {n}.25, '2021-03-04 05:06:07.25')"
        if n % 5
        else f"({n}, NULL, NULL, NULL)"
        for n in range(1, ROWS + 1)
    )
    moment = "datetime(6)" if journey.source_url.startswith("mysql") else "timestamp"
    journey.ask(
        f"CREATE TABLE goods (id int{' PRIMARY KEY' if key else ''}, name varchar(50), "
        f"price decimal(10,2), seen {moment})",
        f"INSERT INTO goods VALUES {rows}",
        side="source",
    )
    return journey


def seen(journey: Journey) -> running.TableDiff:
    """Return what `datamig diff` says of the one table."""
    (found,) = running.diff(journey.migration)
    return found


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_rows_that_differ_from_what_the_function_returns_are_named(
    request: pytest.FixtureRequest, going: Going, source: str, target: str
) -> None:
    """A changed, a lost and a foreign row are found by the target's key, and mended by the repairs."""
    journey = going(request.getfixturevalue(source), request.getfixturevalue(target))
    loaded(journey, "moved").run()
    assert seen(journey).verdict == "equal"
    goods = journey.named("goods")

    journey.ask(
        f"UPDATE {goods} SET price = 7.5 WHERE id = 1002",
        f"DELETE FROM {goods} WHERE id = 1004",
        f"INSERT INTO {goods} (id, name) VALUES (9, 'nobody')",
    )

    found = seen(journey)
    assert found.verdict == "different"
    assert {(d.key, d.column, d.cause) for d in found.diff.differences} == {
        ('["1002"]', "price", "another value"),
        ('["1004"]', "", "missing row"),
        ('["9"]', "", "extra row"),
    }
    assert "of what made_moved" in found.diff.how
    journey.ask(*[s.sql for s in found.repairs])
    assert seen(journey).verdict == "equal"


def test_source_that_moved_on_is_seen(going: Going, sqlite_url: str, pg_url: str) -> None:
    """What the source changed, lost or got since differs, whichever batch it is in."""
    journey = loaded(going(sqlite_url, pg_url), "moved")
    journey.run()

    journey.ask(
        "UPDATE goods SET name = 'other' WHERE id = 2",
        "DELETE FROM goods WHERE id = 200",
        "INSERT INTO goods (id) VALUES (0), (-2), (601), (602)",
        side="source",
    )

    found = seen(journey).diff
    assert {(d.key, d.column, d.cause) for d in found.differences} == {
        ('["1002"]', "name", "another value"),
        ('["1200"]', "", "extra row"),
        *((f'["{n}"]', "", "missing row") for n in (998, 1601, 1602)),
    }


def test_function_sees_the_batches_of_the_load(going: Going, sqlite_url: str, pg_url: str) -> None:
    """A function that looks at the rows around one gets those that it had; there need be no key."""
    journey = loaded(going(sqlite_url, pg_url), "placed", key=False)
    journey.run()

    assert seen(journey).verdict == "equal"


def test_function_that_returns_other_rows_each_time_is_not_comparable(
    going: Going, sqlite_url: str, pg_url: str
) -> None:
    """Nobody can say what the target has to hold: said, and not red."""
    journey = loaded(going(sqlite_url, pg_url), "rolled")
    journey.run()

    found = seen(journey)

    assert (found.diff, found.verdict) == (None, "not comparable")
    assert found.reason.endswith("returns other rows each time it is asked")


def test_row_that_the_function_raises_for_is_no_difference(
    going: Going, sqlite_url: str, pg_url: str
) -> None:
    """It is a reject, here and there."""
    journey = loaded(going(sqlite_url, pg_url), "raises_on_7", rejects=REJECTS)
    journey.run()

    assert seen(journey).verdict == "equal"


def test_row_that_the_target_refused_makes_it_not_comparable(
    going: Going, sqlite_url: str, pg_url: str
) -> None:
    """The function makes a row that the ledger has among the rejects: the sums cannot be equal."""
    tag = {"tag": {"type": "varchar(2)"}}
    journey = loaded(going(sqlite_url, pg_url), "too_long", columns=tag, rejects=REJECTS)
    journey.run()

    found = seen(journey)

    assert found.verdict == "not comparable"
    assert found.reason.startswith("the target refused 1 rows that ")


def test_document_that_a_function_made_is_proven_and_compared(
    going: Going, sqlite_url: str, pg_url: str
) -> None:
    """The loader's checksum of a row with a document is the one that the target is asked for."""
    journey = going(sqlite_url, pg_url, backup={"verify": "none"}, batch_size=3)
    (journey.folder / "made_documents.py").write_text("def same(frame):\n    return frame\n")
    spec = {"transform": "made_documents.same", "columns": {"j": {"type": "jsonb"}}}
    journey.attributes["tables"] = [{"name": "goods", **spec}]
    rows = ", ".join(f"""({n}, '{{"b":  {n}.50, "a": null}}')""" for n in range(8))
    journey.ask(
        "CREATE TABLE goods (id integer PRIMARY KEY, j json)",
        f"INSERT INTO goods VALUES {rows}, (8, NULL)",
        side="source",
    )

    journey.run()

    assert set(journey.verdicts()) == {"equal"}
    assert seen(journey).verdict == "equal"
    journey.ask(f"UPDATE {journey.named('goods')} SET j = '[]' WHERE id = 5")
    (found,) = seen(journey).diff.differences
    assert (found.key, found.source, found.target) == ('["5"]', '{"a":null,"b":5.5}', "[]")
    assert "against what made_documents.same returned" in journey.refused(running.validate).message
