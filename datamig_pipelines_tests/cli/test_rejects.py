"""datamig rejects list and replay."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import RejectsError
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import Cli

YAML = """\
type: datamig_pipelines.Migration
attributes:
  name: notes
  source: {url: "sqlite:///notes.sqlite"}
  target: {url: "sqlite:///target.sqlite"}
"""


@pytest.fixture
def rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A loaded migration of which one row was refused."""
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("notes.sqlite") as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, stars INTEGER CHECK (stars > 0))")
        db.executemany("INSERT INTO notes VALUES (?, ?)", [(i, i or -3) for i in range(30)])
    path = tmp_path / "defs.yaml"
    path.write_text(YAML)
    with pytest.raises(RejectsError):
        list(running.run(read_migration(path)))
    yield path
    db.close()


def mend() -> None:
    with sqlite3.connect("notes.sqlite") as db:
        db.execute("UPDATE notes SET stars = 5 WHERE id = 0")
    db.close()


def test_list_shows_key_values_reason_and_hint(cli: Cli, rejected: Path) -> None:
    """A person sees what to mend; a program gets the same as JSON."""
    said = cli("rejects", "list", rejected)
    found = json.loads(cli("rejects", "list", rejected, "--table", "notes", "--json").out)

    assert said.code == 0
    for part in ("notes: 1 rejected rows", "notes 0:", "CHECK", "hint:", "stars='-3'"):
        assert part in said.out
    assert found["rejects"][0]["values"] == {"id": "0", "stars": "-3"}
    assert found["reasons"][0]["rows"] == 1


def test_replay_asks_and_refuses_when_nobody_answers(cli: Cli, rejected: Path) -> None:
    """Without --yes and without a keyboard nothing is written."""
    said = cli("rejects", "replay", rejected)

    assert said.code == 4
    assert "nobody is there" in said.err
    assert json.loads(cli("rejects", "list", rejected, "--json").out)["total"] == 1


def test_replay_of_what_is_still_bad_exits_2(cli: Cli, rejected: Path) -> None:
    """The row stays, its reason is shown, the exit code is the run's."""
    said = cli("rejects", "replay", rejected, "--yes")
    document = json.loads(cli("rejects", "replay", rejected, "--yes", "--json").out)

    assert said.code == 2
    assert "still rejected: notes" in said.out
    assert (document["exit_code"], document["replayed"], len(document["refused"])) == (2, 0, 1)


def test_replay_of_a_mended_row_exits_0(cli: Cli, rejected: Path) -> None:
    """Loaded, proven, and nothing is left to list."""
    mend()
    said = cli("rejects", "replay", rejected, "--yes", "--table", "notes")

    assert said.code == 0, said.err
    assert "1 of 1 rejected rows are loaded now" in said.err
    assert "no row was rejected" in cli("rejects", "list", rejected).out
    assert cli("rejects", "replay", rejected, "--yes").code == 0


def test_unknown_table_is_refused(cli: Cli, rejected: Path) -> None:
    """A typing error is no empty list."""
    said = cli("rejects", "list", rejected, "--table", "nots")

    assert said.code == 4
    assert "It has notes" in said.err
