"""What a run does, and what it leaves alone."""

import sqlite3
from typing import Any

import dagster as dg
import pytest

from datamig_pipelines.orchestration.metadata import step_facts
from datamig_pipelines.steps import STEPS, StepDone
from datamig_pipelines.steps.schema import Schema
from datamig_pipelines_tests.orchestration.conftest import AUTHORS, BOOKS, Library


def _table(result: Any, table: str) -> dg.AssetMaterialization:
    key = dg.AssetKey(["library", "tables", table])
    events = [e for e in result.all_events if e.is_step_materialization and e.asset_key == key]
    return events[-1].step_materialization_data.materialization


def _skipped(result: Any) -> set[str]:
    return {e.step_key for e in result.all_events if e.is_step_skipped}


def _failure(result: Any) -> Any:
    event = next(e for e in result.all_events if e.is_step_failure)
    return event.step_failure_data.user_failure_data


def test_job_moves_the_rows(planned: Library, instance: dg.DagsterInstance) -> None:
    """The job loads every table; each materializes with its figures and its columns' origin."""
    planned.attributes = {"tables": [{"name": "books", "columns": {"title": {"rename": "name"}}}]}
    result = planned.run(instance)

    assert result.success
    assert len(planned.rows("authors")) == AUTHORS
    assert len(planned.rows("loans-2024")) == 1
    facts = _table(result, "books").metadata
    assert facts["dagster/row_count"].value == BOOKS
    assert facts["dagster/table_name"].value.endswith("books")
    assert [c.name for c in facts["dagster/column_schema"].schema.columns][2] == "name"
    origin = facts["dagster/column_lineage"].lineage.deps_by_column
    source = dg.AssetKey(["library", "source", "books"])
    assert origin["name"] == [dg.TableColumnDep(asset_key=source, column_name="title")]


def test_job_passes_all_checks(planned: Library, instance: dg.DagsterInstance) -> None:
    """Every proof is a passed check: two per table, three at the end; and one of the backup."""
    result = planned.run(instance)

    checks = result.get_asset_check_evaluations()
    assert len(checks) == 3 * 2 + 3 + 1
    assert all(c.passed for c in checks)
    count = next(c for c in checks if c.asset_key.path[-1] == "books" and "row" in c.check_name)
    assert (count.metadata["source"].value, count.metadata["target"].value) == ("300", "300")


def test_job_works_before_the_first_plan(library: Library, instance: dg.DagsterInstance) -> None:
    """A fresh checkout loads everything through one asset, and tells of each table by its key."""
    result = library.run(instance)

    assert result.success
    assert len(library.rows("books")) == BOOKS
    assert _table(result, "books").metadata["dagster/row_count"].value == BOOKS
    checks = {c.check_name for c in result.get_asset_check_evaluations()}
    proofs = {"row_count", "fingerprint", "schema", "foreign_keys", "counters"}
    assert checks == {*proofs, "restored"}


def test_job_goes_on_after_a_run(planned: Library, instance: dg.DagsterInstance) -> None:
    """A second run finds everything done, proves it again and doubles nothing."""
    assert planned.run(instance).success
    again = planned.run(instance)

    assert again.success
    assert len(planned.rows("books")) == BOOKS
    assert len(again.get_asset_check_evaluations()) == 10


def test_dry_run_touches_nothing(planned: Library, instance: dg.DagsterInstance) -> None:
    """A dry run is green, shows the statements, makes no target and changes no byte of one."""
    result = planned.run(instance, dry_run=True)

    assert result.success
    assert not planned.target.exists()
    plan = next(e for e in result.all_events if e.is_step_materialization)
    facts = plan.step_materialization_data.materialization.metadata
    assert "CREATE TABLE" in facts["statements"].value
    assert facts["estimated_seconds"].value > 0
    assert "| column | " in facts["assessment"].value
    assert facts["batches"].value == 3
    steps = ("schema", "load", "constraints", "validate", "report")
    assert _skipped(result) == {f"library__{s}" for s in steps}

    assert planned.run(instance).success
    before = planned.target.read_bytes()
    assert planned.run(instance, dry_run=True).success
    assert planned.run(instance, dry_run=True, direction="down").success
    assert planned.run(instance, "library_rollback", dry_run=True).success
    assert planned.run(instance, "library_validate", dry_run=True).success
    assert planned.target.read_bytes() == before


def test_down_takes_back(planned: Library, instance: dg.DagsterInstance) -> None:
    """direction: down removes what the run made, skips the other steps, and up works again."""
    assert planned.run(instance).success
    down = planned.run(instance, direction="down")

    assert down.success
    steps = ("backup", "schema", "load", "constraints", "validate", "report")
    assert _skipped(down) == {f"library__{s}" for s in steps}
    with pytest.raises(Exception, match="books"):
        planned.rows("books")
    assert planned.run(instance, direction="up").success
    assert len(planned.rows("books")) == BOOKS


def test_rollback_job_takes_back_once(planned: Library, instance: dg.DagsterInstance) -> None:
    """The rollback job takes the run back; when there is nothing left, it fails and says so."""
    assert planned.run(instance).success
    assert planned.run(instance, "library_rollback").success
    with pytest.raises(Exception, match="books"):
        planned.rows("books")

    again = planned.run(instance, "library_rollback")
    assert not again.success
    assert _failure(again).metadata["code"].value == "DM600"


