"""A difference stops what follows."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import StatementError
from datamig_pipelines.orchestration.results import together
from datamig_pipelines.proofs import PROOFS, Evidence, ProofResult, Verdict
from datamig_pipelines.steps import STEPS
from datamig_pipelines_tests.orchestration.conftest import Library

WRONG = "UPDATE books SET title = 'wrong' WHERE id = 7"


def _checks(result: Any, name: str) -> dict[str, dg.AssetCheckEvaluation]:
    found = result.get_asset_check_evaluations()
    return {c.asset_key.path[-1]: c for c in found if c.check_name == name}


def _failure(result: Any) -> Any:
    [event] = [e for e in result.all_events if e.is_step_failure]
    return event.event_specific_data.user_failure_data


def _ran(result: Any, step: str) -> bool:
    return any(e.is_step_start and e.step_key == f"library__{step}" for e in result.all_events)


def test_difference_fails_the_run_and_nothing_follows(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """One wrong value: its table's check fails, the others pass, constraints do not run."""
    assert planned.run(instance).success
    planned.tamper(WRONG)
    result = planned.run(instance)

    assert not result.success
    found = _checks(result, "fingerprint")
    assert {t: c.passed for t, c in found.items()} == {
        "authors": True,
        "books": False,
        "loans_2024": True,
    }
    assert found["books"].severity is dg.AssetCheckSeverity.ERROR
    assert "title" in found["books"].metadata["detail"].value
    assert not _ran(result, "constraints")


def test_difference_stops_tables_without_assets(
    library: Library, instance: dg.DagsterInstance
) -> None:
    """The asset that stands for all tables gates as well, and names the table."""
    first = library.defs.resolve_job_def("library")
    assert first.execute_in_process(instance=instance).success
    library.tamper(WRONG)
    result = first.execute_in_process(instance=instance, raise_on_error=False)

    assert not result.success
    assert "books" in (_checks(result, "fingerprint")["tables"].description or "")
    assert not _ran(result, "constraints")


def test_validate_job_finds_a_difference(planned: Library, instance: dg.DagsterInstance) -> None:
    """The validate job proves all again and fails where something differs."""
    assert planned.run(instance).success
    assert planned.run(instance, "library_validate").success
    planned.tamper(WRONG)
    result = planned.run(instance, "library_validate")

    assert not result.success
    assert not _checks(result, "fingerprint")["books"].passed
    assert _checks(result, "row_count")["books"].passed
    kinds = {dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    told = [
        e.dagster_event.event_specific_data for e in instance.all_logs(result.run_id, of_type=kinds)
    ]
    assert [c.passed for c in told if c.asset_key.path[-1] == "validate"] == [True] * 3


def test_validate_job_needs_a_load(planned: Library, instance: dg.DagsterInstance) -> None:
    """What was never loaded cannot be proven: the job fails."""
    assert not planned.run(instance, "library_validate").success


def test_validate_job_is_missing_where_nothing_is_proven(library: Library) -> None:
    """Without proofs and suites there is no validate job that could be green for nothing."""
    library.attributes = {"validate": {"proofs": []}}

    jobs = {j.name for j in library.defs.resolve_all_job_defs() if not j.name.startswith("__")}
    verbs = ("plan", "rollback", "rehearse", "pause", "resume")
    assert jobs == {"library", *(f"library_{verb}" for verb in verbs)}


@pytest.mark.parametrize("proof", ["schema", "row_count"])
def test_validate_job_runs_the_only_proof(
    planned: Library, instance: dg.DagsterInstance, proof: str
) -> None:
    """One proof alone is enough for the validate job, whether it is due early or late."""
    planned.attributes = {"validate": {"proofs": [proof]}}
    assert planned.run(instance).success
    planned.tamper("DROP TABLE books CASCADE")

    assert not planned.run(instance, "library_validate").success


def test_one_check_runs_alone(planned: Library, instance: dg.DagsterInstance) -> None:
    """ "Execute" on one check proves without loading."""
    assert planned.run(instance).success
    job = planned.defs.resolve_implicit_global_asset_job_def()
    key = dg.AssetCheckKey(dg.AssetKey(["library", "tables", "books"]), "row_count")
    picked = job.get_subset(asset_check_selection={key}, asset_selection=set())
    result = picked.execute_in_process(instance=instance)

    of_tables = {c.asset_key.path[-1] for c in result.get_asset_check_evaluations()}
    assert result.success
    assert not result.get_asset_materialization_events()
    assert of_tables == {"books", "validate"}


def test_undo_on_failure(planned: Library, instance: dg.DagsterInstance) -> None:
    """With rollback: {on_failure: undo} a failed run leaves no table behind."""
    planned.attributes = {"rollback": {"on_failure": "undo"}}
    with sqlite3.connect(planned.folder / "books.sqlite") as source:
        source.execute("UPDATE books SET id = id")
        source.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY, n INTEGER)")
        source.execute("INSERT INTO odd VALUES (1, 'no number')")

    assert not planned.run(instance).success
    with pytest.raises(Exception, match="books"):
        planned.rows("books")


