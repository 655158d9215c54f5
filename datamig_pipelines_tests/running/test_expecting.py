"""Suites hold a run up where they should, on every way in, and leave no value behind."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import DatamigError, ProofGateError, SpecError, SuiteFailedError
from datamig_pipelines.expectations import check_suite, docs_index, verdicts
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running import SuiteJudged, expecting
from datamig_pipelines.running.opening import current_run, target_place
from datamig_pipelines.spec import Migration, Suite

SECRET = "anna.nowhere@example.org"
ADULTS = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "Age", "min_value": 18},
}
SHORT = {"type": "expect_column_value_lengths_to_be_between", "kwargs": {"column": "mail"}}

Made = Callable[..., Migration]


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A migration of four people to DuckDB; one of them is a child, one row is not moved."""
    monkeypatch.setenv("DATAMIG_HOME", str(tmp_path / "home"))
    rows = [(1, 40, "a@b"), (2, 17, SECRET), (3, 50, "c@d"), (4, 60, "left@out")]
    with sqlite3.connect(tmp_path / "people.sqlite") as source:
        source.execute('CREATE TABLE people (id INTEGER PRIMARY KEY, "Age" INTEGER, mail TEXT)')
        source.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)

    def made(*, severity: str = "critical", **validate: Any) -> Migration:
        (tmp_path / "people.json").write_text(
            json.dumps({"expectations": [{**ADULTS, "severity": severity}]})
        )
        said = {
            "name": "people",
            "source": {"url": "sqlite:///people.sqlite"},
            "target": {"url": "duckdb:///target.duckdb"},
            "tables": [{"name": "people", "where": "mail <> 'left@out'"}],
            "names": "snake",
            "validate": validate,
        }
        return Migration.model_validate(said).based(tmp_path)

    return made


def grow_up(migration: Migration) -> None:
    """Mend the source."""
    with sqlite3.connect(migration.base / "people.sqlite") as source:
        source.execute('UPDATE people SET "Age" = 18 WHERE id = 2')


def remembered(migration: Migration) -> dict[str, str]:
    """Return the verdicts about suites in the ledger."""
    with target_place(migration).open(readonly=True) as session:
        ledger = Ledger(session)
        run = current_run(ledger, migration.name)
        found = ledger.proofs(run.run_id) if run else []
        return {e.proof: e.verdict for e in found if e.of_suite}


def never(*_: object) -> Any:
    """Stand in for judging where nothing may be judged."""
    raise AssertionError("judged again")


def test_source_that_fails_lets_nothing_begin(
    people: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run and a step by itself are refused before the target exists; mended, they are let in."""
    migration = people(before=["people.json"])
    for way in (running.run, lambda m: running.run_step(m, None, "schema")):
        with pytest.raises(SuiteFailedError, match="1 of 3 rows") as caught:
            list(way(migration))
        assert not (migration.base / "target.duckdb").exists()
        assert SECRET not in str(caught.value)
    assert [(v.side, v.passed) for v in verdicts(migration)] == [("before", False)]
    assert running.status(migration)["suites"][0]["passed"] is False

    grow_up(migration)
    list(running.run_step(migration, None, "backup"))
    assert remembered(migration) == {"before:people.json": "equal"}
    monkeypatch.setattr(expecting, "check_suite", never)
    monkeypatch.setattr(expecting, "verdicts", lambda _: [])
    list(running.run_step(migration, None, "schema"))
    (migration.base / "people.json").write_text(json.dumps({"expectations": [ADULTS] * 2}))
    with pytest.raises(AssertionError, match="judged again"):
        list(running.run_step(migration, None, "load"))


def test_source_that_fails_behind_a_begun_run_says_what_stays(people: Made) -> None:
    """Of a target that was touched before nobody says that nothing was touched."""
    list(running.run_step(people(), None, "schema"))
    with pytest.raises(SuiteFailedError) as caught:
        list(running.run(people(before=["people.json"])))
    assert "nothing was touched" not in caught.value.hint
    assert "goes on with what the run has done" in caught.value.hint


def test_target_that_fails_holds_constraints_and_report(people: Made) -> None:
    """Decisive: nothing behind the load begins, step by step too. A warning is told and remembered."""
    migration = people(suites=["people.json"])
    with pytest.raises(ProofGateError, match=r"suite:people\.json"):
        list(running.run(migration))
    with pytest.raises(ProofGateError):
        list(running.run_step(migration, None, "report"))
    with pytest.raises(DatamigError):
        list(running.validate(migration))

    warned = people(before=["*.json"], suites=["people.json"], severity="warning")
    told = [e.result for e in running.run(warned) if isinstance(e, SuiteJudged)]
    assert [(r.side, r.passed, r.decisive) for r in told] == [
        ("before", False, False),
        ("after", False, False),
    ]
    assert set(remembered(warned).values()) == {"not comparable"}
    report = (warned.home / "report.md").read_text()
    assert "people in the source warns: people.json: 0 of 1 expectations hold" in report
    assert str(docs_index(warned)) in report
    list(running.run(people()))
    assert remembered(warned) == {}, "a suite that nobody asks any more is forgotten"


@pytest.mark.parametrize("shown", [False, True])
def test_data_docs_hold_values_only_if_asked_for(people: Made, *, shown: bool) -> None:
    """Failing values, extremes and the words of exceptions are in no page unless they may be."""
    migration = people()
    (migration.base / "all.json").write_text(
        json.dumps(
            {
                "expectations": [
                    ADULTS,
                    {**SHORT, "kwargs": {"column": "mail", "max_value": 3}},
                    {
                        "type": "expect_column_max_to_be_between",
                        "kwargs": {"column": "mail", "min_value": "2020-01-01"},
                    },
                ]
            }
        )
    )
    suite = Suite(table="people", file="all.json", show_values=shown)
    route = running.look(migration).context.routes[0]
    result = check_suite(migration, suite, "before", route)

    files = [p for p in (migration.home / "data_docs").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {".html", ".json"}
    assert (SECRET in "".join(p.read_text() for p in files)) is shown
    assert (
        "Expect" in Path(result.page).read_text() or "values must" in Path(result.page).read_text()
    )
    assert "great-expectations-web-assets" not in Path(result.page).read_text()
    assert Path(result.page).name in str(
        docs_index(migration) and docs_index(migration).read_text()
    )


def test_rehearsal_judges_both_sides(people: Made) -> None:
    """A source that fails is not rehearsed; a target that fails stops it, of a sample it does not."""
    with pytest.raises(SuiteFailedError):
        list(running.rehearse(people(before=["people.json"])))
    migration = people(suites=["people.json"])
    with pytest.raises(ProofGateError):
        list(running.rehearse(migration))
    list(running.rehearse(migration, "2"))
    assert not (migration.base / "target.duckdb").exists()


@pytest.mark.parametrize("side", ["before", "suites"])
def test_suite_without_a_file_is_refused_by_name(people: Made, side: str) -> None:
    """One clear error, on both sides, and the target is not made for it."""
    migration = people(**{side: [{"table": "people", "file": "gone.json"}]})

    with pytest.raises(SpecError, match=r"gone\.json cannot be read"):
        list(running.run(migration))

    assert not (migration.base / "target.duckdb").exists()