def test_tables_are_chosen_by_config_and_by_selection(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """Only the tables asked for are loaded; the constraints wait for the others."""
    some = planned.run(instance, tables=["authors"])
    assert some.success
    assert (len(planned.rows("authors")), len(planned.rows("books"))) == (AUTHORS, 0)
    assert "library__constraints" in _skipped(some)

    assert planned.materialize(instance, "tables/loans_2024").success
    assert (len(planned.rows("books")), len(planned.rows("loans-2024"))) == (0, 1)

    assert planned.run(instance).success
    assert len(planned.rows("books")) == BOOKS


def test_materialize_loads_without_a_job(planned: Library, instance: dg.DagsterInstance) -> None:
    """ "Materialize all" in the asset graph runs the migration: the defaults are to do it."""
    steps = ("plan", "backup", "schema", "constraints", "validate", "report")
    tables = ("tables/authors", "tables/books", "tables/loans_2024")

    assert planned.materialize(instance, *steps, *tables).success
    assert len(planned.rows("books")) == BOOKS


def test_config_is_checked(planned: Library, instance: dg.DagsterInstance) -> None:
    """A wrong word and a wrong number are refused by the first step, with code and hint."""
    nowhere = planned.run(instance, direction="sideways")
    assert _failure(nowhere).metadata["code"].value == "DM164"

    result = planned.run(instance, batch_size=0)
    assert not result.success
    assert _failure(result).metadata["code"].value == "DM100"
    assert "batch_size" in _failure(result).description
    assert not planned.target.exists()


def test_config_takes_a_whole_launch(planned: Library, instance: dg.DagsterInstance) -> None:
    """All four words may be given, empty ones as well: what the command line hands over."""
    whole = {"direction": "latest", "dry_run": False, "batch_size": None, "tables": []}

    assert planned.run(instance, "library_plan", **whole).success


def test_new_table_is_loaded_and_a_gone_one_is_told(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """The graph may be older than the source: a gone table fails the plan, a new one is loaded."""
    (planned.folder / "books.sqlite").unlink()
    with sqlite3.connect(planned.folder / "books.sqlite") as connection:
        connection.execute("CREATE TABLE books (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE shelves (id INTEGER PRIMARY KEY)")
    result = planned.run(instance)
    assert not result.success
    assert "authors, loans-2024" in _failure(result).description
    assert not planned.target.exists()

    reloaded = planned.run(instance)  # the failed plan wrote the new list
    assert reloaded.success
    assert _table(reloaded, "shelves").metadata["dagster/row_count"].value == 0


def test_backup_asset_shows_place_size_and_recovery(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """A target that holds something is kept; the asset says where, how big, how long it takes."""
    import duckdb

    with duckdb.connect(str(planned.target)) as connection:
        connection.execute("CREATE TABLE mine (i INTEGER)")

    result = planned.run(instance)

    key = dg.AssetKey(["library", "backup"])
    events = [e for e in result.all_events if e.is_step_materialization and e.asset_key == key]
    facts = events[-1].step_materialization_data.materialization.metadata
    assert facts["folder"].value
    assert facts["bytes"].value > 0
    assert facts["verified"].value == "restore"
    assert facts["recovery_s"].value > 0
    checks = {c.check_name: c for c in result.get_asset_check_evaluations()}
    assert checks["restored"].passed
    assert "recovery takes" in (checks["restored"].description or "")


def test_rehearse_job_judges_every_step(planned: Library, instance: dg.DagsterInstance) -> None:
    """It goes all ways on a scratch copy, shows the classes, and makes no target."""
    result = planned.run(instance, "library_rehearse", sample="50%")

    assert result.success
    (done,) = (e for e in result.all_events if e.is_successful_output)
    facts = done.step_output_data.metadata
    assert facts["class"].value == "lossless"
    assert facts["sample"].value == "50%"
    assert "| load | lossless |" in facts["steps"].value
    assert not planned.target.exists()
    observed = [e for e in result.all_events if e.event_type_value == "ASSET_OBSERVATION"]
    seen = [e.asset_key.path[-1] for e in observed]
    assert seen == ["plan"], "the others are of the target, where nothing happened"


def test_rehearse_job_fails_with_the_way_back(
    planned: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A way back that leaves tables behind turns the run red, with the code of the error."""
    monkeypatch.setattr(Schema, "undo", lambda *_: iter([StepDone("schema")]))
    result = planned.run(instance, "library_rehearse")

    assert not result.success
    assert _failure(result).metadata["code"].value == "DM351"


def test_every_job_is_found_by_its_migration(library: Library) -> None:
    """The runs of a migration are one filter in the list of runs."""
    library.attributes |= {"approval": {"required": True}, "spread": {"executor": "celery"}}
    found = library.defs.jobs or []

    assert len(found) == 9
    assert {j.name for j in found if j.tags.get("datamig/migration") != "library"} == set()


def test_plan_shows_each_step_with_time_and_statements(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """Only the load is estimated; a rehearsal measures the others."""
    (made,) = planned.run(instance, "library_plan").get_asset_materialization_events()
    table = made.step_materialization_data.materialization.metadata["timeline"].value

    assert [row.split(" | ")[0] for row in table.splitlines()[2:]] == [f"| {s}" for s in STEPS]
    assert "| constraints | not measured | " in table


def test_step_shows_words_and_figures_before_lists() -> None:
    """A backup's place is not below the names of all its tables."""
    facts = step_facts({"catalog": ["a", "b"], "folder": "/b", "gone": None, "bytes": 3})
    assert list(facts) == ["folder", "bytes", "catalog"]
