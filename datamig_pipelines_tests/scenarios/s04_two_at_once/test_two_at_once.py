"""Two processes want the same target: the second is told so, the first one finishes."""

import os
import signal

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import RunningElsewhereError
from datamig_pipelines_tests.scenarios.conftest import Going

VERBS = (running.run, running.roll_back, running.validate)


@pytest.mark.parametrize("target", ["pg_url", "sqlite_url", "duckdb_url"])
def test_second_run_is_refused_and_first_finishes(
    target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """While a run holds the target, run, rollback and validate end with RunningElsewhereError."""
    tables = ["regions", "countries", "customers"]
    journey = going(shop_url, request.getfixturevalue(target), batch_size=20, include=tables)

    first = journey.start()
    assert first.wait_for("Progress", 3)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        errors = [journey.refused(verb) for verb in VERBS]
    finally:
        os.kill(first.pid, signal.SIGCONT)
    first.finish()

    assert [type(e) for e in errors] == [RunningElsewhereError] * len(VERBS)
    assert all(e.hint and e.exit_code == 8 for e in errors)
    assert set(journey.verdicts()) == {"equal"}
    assert len(journey.run_ids()) == 1
