"""Two processes want the same target: the second is told so, the first one finishes."""

import sqlite3
from contextlib import closing

import pytest

from datamig_pipelines import running
from datamig_pipelines.dialects.mysql import driver as mysql
from datamig_pipelines.dialects.postgres import driver as postgres
from datamig_pipelines.errors import RunningElsewhereError
from datamig_pipelines_tests.scenarios.conftest import Going

VERBS = (running.run, running.roll_back, running.validate)


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url", "duckdb_url", "mariadb_url"])
def test_second_run_is_refused_and_first_finishes(
    target: str,
    shop_url: str,
    going: Going,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a run holds the target, run, rollback and validate end with RunningElsewhereError."""
    tables = ["regions", "countries", "customers"]
    journey = going(shop_url, request.getfixturevalue(target), batch_size=20, include=tables)

    for driver in (mysql, postgres):  # the first lives: nobody need wait for a lock left behind
        monkeypatch.setattr(driver, "_RUN_WAIT_S", 0)
    first = journey.start()
    assert first.wait_for("Progress", 3)
    errors = [journey.refused(verb) for verb in VERBS]
    first.finish()

    assert [type(e) for e in errors] == [RunningElsewhereError] * len(VERBS)
    assert all(e.hint and e.exit_code == 8 for e in errors)
    assert set(journey.verdicts()) == {"equal"}
    assert len(journey.run_ids()) == 1


def test_target_that_is_being_committed_is_somebody_elses(
    shop_url: str, sqlite_url: str, going: Going
) -> None:
    """A SQLite file that is locked in the moment it is opened counts as taken, not as broken."""
    journey = going(shop_url, f"{sqlite_url}?timeout=0.1", include=["regions"])
    path = str(journey.place("target").url.database)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE theirs (id INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        error = journey.refused(running.run)

    assert isinstance(error, RunningElsewhereError)
    assert error.hint
