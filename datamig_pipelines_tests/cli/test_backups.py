"""backups, rollback --restore: what is told, asked and answered."""

import json
import sys
from pathlib import Path

import duckdb
import pytest

from datamig_pipelines import running
from datamig_pipelines.planning.rehearsed import rehearsals_folder
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import YAML, Cli


@pytest.fixture
def migration(migration: Path) -> Path:
    """The migration of one table."""
    migration.write_text(YAML + "  include: [regions]\n")
    return migration


@pytest.fixture
def loaded(migration: Path) -> Path:
    """The migration, run into a file that holds a table already."""
    change(migration, "CREATE TABLE mine (i INTEGER)", "INSERT INTO mine VALUES (1), (2)")
    for _ in running.run(read_migration(migration)):
        pass
    return migration


def change(migration: Path, *statements: str) -> None:
    """Write to the target behind the migration's back."""
    with duckdb.connect(str(migration.with_name("target.duckdb"))) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(migration: Path) -> int:
    """Return how many rows the table of others has."""
    with duckdb.connect(str(migration.with_name("target.duckdb"))) as connection:
        return connection.execute("SELECT count(*) FROM mine").fetchall()[0][0]


def test_backups_are_listed(cli: Cli, loaded: Path) -> None:
    """One line per backup with time, size, how it was verified and how long a recovery takes."""
    said = cli("backups", loaded)
    (one,) = json.loads(cli("backups", loaded, "--json").out)

    assert said.code == 0
    assert one["id"] in said.out
    assert (one["side"], one["verified"], one["tables"]) == ("target", "restore", 1)
    assert one["bytes"] > 0
    assert one["recovery_s"] > 0


def test_what_is_no_backup_is_told_with_its_reason(cli: Cli, loaded: Path) -> None:
    """A folder without a manifest, and a spoilt file of a rehearsal: a line each, and all else."""
    (one,) = json.loads(cli("backups", loaded, "--json").out)
    half = Path(one["place"]).with_name(f"{one['id'][:-4]}0000")
    half.mkdir()
    spec = read_migration(loaded)
    spoilt = rehearsals_folder(spec) / "2026-01-02.json"
    spoilt.parent.mkdir(parents=True, exist_ok=True)
    spoilt.write_text('{"version": 1, "plan"')

    said = cli("backups", loaded)
    whole, other = json.loads(cli("backups", loaded, "--json").out)
    state = cli("status", loaded)

    assert (said.code, state.code) == (0, 0)
    assert f"no backup: {half}: it has no manifest" in said.out
    assert (whole["id"], other["id"]) == (one["id"], half.name)
    assert f"unreadable: {spoilt}" in state.out


def test_backups_none_is_an_empty_list(cli: Cli, migration: Path) -> None:
    """Before the first run there is nothing, and nothing to prove."""
    assert json.loads(cli("backups", migration, "--json").out) == []
    said = cli("backups", "verify", migration)
    assert said.code == 6
    assert "no backup" in said.err


def test_backups_verify_finds_a_flipped_byte(cli: Cli, loaded: Path) -> None:
    """A good one is restored and compared; with one other byte it exits 6 and says which file."""
    (one,) = json.loads(cli("backups", loaded, "--json").out)
    good = cli("backups", "verify", loaded, one["id"])
    path = next(p for p in Path(one["place"]).iterdir() if p.name != "manifest.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    bad = cli("backups", "verify", loaded)

    assert good.code == 0, good.err
    assert "whole" in good.out
    assert bad.code == 6
    assert path.name in bad.err


@pytest.mark.parametrize("words", [("a", "b"), ("verify", "a", "b", "c")])
def test_backups_too_many_words_are_refused(cli: Cli, words: tuple[str, ...]) -> None:
    """A word too many is no migration: exit 4."""
    assert cli("backups", *words).code == 4


def test_restore_names_what_is_lost_and_asks(
    cli: Cli, loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows written since stand in capitals; with nobody there and no --yes nothing is changed."""
    change(loaded, "INSERT INTO mine VALUES (3)", "CREATE TABLE later (i INTEGER)")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)

    refused = cli("rollback", loaded, "--restore")
    before = rows(loaded)
    done = cli("rollback", loaded, "--restore", "--yes", "--json")

    assert refused.code == 4
    assert "3 rows now, 2 in the backup  !! WRITTEN TO SINCE" in refused.err
    assert "later: 0 rows  !! MADE BY OTHERS SINCE" in refused.err
    assert "is kept in a dump of its own first" in refused.err
    assert (before, rows(loaded)) == (3, 2)
    assert done.code == 0, done.err
    told = {one["table"].rpartition(".")[2] for one in json.loads(done.out)["overwritten"]}
    assert {"mine", "later", "regions"} <= told


def test_restore_without_safety_says_so(cli: Cli, loaded: Path) -> None:
    """--no-safety makes no further backup, and the question says that nothing is kept."""
    said = cli("rollback", loaded, "--restore", "--no-safety", "--yes")

    assert said.code == 0
    assert "IS NOT KEPT" in said.err
    assert "catalog and rows are as before" in said.out
    assert [b["side"] for b in json.loads(cli("backups", loaded, "--json").out)] == ["target"]


def test_restore_of_an_empty_target_is_refused(cli: Cli, migration: Path) -> None:
    """Nothing was kept, so there is nothing to restore: exit 6, and undo is named."""
    for _ in running.run(read_migration(migration)):
        pass

    said = cli("rollback", migration, "--restore", "--yes")

    assert said.code == 6
    assert "without --restore" in said.err


def test_report_names_the_way_back(cli: Cli, loaded: Path) -> None:
    """report.md says where the backup is and how long recovery takes."""
    spec = read_migration(loaded)

    report = (spec.home / "report.md").read_text()

    assert "- way back: " in report
    assert "restored and compared in" in report


@pytest.mark.parametrize("way", [(), ("--restore",)])
def test_rollback_dry_run_says_the_way_and_touches_nothing(
    cli: Cli, loaded: Path, way: tuple[str, ...]
) -> None:
    """--dry-run asks nothing, tells undo or restore and every loss, and changes no byte."""
    change(loaded, "UPDATE regions SET name = 'another' WHERE id = 1")
    target = loaded.with_name("target.duckdb")
    before = target.read_bytes()

    said = cli("rollback", loaded, *way, "--dry-run", "--json")

    told = json.loads(said.out)
    taken = told["would_overwrite" if way else "would_remove"]
    assert said.code == 0, said.err
    assert told["how"] == ("restore" if way else "undo")
    assert [t["table"].rpartition(".")[2] for t in taken] == ["regions"]
    assert "VALUES WERE CHANGED SINCE THE LOAD" in said.err
    assert target.read_bytes() == before


def test_rollback_without_a_terminal_needs_accept_losses(
    cli: Cli, loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values changed since, nobody there: exit 4, the hint says --yes; its long name does it."""
    change(loaded, "UPDATE regions SET name = 'another' WHERE id = 1")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)

    refused = cli("rollback", loaded)
    done = cli("rollback", loaded, "--accept-losses")

    assert refused.code == 4
    assert "VALUES WERE CHANGED SINCE THE LOAD" in refused.err
    assert "--yes" in refused.err
    assert done.code == 0, done.err
    assert rows(loaded) == 2
