"""A rehearsal walks the whole way on a scratch copy, judges every step, and touches no target."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import (
    AlreadyRunError,
    IrreversibleError,
    LedgerError,
    ProofFailedError,
    RunningElsewhereError,
    SampleError,
)
from datamig_pipelines.running import scratching
from datamig_pipelines.steps import STEPS, StepDone
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines.steps.schema import Schema
from datamig_pipelines.transfer import Event
from datamig_pipelines_tests.running.lines import SOURCE, TARGET, Defs
from datamig_pipelines_tests.running.rehearsals import House, rehearsed
from datamig_pipelines_tests.scenarios.process import Process, Task

ENGINES = ("postgres", "mysql", "sqlite", "duckdb")
CLASSES = {
    "backup": "no-op",
    "schema": "lossless",
    "load": "lossless",
    "constraints": "lossless",
    "validate": "no-op",
    "report": "no-op",
}


@pytest.fixture(params=ENGINES)
def house(
    request: pytest.FixtureRequest,
    target_url: Callable[[str], str],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    """A target of each engine that others use already."""
    for name in (SOURCE, TARGET, "DATAMIG_HOME"):
        monkeypatch.setenv(name, "")
    return House.filled(Defs.made(tmp_path, target_url(request.param)))


one = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
file_and_server = pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)


def classes(found: dict[str, Any]) -> dict[str, str]:
    return {s["step"]: s["class"] for s in found["steps"]}


# ---- a way back that is one


def test_rehearsal_walks_all_ways_and_touches_nothing(house: House) -> None:
    """Forward, back, forward again on a copy; rows, catalog and ledger of the target stay."""
    migration, before = house.migration(), house.all_of_it()

    found, path, error = rehearsed(migration)

    assert error is None
    assert classes(found) == CLASSES
    assert (found["class"], found["passed"], found["kept"]) == ("lossless", True, "")
    assert found["original"]["rows"] == 3, "the copy holds what the target holds"
    assert found["back"]["state"]["sha256"] == found["original"]["sha256"]
    assert found["again"]["differs from the first time"] == []
    assert set(found["forward"]["proofs"]) == set(found["again"]["proofs"]) == {"equal"}
    assert {t["table"].rpartition(".")[2]: t["rows"] for t in found["forward"]["tables"]} == {
        "p": 3,
        "q": 3,
    }
    load = next(s for s in found["steps"] if s["step"] == "load")["evidence"]
    assert (load["before"]["rows"], load["after"]["rows"]) == (3, 9)
    assert load["taken back by"] == "the undo of the steps before it"
    assert json.loads(path.read_text())["steps"] == found["steps"]
    assert house.all_of_it() == before
    assert house.scratches() == set()
    assert [p.name for p in migration.home.iterdir()] == ["rehearsals"], "no report, no backup"
    assert {p.name for p in migration.base.iterdir()} == {"defs.yaml", ".datamig"}


@one
def test_rehearsal_of_a_sample_keeps_references_whole(house: House) -> None:
    """One row of each table, and those that they refer to; all proofs hold on that part."""
    found, _, error = rehearsed(house.migration(), "1")

    assert error is None
    assert {t["table"]: t["rows"] for t in found["forward"]["tables"]} == {"p": 1, "q": 1}
    assert set(found["forward"]["proofs"]) == {"equal"}
    assert (found["sample"], found["class"]) == ("1", "lossless")


@one
def test_rehearsal_of_an_empty_target_makes_no_file(house: House, tmp_path: Any) -> None:
    """Where there is no target yet there is none afterwards; and nobody has to approve before."""
    os.environ[TARGET] = f"sqlite:///{tmp_path / 'new.sqlite'}"
    found, _, error = rehearsed(house.migration(approval={"required": True}))

    assert error is None
    assert found["original"]["tables"] == 0
    assert not (tmp_path / "new.sqlite").exists()


# ---- a way back that is none


def broken(monkeypatch: pytest.MonkeyPatch, undo: Callable[..., Iterator[Event]]) -> None:
    """Give the step schema another undo."""
    monkeypatch.setattr(Schema, "undo", undo)


@file_and_server
def test_rehearsal_finds_an_undo_that_does_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that stay are irreversible: red like a failed proof, and the target is untouched."""
    migration, before = house.migration(), house.all_of_it()
    broken(monkeypatch, lambda *_: iter([StepDone("schema")]))

    found, _, error = rehearsed(migration)

    assert isinstance(error, IrreversibleError)
    assert error.exit_code == ProofFailedError.exit_code
    assert "p was not there before" in error.message
    assert found["class"] == "irreversible"
    assert classes(found)["schema"] == "irreversible"
    assert classes(found)["load"] == "irreversible", "its rows stay as well"
    assert found["again"] is None
    assert house.all_of_it() == before
    assert house.scratches() == set()


