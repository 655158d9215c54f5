"""SQLite holds anything anywhere: what a target refuses is set aside, the rest is loaded."""

import json
import sqlite3
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import RefusedError, RejectsError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey, gaps

ROWS = 100
BATCH = 16
BAD = {  # row → what makes it impossible, as SQL
    7: ("amount", "'many'"),
    20: ("born", "'2020-13-45'"),
    31: ("name", "'a' || char(0) || 'b'"),
    44: ("name", "CAST(X'FF41' AS TEXT)"),
    45: ("amount", "X'00FF'"),
    90: ("amount", "-5"),
}
REFUSED = {
    "pg_url": {7, 20, 31, 44, 45, 90},
    "duckdb_url": {7, 20, 44, 45, 90},
    "mariadb_url": {7, 20, 44, 45, 90},
    "sqlite_url": {90},
}


@pytest.fixture
def messy_url(tmp_path: Path) -> str:
    """A SQLite file with bad rows among good ones, and a clean table that refers to them."""
    path = tmp_path / "messy.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, born DATE, "
            "amount INTEGER CHECK (amount >= 0))"
        )
        db.execute("CREATE TABLE clean (id INTEGER PRIMARY KEY, name TEXT)")
        people = [(i, f"name {i}", f"19{i % 90 + 10}-01-31", i * 3) for i in range(1, ROWS + 1)]
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", people)
        db.executemany("INSERT INTO clean VALUES (?, ?)", [(i, "x") for i in range(ROWS)])
        for number, (column, value) in BAD.items():
            db.execute(f"UPDATE people SET {column} = {value} WHERE id = {number}")
    db.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize("target", REFUSED)
def test_bad_rows_are_set_aside_and_good_ones_loaded(
    target: str, messy_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """Exactly the impossible rows are rejects, with key, values and reason; the run ends red."""
    journey = going(messy_url, request.getfixturevalue(target), batch_size=BATCH)

    error = journey.refused()

    assert isinstance(error, RejectsError)
    assert error.exit_code == 2
    assert "people" in error.message
    rejects = {int(json.loads(r.row_key)[0]): r for r in journey.rejects()}
    assert set(rejects) == REFUSED[target]
    assert all(r.table == "people" and r.reason and r.hint for r in rejects.values())
    assert {n: json.loads(r.row_values)["id"] for n, r in rejects.items()} == {
        n: str(n) for n in rejects
    }
    assert json.loads(rejects[90].row_values) == {
        "id": "90",
        "name": "name 90",
        "born": "1910-01-31",
        "amount": "-5",
    }
    assert {r[0] for r in journey.rows("people", "id")} == {*range(1, ROWS + 1)} - set(rejects)
    assert len(journey.rows("clean")) == ROWS
    _assert_accounted(journey, len(rejects))


@pytest.mark.parametrize("target", REFUSED)
def test_all_steps_are_done_in_spite_of_rejects(
    target: str, messy_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """A run that ends with RejectsError has done every step, and says so again when repeated."""
    journey = going(messy_url, request.getfixturevalue(target), batch_size=BATCH)

    journey.refused()
    before = journey.batches()
    again = journey.refused()

    steps = running.status(journey.migration)["steps"]
    assert set(steps.values()) == {"done"}
    assert "report" in steps
    assert isinstance(again, RejectsError)
    assert journey.batches() == before


@pytest.mark.parametrize("allowed", ["people", "peo*"])
def test_allowed_rejects_end_green(allowed: str, messy_url: str, pg_url: str, going: Going) -> None:
    """Rejects in a table that the spec names are no failure; nothing is loaded again."""
    journey = going(messy_url, pg_url, batch_size=BATCH)
    journey.refused()
    before = journey.batches()

    journey.attributes["rejects"] = {"allow": [allowed]}
    journey.run()

    assert journey.batches() == before
    assert running.status(journey.migration)["runs"][-1]["status"] == "done"
    assert len(journey.rejects()) == len(REFUSED["pg_url"])


@pytest.mark.parametrize("limit", ["2", "3%"])
def test_too_many_rejects_stop_the_run(
    limit: str, messy_url: str, pg_url: str, going: Going
) -> None:
    """Over ``abort_above`` the load stops early, its batches are kept and accounted."""
    journey = going(messy_url, pg_url, batch_size=BATCH, rejects={"abort_above": limit})

    error = journey.refused()

    assert isinstance(error, RejectsError)
    assert limit in error.message
    assert "people" in error.where
    read = sum(e.rows_read for e in journey.batches().values() if e.table == "people")
    assert 0 < read < ROWS
    assert "constraints" not in running.status(journey.migration)["steps"]
    assert gaps(journey.batches()) == []


def test_rejected_run_can_be_taken_back_and_repeated(
    messy_url: str, pg_url: str, going: Going
) -> None:
    """After a rollback and a mend of the source, the run ends green with every row."""
    journey = going(messy_url, pg_url, batch_size=BATCH)
    journey.refused()
    list(running.roll_back(journey.migration))

    numbers = ", ".join(map(str, BAD))
    journey.ask(f"DELETE FROM people WHERE id IN ({numbers})", side="source")
    journey.run()

    assert len(journey.rows("people")) == ROWS - len(BAD)
    assert journey.rejects() == []


@pytest.mark.parametrize("target", ["pg_url", "duckdb_url"])
def test_refused_reference_names_the_rejects(
    target: str, messy_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """A reference to a rejected row cannot be added: the error says where and why."""
    journey = going(messy_url, request.getfixturevalue(target), batch_size=BATCH)
    journey.ask(
        "CREATE TABLE pets (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES people (id))",
        "INSERT INTO pets SELECT id, id FROM people",
        side="source",
    )

    error = journey.refused()

    assert isinstance(error, RefusedError)
    assert error.where.startswith("constraints/")
    assert "pets" in error.where
    assert "people" in error.hint


def _assert_accounted(journey: Journey, rejected: int) -> None:
    batches = [e for e in journey.batches().values() if e.table == "people"]
    assert gaps(journey.batches()) == []
    assert len(batches) == -(-ROWS // BATCH)
    assert sum(e.rows_read for e in batches) == ROWS
    assert sum(e.rows_rejected for e in batches) == rejected
    assert sum(e.rows_loaded for e in batches) == ROWS - rejected
    assert sum(e.rows_filtered for e in batches) == 0
