"""Rehearsals in Dagster: the check that holds the plan, and what a red one shows."""

import sqlite3
from typing import Any

import dagster as dg
import pytest

from datamig_pipelines.steps import StepDone
from datamig_pipelines.steps.schema import Schema
from datamig_pipelines_tests.orchestration.conftest import BOOKS, Library

NEEDED = {"rehearsal": {"required": True}}


def check(result: Any) -> Any:
    """Return the verdict of the check of the plan."""
    [found] = [c for c in result.get_asset_check_evaluations() if c.check_name == "rehearsed"]
    return found


def test_job_stops_at_the_plan_until_it_is_rehearsed(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """The check says what to do; nothing behind it runs; rehearsed, the job goes through."""
    planned.attributes |= NEEDED
    held = planned.run(instance)

    assert not held.success
    assert not check(held).passed
    assert check(held).blocking
    assert "job library_rehearse" in check(held).description
    assert not planned.target.exists()
    assert planned.run(instance, dry_run=True).success, "a plan can be shown"
    assert planned.run(instance, "library_rehearse", sample=10).success, "a number is no text"
    through = planned.run(instance)
    assert through.success
    assert "a sample of 10: lossless" in check(through).description
    assert len(planned.rows("books")) == BOOKS


def test_red_rehearsal_shows_its_evidence(
    planned: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed step has no output: classes and evidence stand in the failure, beside code and hint."""
    monkeypatch.setattr(Schema, "undo", lambda *_: iter([StepDone("schema")]))
    result = planned.run(instance, "library_rehearse")

    (event,) = [e for e in result.all_events if e.is_step_failure]
    facts = event.event_specific_data.user_failure_data.metadata
    assert facts["code"].value == "DM351"
    assert facts["class"].value == "irreversible"
    assert "| schema | irreversible |" in facts["steps"].value
    assert "left: table" in facts["steps"].value
    assert facts["file"].value


def test_values_of_rejected_rows_stay_in_the_file(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """Dagster keeps counts: what a person wrote into a row is no metadata of a run."""
    secret = "anna.nowhere@example.org"
    with sqlite3.connect(planned.folder / "books.sqlite") as source:
        source.execute("CREATE TABLE ages (id INTEGER PRIMARY KEY, age INTEGER)")
        source.execute("INSERT INTO ages VALUES (1, ?)", (secret,))
    planned.attributes |= {"rejects": {"allow": ["ages"], "abort_above": "100%"}}

    result = planned.run(instance, "library_rehearse")

    told = " ".join(str(e) for e in result.all_events)
    files = list(planned.migration.home.glob("rehearsals/*.json"))
    assert "'rejected rows': IntMetadataValue(value=1)" in told
    assert secret in files[0].read_text()
    assert secret not in told


@pytest.mark.parametrize("green", [True, False])
def test_verdict_is_shown_at_the_plan(
    planned: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, *, green: bool
) -> None:
    """The check says it at once, and the plan's events have the table of the steps."""
    planned.attributes |= NEEDED
    if not green:
        monkeypatch.setattr(Schema, "undo", lambda *_: iter([StepDone("schema")]))
    assert planned.run(instance, "library_rehearse", sample=10).success is green

    plan = dg.AssetKey(["library", "plan"])
    key = dg.AssetCheckKey(plan, "rehearsed")
    shown = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert shown.status.value == ("SUCCEEDED" if green else "FAILED")
    (seen,) = instance.fetch_observations(plan, limit=5).records
    facts = seen.asset_observation.metadata
    assert f"| schema | {'lossless' if green else 'irreversible'} |" in facts["steps"].value
