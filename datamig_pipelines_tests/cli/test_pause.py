"""datamig pause and resume."""

import json
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import RejectsError
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import YAML, Cli


@pytest.fixture
def unfinished(migration: Path) -> Path:
    """A migration whose run was begun and has not come to its end."""
    migration.write_text(f"{YAML}  rejects: {{abort_above: 0}}\n  tables: [{{name: regions}}]\n")
    events = running.run(read_migration(migration))
    for event in events:
        if type(event).__name__ == "Progress":
            break
    with pytest.raises(RejectsError):
        events.throw(RejectsError("stop", hint=""))  # type: ignore[attr-defined]
    return migration


def test_pause_and_resume_answer(cli: Cli, unfinished: Path) -> None:
    """Both say what holds now, and status shows the pause in between."""
    paused = cli("pause", unfinished)
    shown = cli("status", unfinished)
    resumed = cli("resume", unfinished)

    assert [paused.code, shown.code, resumed.code] == [0, 0, 0]
    assert "small_shop is paused" in paused.out
    assert "PAUSED by" in shown.out
    assert "it was paused by" in resumed.out
    assert "was not paused" in cli("resume", unfinished).out
    assert "PAUSED" not in cli("status", unfinished).out


def test_pause_answers_in_json(cli: Cli, unfinished: Path) -> None:
    """One document each."""
    paused = json.loads(cli("pause", unfinished, "--json").out)
    shown = json.loads(cli("status", unfinished, "--json").out)
    resumed = json.loads(cli("resume", unfinished, "--json").out)

    assert paused["paused"] is True
    assert shown["paused"] == {"who": paused["who"], "at": paused["at"]}
    assert resumed["was_paused"] == shown["paused"]


def test_pause_of_nothing_exits_8(cli: Cli, migration: Path) -> None:
    """There is no run yet: told, and no success."""
    said = cli("pause", migration)

    assert said.code == 8
    assert "no unfinished run" in said.err
