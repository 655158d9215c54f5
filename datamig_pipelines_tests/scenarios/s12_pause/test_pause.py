"""A running load is held up from another process, and goes on when somebody says so."""

import time

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import LedgerError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey, gaps
from datamig_pipelines_tests.scenarios.process import Process

TARGETS = ["pg_url", "mariadb_url", "sqlite_url", "duckdb_url"]
TABLES = ["regions", "countries", "customers", "addresses"]


def slow(going: Going, shop_url: str, target_url: str) -> Journey:
    """Return a migration in many small batches, of which some pass between two looks for a word."""
    throttle = {"rows_per_s": 500}
    return going(shop_url, target_url, batch_size=10, include=TABLES, throttle=throttle)


def paused(journey: Journey) -> Process:
    """Return a running load that has just begun to wait."""
    process = journey.start()
    assert process.wait_for("Progress", 3)
    word = running.pause(journey.migration)
    assert process.wait_for("Paced"), process.complaints
    process.run_ahead()
    assert word.paused
    return process


@pytest.mark.parametrize("target", TARGETS)
def test_paused_load_writes_nothing_until_it_is_resumed(
    target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """While paused no batch is committed; afterwards every row arrives once, and is proven.

    But for one batch of every other worker, which may have been at the end of it.
    """
    journey = slow(going, shop_url, request.getfixturevalue(target))
    others = journey.migration.workers - 1 if target in ("pg_url", "mariadb_url") else 0
    process = paused(journey)
    told = len(process.events)
    before = journey.batches() if target != "duckdb_url" else {}
    while _open_transactions(journey):  # until those have ended
        time.sleep(0.05)
    time.sleep(0.7)  # time to do what must not be done
    after = journey.batches() if target != "duckdb_url" else {}

    assert others or process._ear.poll() is False
    assert before.items() <= after.items()
    assert len(after) <= len(before) + others
    assert running.resume(journey.migration) is not None
    process.finish()
    assert len(process.events) > told
    assert set(journey.verdicts()) == {"equal"}
    assert gaps(journey.batches()) == []


def _open_transactions(journey: Journey) -> int:
    """Return how many of our sessions keep a transaction open on a PostgreSQL target."""
    if journey.place("target").dialect.name != "postgresql":
        return 0
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'datamig' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )
    return int(journey.ask(asked)[0][0])


def test_pause_outlives_a_kill_and_is_shown(shop_url: str, pg_url: str, going: Going) -> None:
    """A killed load that is started again waits on; status says since when and by whom."""
    journey = slow(going, shop_url, pg_url)
    assert paused(journey).kill()

    again = journey.start()
    assert again.wait_for("Paced")
    shown = running.status(journey.migration)["paused"]
    running.resume(journey.migration)
    again.finish()

    assert "@" in shown["who"]
    assert shown["at"][:2] == "20"
    assert running.status(journey.migration)["paused"] is None
    assert set(journey.verdicts()) == {"equal"}


def test_pause_is_of_one_run_only(shop_url: str, pg_url: str, going: Going) -> None:
    """After a rollback nobody remembers the pause: the next run goes through."""
    journey = slow(going, shop_url, pg_url)
    assert paused(journey).kill()
    list(running.roll_back(journey.migration))

    journey.run()

    assert running.status(journey.migration)["paused"] is None
    assert set(journey.verdicts()) == {"equal"}


@pytest.mark.parametrize("verb", [running.pause, running.resume])
@pytest.mark.parametrize("target", ["pg_url", "sqlite_url", "duckdb_url"])
def test_nothing_to_pause_is_said(
    verb: object, target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """Before the first run and after a finished one there is nothing to pause, and no word stays."""
    journey = going(shop_url, request.getfixturevalue(target), include=["regions"])
    with pytest.raises(LedgerError, match="no unfinished run"):
        verb(journey.migration)  # type: ignore[operator]
    journey.run()

    with pytest.raises(LedgerError, match="the last one is done"):
        verb(journey.migration)  # type: ignore[operator]
    assert running.status(journey.migration)["paused"] is None