@one
def test_rehearsal_finds_an_undo_that_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused undo is irreversible, and its words are the evidence."""

    def refuse(*_: object) -> Iterator[Event]:
        raise LedgerError("locked for ever", hint="none")
        yield

    broken(monkeypatch, refuse)
    found, path, error = rehearsed(house.migration())

    assert isinstance(error, IrreversibleError)
    assert json.loads(path.read_text())["error"]["code"] == "DM351"
    schema = next(s for s in found["steps"] if s["step"] == "schema")
    assert schema["class"] == "irreversible"
    assert "locked for ever" in schema["evidence"]["undo"]


@one
def test_rehearsal_finds_rows_of_others_that_an_undo_took(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalog is back, the rows are not: lossy, and red as well."""
    real = Schema.undo

    def take(self: Schema, context: Any, session: Any) -> Iterator[Event]:
        mine = next(t for t in context.target.catalog(session).tables if t.name.name == "mine")
        session.query(f"{session.dialect.delete(mine.name)} WHERE id = 2")
        yield from real(self, context, session)

    broken(monkeypatch, take)
    found, _, error = rehearsed(house.migration())

    assert isinstance(error, IrreversibleError)
    assert found["class"] == "lossy", found["back"]
    assert "mine has other values (1 rows, 2 before)" in error.message
    assert len(house.ask("SELECT * FROM {mine}")) == 2, "those of the target are there"


@one
def test_rehearsal_goes_back_from_where_the_way_forward_stopped(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that fails is told with its own error; the way back from there is judged all the same."""

    def fail(*_: object) -> Iterator[Event]:
        raise ProofFailedError("it differs", hint="none")
        yield

    monkeypatch.setattr(type(STEPS["validate"]), "run", fail)
    found, _, error = rehearsed(house.migration())

    assert isinstance(error, ProofFailedError)
    assert (found["class"], found["passed"]) == ("lossless", False)
    assert error.hint == "none (This was a rehearsal: the target is as it was.)"
    assert found["forward"]["seconds"] is None
    assert found["back"]["state"]["sha256"] == found["original"]["sha256"]
    assert running.look(house.migration()).timeline.how == "estimated", "half a way is no measure"


# ---- what is refused


@one
def test_rehearsal_refuses_what_was_run(house: House) -> None:
    """What is in the target cannot be rehearsed before it."""
    list(running.run(house.migration()))

    with pytest.raises(AlreadyRunError):
        list(running.rehearse(house.migration()))


@one
@pytest.mark.parametrize("sample", ["0%", "101%", "0", "some", "-5"])
def test_rehearsal_refuses_a_sample_that_is_none(house: House, sample: str) -> None:
    """Before anything is made."""
    with pytest.raises(SampleError):
        list(running.rehearse(house.migration(), sample))


@one
def test_rehearsal_refuses_a_second_at_the_same_time(house: House) -> None:
    """So whatever a rehearsal finds left over belongs to nobody."""
    migration = house.migration()

    with scratching.alone(migration), pytest.raises(RunningElsewhereError):
        list(running.rehearse(migration))


# ---- what is left over


@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
def test_killed_rehearsal_is_cleared_away_by_the_next(house: House) -> None:
    """Its own scratch database goes; one that is called alike and has no mark stays."""
    migration, before = house.migration(), house.all_of_it()
    urls = {name: os.environ[name] for name in (SOURCE, TARGET)}
    attributes = migration.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    process = Process(Task(attributes, migration.base, urls, "rehearse"))
    assert process.wait_for("load")
    assert process.kill()
    (left,) = {n.removesuffix(".scratch") for n in house.scratches()}
    alike = f"datamig_rehearsal_{'f' * 12}"
    folder = migration.home / "rehearsals" / alike
    folder.mkdir()
    with house.place.dialect.scratch(house.place.url, folder, alike):
        said = [e.text for e in running.rehearse(migration) if hasattr(e, "text")]
        assert f"dropped {left}, left by a killed rehearsal" in said
        assert {n.removesuffix(".scratch") for n in house.scratches()} == {alike}
    assert house.all_of_it() == before


@one
def test_failed_rehearsal_stays_with_keep(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scratch database can be looked at, and no later rehearsal drops it."""
    with monkeypatch.context() as patch:
        patch.setattr(Schema, "undo", lambda *_: iter([StepDone("schema")]))
        found, _, _ = rehearsed(house.migration(), keep=True)
    with scratching.alone(house.migration()):
        database = database_of(house.place)
        list(scratching.drop_leftovers(house.migration(), database, database.url))

    (name,) = house.scratches()
    assert name in found["kept"]
    file = house.migration().home / "rehearsals" / name / f"{name}.sqlite"
    with closing(sqlite3.connect(file)) as kept:
        assert kept.execute("SELECT count(*) FROM p").fetchone() == (3,)


# ---- the plan learns


@one
def test_plan_takes_its_times_from_the_rehearsal(house: House) -> None:
    """Plan and report say that they are measured, and by which rehearsal, of which nothing stays."""
    migration = house.migration()
    assert running.look(migration).as_dict()["timing"] == "estimated"
    found, _, _ = rehearsed(migration, keep=True)
    assert (found["kept"], house.scratches()) == ("", set())

    told = running.look(migration).as_dict()
    assert told["timing"] == f"measured by the rehearsal of {found['time']}"
    assert all(step["seconds"] is not None for step in told["steps"].values())
    assert told["seconds"] == pytest.approx(found["forward"]["seconds"], abs=0.2)
    list(running.run(migration))
    assert found["time"] in (migration.home / "report.md").read_text()


@one
def test_plan_does_not_believe_a_rehearsal_of_other_engines(house: House, tmp_path: Any) -> None:
    """What a file took says nothing about a server."""
    rehearsed(house.migration())
    os.environ[TARGET] = f"duckdb:///{tmp_path / 'new.duckdb'}"

    assert running.look(house.migration()).timeline.how == "estimated"
