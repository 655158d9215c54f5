"""Approvals, edits, drift and the line in Dagster."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from datamig_pipelines.running import acknowledge, approve, outlook, run
from datamig_pipelines.spec import Launch
from datamig_pipelines_tests.orchestration.conftest import BOOKS, Library

NEEDED = {"approval": {"required": True, "by": ["anna"]}}


def failure(result: Any) -> Any:
    """Return what the failed step says of itself."""
    [event] = [e for e in result.all_events if e.is_step_failure]
    return event.event_specific_data.user_failure_data


def check(result: Any) -> Any:
    """Return the verdict of the check of the plan."""
    [found] = [c for c in result.get_asset_check_evaluations() if c.check_name == "approved"]
    return found


def test_job_stops_at_the_plan_until_it_is_approved(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """The check says who may approve; nothing behind it runs; approved, the job goes through."""
    planned.attributes |= NEEDED
    held = planned.run(instance)

    assert not held.success
    assert not check(held).passed
    assert "anna may approve it" in check(held).description
    assert not planned.target.exists()
    assert planned.run(instance, "library_approve", who="anna").success
    through = planned.run(instance)
    assert through.success
    assert check(through).passed
    assert len(planned.rows("books")) == BOOKS


def test_approval_from_elsewhere_is_seen(planned: Library, instance: dg.DagsterInstance) -> None:
    """What the command line approved lets the job through: the ledger is the one place."""
    planned.attributes |= NEEDED
    approve(planned.migration, by="anna")

    assert planned.run(instance).success


def test_approve_job_refuses_strangers_and_other_plans(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """Who is not named may not, and a fingerprint that is not the plan's is refused."""
    planned.attributes |= NEEDED

    stranger = planned.run(instance, "library_approve", who="carl")
    other = planned.run(instance, "library_approve", who="anna", plan="abcdef")

    assert failure(stranger).metadata["code"].value == "DM623"
    assert failure(other).metadata["code"].value == "DM260"


def test_plan_is_shown_without_an_approval(planned: Library, instance: dg.DagsterInstance) -> None:
    """Whoever is to approve has to read the plan first: the plan's own job and a dry run show it."""
    planned.attributes |= NEEDED

    assert planned.run(instance, "library_plan").success
    assert planned.run(instance, dry_run=True).success
    assert not planned.target.exists()


def test_check_alone_can_be_asked(planned: Library, instance: dg.DagsterInstance) -> None:
    """The button of the check in the UI evaluates it and materializes nothing."""
    planned.attributes |= NEEDED
    checks = [dg.AssetCheckKey(dg.AssetKey(["library", "plan"]), "approved")]
    job = dg.define_asset_job("only", dg.AssetSelection.checks(*checks))
    defs = dg.Definitions.merge(planned.defs, dg.Definitions(jobs=[job]))

    result = defs.resolve_job_def("only").execute_in_process(
        instance=instance, raise_on_error=False
    )

    assert not check(result).passed
    assert result.get_asset_materialization_events() == []


def test_way_back_needs_no_approval(planned: Library, instance: dg.DagsterInstance) -> None:
    """direction: down, and a run of what is acknowledged, owe no verdict of the check."""
    planned.attributes |= NEEDED
    approve(planned.migration, by="anna")
    assert planned.run(instance).success
    planned.attributes["tables"] = [{"name": "books", "where": "id > 1"}]
    acknowledge(planned.migration)

    assert planned.run(instance).success
    assert planned.run(instance, direction="down").success


