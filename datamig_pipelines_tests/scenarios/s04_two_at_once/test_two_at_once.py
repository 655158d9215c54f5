"""Two processes want the same target: the second is told so, the first one finishes."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from sqlalchemy.engine import URL

from datamig_pipelines import running
from datamig_pipelines.errors import RunningElsewhereError
from datamig_pipelines_tests.scenarios.conftest import Going

VERBS = (running.run, running.roll_back, running.validate)


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url", "duckdb_url", "mariadb_url"])
def test_second_run_is_refused_and_first_finishes(
    target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """While a run holds the target, run, rollback and validate end with RunningElsewhereError."""
    tables = ["regions", "countries", "customers"]
    journey = going(shop_url, request.getfixturevalue(target), batch_size=20, include=tables)

    first = journey.start()
    assert first.wait_for("Progress", 3)
    _hold(first.pid, journey.place("target").url)
    try:
        errors = [journey.refused(verb) for verb in VERBS]
    finally:
        os.kill(first.pid, signal.SIGCONT)
    first.finish()

    assert [type(e) for e in errors] == [RunningElsewhereError] * len(VERBS)
    assert all(e.hint and e.exit_code == 8 for e in errors)
    assert set(journey.verdicts()) == {"equal"}
    assert len(journey.run_ids()) == 1


def _hold(pid: int, target: URL) -> None:
    """Stop a process, but not in the moment of a commit, in which nobody can read a SQLite file."""
    for _ in range(100):
        os.kill(pid, signal.SIGSTOP)
        if target.get_backend_name() != "sqlite" or _readable(str(target.database)):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.003)
    pytest.fail("the file was locked each time")


def _readable(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=0)) as probe:
        try:
            probe.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            return False
        return True


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
