"""What a plan says about limits."""

import pytest

from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.planning.pacing import pace_notes
from datamig_pipelines.spec import Migration


def migration(**throttle: float) -> Migration:
    said = {"name": "m", "source": {"url": "sqlite:///a"}, "target": {"url": "sqlite:///b"}}
    return Migration.model_validate({**said, "throttle": throttle})


def test_plan_without_limits_says_nothing():
    """No word in the file, no line in the plan."""
    assert pace_notes(migration(), DIALECTS["postgres"]) == []


def test_plan_names_the_limits_that_hold():
    """A reader of the plan sees why it will take longer."""
    said = migration(rows_per_s=1000, max_lag_s=5, lock_timeout_s=2)

    assert pace_notes(said, DIALECTS["postgres"]) == [
        "throttle: rows_per_s 1000, lock_timeout_s 2, max_lag_s 5"
    ]


@pytest.mark.parametrize(
    ("engine", "deaf"),
    [
        ("mysql", {"max_lag_s"}),
        ("sqlite", {"max_lag_s", "statement_timeout_s"}),
        ("duckdb", {"max_lag_s", "statement_timeout_s", "lock_timeout_s"}),
    ],
)
def test_plan_names_the_limits_that_an_engine_does_not_know(engine, deaf):
    """A limit that does nothing is said, not swallowed."""
    said = migration(lock_timeout_s=1, statement_timeout_s=1, max_lag_s=1, max_commit_s=1)
    notes = pace_notes(said, DIALECTS[engine])

    assert {n.split(":")[0] for n in notes[1:]} == {f"throttle.{k}" for k in deaf}


@pytest.mark.parametrize("key", ["rows_per_s", "bytes_per_s", "lock_timeout_s", "max_commit_s"])
def test_limit_of_nothing_is_refused(key):
    """0 would mean never; leave the key out for no limit."""
    with pytest.raises(ValueError, match=key):
        migration(**{key: 0})
