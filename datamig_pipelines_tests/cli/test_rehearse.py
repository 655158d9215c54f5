"""datamig rehearse: what is told, and the exit code."""

import json
from pathlib import Path

import pytest

from datamig_pipelines.steps import StepDone
from datamig_pipelines.steps.schema import Schema
from datamig_pipelines_tests.cli.conftest import YAML, Cli


@pytest.fixture
def migration(migration: Path) -> Path:
    """The migration of one table."""
    migration.write_text(YAML + "  include: [regions]\n")
    return migration


def test_rehearse_shows_each_step(migration: Path, cli: Cli) -> None:
    """Its class, its times, and on what the class rests; then plans are measured."""
    said = cli("rehearse", str(migration))

    assert said.code == 0, said.err
    assert "lossless" in said.out
    assert "no-op" in said.out
    assert "the way back is lossless" in said.out
    assert not migration.with_name("target.duckdb").exists()
    assert "measured by the rehearsal of" in cli("plan", str(migration)).out


def test_rehearse_exits_as_a_failed_proof(
    migration: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One document with the evidence and the error; the code is that of a difference."""
    monkeypatch.setattr(Schema, "undo", lambda *_: iter([StepDone("schema")]))
    said = cli("rehearse", str(migration), "--sample", "2", "--json")

    told = json.loads(said.out)
    assert said.code == told["exit_code"] == 3
    assert told["error"]["code"] == "DM351"
    assert {s["step"]: s["class"] for s in told["steps"]}["schema"] == "irreversible"
    assert told["forward"]["tables"][0]["rows"] == 2
    assert Path(told["file"]).exists()


def test_rehearse_refuses_before_it_begins(migration: Path, cli: Cli) -> None:
    """A sample that is none is a wrong call."""
    said = cli("rehearse", str(migration), "--sample", "lots", "--json")

    assert said.code == 4
    assert json.loads(said.out)["error"]["code"] == "DM353"


def test_plan_and_status_tell_the_rehearsal_that_the_run_waits_for(
    migration: Path, cli: Cli
) -> None:
    """Refused with its own code before anything is touched; rehearsed, both say how it went."""
    migration.write_text(migration.read_text() + "  rehearsal: {required: true}\n")
    path = str(migration)

    refused = cli("run", path)
    assert refused.code == 5
    assert "DM366" in refused.err
    assert not migration.with_name("target.duckdb").exists()
    assert "rehearsal needed: nobody rehearsed it" in cli("plan", path).out
    assert cli("rehearse", path, "--sample", "1").code == 0
    assert "rehearsal: lossless, " in cli("plan", path).out
    assert "rehearsal: lossless, " in cli("status", path).out
    assert cli("run", path).code == 0