def test_step_alone_does_not_slip_past_the_approval(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """Materializing a later asset alone is refused by the step itself."""
    planned.attributes |= NEEDED

    result = planned.materialize(instance, "backup")

    assert failure(result).metadata["code"].value == "DM622"


def test_sensor_launches_once_approved(planned: Library, instance: dg.DagsterInstance) -> None:
    """Stopped at first; it asks for the approved plan and for nothing else, once per approval."""
    planned.attributes |= NEEDED
    sensor = planned.defs.get_sensor_def("library_approved")
    assert sensor.default_status is dg.DefaultSensorStatus.STOPPED

    waiting = sensor(dg.build_sensor_context(instance=instance))
    entry = approve(planned.migration, by="anna")
    one, two = (sensor(dg.build_sensor_context(instance=instance)) for _ in range(2))

    assert isinstance(waiting, dg.SkipReason)
    assert "nobody approved it" in str(waiting.skip_message)
    assert one.run_key == two.run_key
    assert one.run_config == {"plan": entry.fingerprint}
    assert planned.run(instance, **one.run_config).success
    assert isinstance(sensor(dg.build_sensor_context(instance=instance)), dg.SkipReason)
    assert planned.run(instance, "library_rollback").success
    after = sensor(dg.build_sensor_context(instance=instance))
    assert "for people" in str(after.skip_message)


def test_no_approval_no_check_and_no_job(planned: Library) -> None:
    """Where nothing is asked, nothing of it is shown."""
    jobs = {j.name for j in planned.defs.resolve_all_job_defs()}

    assert "library_approve" not in jobs
    with pytest.raises(Exception, match="library_approved"):
        planned.defs.get_sensor_def("library_approved")


def test_edited_migration_fails_at_the_plan_and_names_the_edit(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """Refused with the lines; `_plan` shows it; once acknowledged the job ends green and does nothing."""
    assert planned.run(instance).success
    planned.attributes["tables"] = [{"name": "books", "where": "id > 1"}]

    edited = planned.run(instance)
    assert failure(edited).metadata["code"].value == "DM602"
    assert "where '' → id > 1" in failure(edited).description
    assert planned.run(instance, "library_plan").success
    acknowledge(planned.migration)
    assert planned.run(instance).success
    tables = ("tables/authors", "tables/books", "tables/loans_2024")
    assert planned.materialize(instance, *tables).success
    assert len(planned.rows("books")) == BOOKS


def test_drift_fails_at_the_plan(planned: Library, instance: dg.DagsterInstance) -> None:
    """A table of ours that somebody dropped stops the job, by its name."""
    assert planned.run(instance).success
    planned.tamper('DROP TABLE "loans-2024"')

    result = planned.run(instance)

    assert failure(result).metadata["code"].value == "DM621"
    assert "loans-2024: removed" in failure(result).description


def test_job_out_of_order_names_the_job_to_run(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """A predecessor that is not applied stops the job; its last asset stands before this plan."""
    first = Library(planned.folder.parent / "first", {"name": "first", "include": ["authors"]})
    first.folder.mkdir()
    (first.folder / "defs.yaml").write_text(
        "type: datamig_pipelines.Migration\n"
        "attributes:\n"
        "  name: first\n"
        f"  source: {{url: 'sqlite:///{planned.folder}/books.sqlite'}}\n"
        f"  target: {{url: 'duckdb:///{planned.target}'}}\n"
    )
    planned.attributes["after"] = "first"

    result = planned.run(instance)

    assert failure(result).metadata["code"].value == "DM620"
    assert "job first" in failure(result).metadata["hint"].value
    graph = planned.defs.resolve_asset_graph()
    parents = graph.get(dg.AssetKey(["library", "plan"])).parent_keys
    assert parents == {dg.AssetKey(["first", "report"])}


def test_asked_plan_is_run_or_nothing(planned: Library, instance: dg.DagsterInstance) -> None:
    """`plan:` of the run configuration holds the job to that plan."""
    asked = outlook(planned.migration).plan.fingerprint

    assert failure(planned.run(instance, plan="abc")).metadata["code"].value == "DM260"
    assert planned.run(instance, plan=asked).success
    list(run(planned.migration, Launch(plan=asked)))


def test_sensor_is_not_asked_too_often() -> None:
    """A look reads two catalogs: once a minute is enough."""
    from datamig_pipelines.orchestration import approvals

    assert timedelta(seconds=approvals._INTERVAL_S) >= timedelta(minutes=1)


def test_refusal_is_the_error_of_the_step(planned: Library, instance: dg.DagsterInstance) -> None:
    """Each thing that is missing is said with its next move, where Dagster would name checks."""
    planned.attributes |= {**NEEDED, "rehearsal": {"required": True}}
    said = failure(planned.run(instance))

    assert said.metadata["code"].value == "DM366"
    assert "job library_rehearse" in said.metadata["hint"].value
    assert "DM366" in said.description
    assert "DM622" in said.description
    assert "job library_approve" in said.description
    planned.attributes["rehearsal"] = {}
    assert failure(planned.run(instance)).metadata["code"].value == "DM622"


def test_approving_turns_the_check_green(planned: Library, instance: dg.DagsterInstance) -> None:
    """Nobody has to run anything to see in the catalog that the plan may run now."""
    planned.attributes |= NEEDED
    assert not planned.run(instance).success
    key = dg.AssetCheckKey(dg.AssetKey(["library", "plan"]), "approved")
    red = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert planned.run(instance, "library_approve", who="anna").success
    green = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]

    assert red.status.value == "FAILED"
    assert green.status.value == "SUCCEEDED"


def test_plan_says_in_words_who_may_approve(planned: Library, instance: dg.DagsterInstance) -> None:
    """The asset's metadata is a sentence, before the approval and after it."""
    planned.attributes |= NEEDED

    def said() -> str:
        (made,) = planned.run(instance, "library_plan").get_asset_materialization_events()
        facts = made.step_materialization_data.materialization.metadata
        return str(facts["approval"].value)

    assert "nobody approved it; anna may approve" in said()
    assert planned.run(instance, "library_approve", who="anna").success
    assert said().startswith("approved by anna until ")