@pytest.mark.parametrize(
    ("step", "on_failure"), [("schema", "undo"), ("validate", "restore"), ("report", "undo")]
)
def test_failure_of_any_step_is_taken_back_to_the_end(
    planned: Library,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    on_failure: str,
) -> None:
    """The undo of steps is not taken for their success: that ended the way back in the middle."""
    planned.attributes = {"rollback": {"on_failure": on_failure}}

    def fail(*_: Any) -> Iterator[Any]:
        message = "planted"
        raise StatementError(message, hint="none")
        yield

    monkeypatch.setattr(type(STEPS[step]), "run", fail)
    result = planned.run(instance)
    ledger = running.status(planned.migration)

    assert "planted" in (_failure(result).description or "")
    assert [run["status"] for run in ledger["runs"]] == ["rolled_back"]
    assert step not in [e.asset_key.path[-1] for e in result.get_asset_materialization_events()]


def test_undo_on_failure_of_a_table_that_no_check_shows(
    planned: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A difference in a table newer than the asset graph takes the run back as well."""
    planned.attributes = {"rollback": {"on_failure": "undo"}}
    job = planned.defs.resolve_job_def("library")
    with sqlite3.connect(planned.folder / "books.sqlite") as source:
        source.execute("CREATE TABLE odd (id INTEGER PRIMARY KEY)")
    kind = type(PROOFS["fingerprint"])
    real = kind.prove

    def prove(self: Any, evidence: Evidence) -> ProofResult:
        told = real(self, evidence)
        odd = evidence.route.target.name.name == "odd"
        return replace(told, verdict=Verdict.DIFFERENT, detail="planted") if odd else told

    monkeypatch.setattr(kind, "prove", prove)
    result = job.execute_in_process(instance=instance, raise_on_error=False)

    assert "planted" in (_failure(result).description or "")
    with pytest.raises(Exception, match="books"):
        planned.rows("books")


def test_undo_on_failure_keeps_what_was_finished(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """A repetition that fails never takes back a migration that was finished before."""
    planned.attributes = {"rollback": {"on_failure": "undo"}}
    assert planned.run(instance).success
    rows = len(planned.rows("books"))
    planned.tamper(WRONG)

    assert not planned.run(instance).success
    assert len(planned.rows("books")) == rows


def test_not_comparable_is_a_warning() -> None:
    """What cannot be compared is not green, but it does not stop a run."""
    results = [
        ProofResult("fingerprint", "a", Verdict.EQUAL, "1", "1"),
        ProofResult("fingerprint", "b", Verdict.NOT_COMPARABLE, "", "", "no common form"),
    ]
    (check,) = together(dg.AssetKey("x"), results)

    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    assert check.description == "b: no common form"


@pytest.mark.parametrize(("blocking", "follows"), [(True, False), (False, True)])
def test_suite_gates_if_it_is_blocking(
    planned: Library, instance: dg.DagsterInstance, *, blocking: bool, follows: bool
) -> None:
    """A Great Expectations suite is a check; a failed blocking one holds the constraints back."""
    expectation = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "price", "min_value": 0, "max_value": 10},
        "severity": "critical",
    }
    suite = {"name": "books", "expectations": [expectation], "meta": {}}
    (planned.folder / "books.json").write_text(json.dumps(suite))
    written = {"table": "books", "file": "books.json", "blocking": blocking}
    planned.attributes = {"validate": {"suites": [written]}}
    result = planned.run(instance)

    check = _checks(result, "suite_books")["books"]
    assert not check.passed
    assert check.metadata["evaluated"].value == 1
    assert _ran(result, "constraints") is follows
    assert result.success is follows


@pytest.mark.parametrize("finished", [False, True])
def test_failed_suite_takes_the_run_back_where_the_file_says_so(
    planned: Library, instance: dg.DagsterInstance, *, finished: bool
) -> None:
    """A decisive suite is a failed run: undone if it was never finished, else kept."""
    expectation = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "price", "min_value": 0, "max_value": 10},
        "severity": "critical",
    }
    suite = {"name": "books", "expectations": [expectation], "meta": {}}
    (planned.folder / "books.json").write_text(json.dumps(suite))
    planned.attributes = {"rollback": {"on_failure": "undo"}}
    assert not finished or planned.run(instance).success
    planned.attributes |= {"validate": {"suites": [{"table": "books", "file": "books.json"}]}}

    assert not planned.run(instance).success

    if finished:
        assert planned.rows("books")
    else:
        with pytest.raises(Exception, match="books"):
            planned.rows("books")


def test_suite_of_the_source_holds_every_step(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """It is a blocking check of the plan; a step by itself is held as well; mended, all runs."""
    expectation = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "price", "min_value": 1},
    }
    (planned.folder / "books.json").write_text(json.dumps({"expectations": [expectation]}))
    planned.attributes = {"validate": {"before": ["books.json"]}}
    result = planned.run(instance)

    check = _checks(result, "before_books")["plan"]
    assert not check.passed
    assert Path(str(check.metadata["data_docs"].value)).is_file()
    assert not _ran(result, "backup")
    assert not planned.target.exists()
    assert not planned.materialize(instance, "backup").success
    assert not planned.target.exists()
    assert planned.run(instance, "library_plan").success

    with sqlite3.connect(planned.folder / "books.sqlite") as source:
        source.execute("UPDATE books SET price = 1 WHERE price < 1")
    mended = planned.run(instance)
    assert mended.success
    assert _checks(mended, "before_books")["plan"].passed
    told = [c.check_name for c in mended.get_asset_check_evaluations()]
    assert told.count("before_books") == 1, "the steps take the plan's verdict"


@pytest.mark.parametrize("shown", [False, True])
def test_causes_are_metadata_and_values_only_if_asked_for(
    planned: Library, instance: dg.DagsterInstance, *, shown: bool
) -> None:
    """The failed check counts causes; the values, which may be personal, need show_values."""
    planned.attributes = {"validate": {"show_values": shown}}
    assert planned.run(instance).success
    planned.tamper(WRONG)
    result = planned.run(instance)

    causes = _checks(result, "fingerprint")["books"].metadata["causes"].value
    assert "| another value | title | 1 |" in causes
    assert ("wrong" in causes) is shown


def test_difference_is_the_error_of_the_step(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """The step says table, proof and next move; Dagster would only name the checks."""
    assert planned.run(instance).success
    planned.tamper(WRONG)
    said = _failure(planned.run(instance))

    assert said.metadata["code"].value == "DM500"
    assert said.description.startswith("DM500 at load: books, fingerprint: ")
    assert "datamig diff library" in said.metadata["hint"].value


def test_suite_of_the_source_is_the_error_of_the_step(
    planned: Library, instance: dg.DagsterInstance
) -> None:
    """What was found, and that nothing was touched, stands in the failure of the plan."""
    expectation = {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "price", "min_value": 1},
    }
    (planned.folder / "books.json").write_text(json.dumps({"expectations": [expectation]}))
    planned.attributes = {"validate": {"before": ["books.json"]}}
    said = _failure(planned.run(instance))

    assert said.metadata["code"].value == "DM520"
    assert "of books" in said.description
    assert "nothing was touched" in said.metadata["hint"].value
