"""What goes wrong around a backup: one clear error, nothing lost, and the next attempt ends well."""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from datamig_pipelines import running
from datamig_pipelines.dialects.mysql import backup as mysql_backup
from datamig_pipelines.dialects.postgres import backup as pg_backup
from datamig_pipelines.errors import (
    BackupDamagedError,
    BackupError,
    DatamigError,
    PermissionDeniedError,
    RestoreError,
)
from datamig_pipelines_tests.backups.conftest import mounted
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TARGETS = ("pg_url", "mariadb_url", "sqlite_url", "duckdb_url")
SERVERS = ("pg_url", "mariadb_url")
PROGRAMS = {"pg_url": ("pg_dump", "pg_restore"), "mariadb_url": ("mariadb-dump", "mariadb")}
ROWS = 3000


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database with a table of its own."""
    return filled(going(shop_url, request.getfixturevalue(request.param), include=["regions"]))


@pytest.fixture(params=SERVERS)
def served(
    request: pytest.FixtureRequest, shop_url: str, going: Going
) -> tuple[Journey, tuple[str, str]]:
    """The same on a server, with the names of the programs that dump and restore."""
    made = filled(going(shop_url, request.getfixturevalue(request.param), include=["regions"]))
    return made, PROGRAMS[request.param]


def filled(made: Journey) -> Journey:
    """Put a table of some size into the target."""
    made.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY, t VARCHAR(100))")
    made.ask("INSERT INTO mine VALUES " + ", ".join(f"({i}, 'row {i}')" for i in range(ROWS)))
    return made


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody may write to, not even root, with room for backups once remounted."""
    with mounted(tmp_path / "read-only", "ro,size=64m") as folder:
        yield folder


def writable(folder: Path) -> None:
    """Let the folder be written to from now on."""
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)


class Programs:
    """Stands in front of a program of the engine: all else is the real one."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = patch
        folder.mkdir()

    def spoil(self, name: str, script: str) -> None:
        """Let ``script`` run in the program's place; ``$real`` is the program itself."""
        real = shutil.which(name)
        if name.startswith("pg_"):
            real = pg_backup.tool(name, 15)
        path = self._folder / name
        path.write_text(
            f'#!/bin/sh\nreal={real}\ncase "$*" in *--version*) exec $real --version;; '
            f"esac\n{script}\n"
        )
        path.chmod(0o755)
        self._patch.setattr(pg_backup, "_FOLDERS", ())
        self._patch.setenv("PATH", f"{self._folder}{os.pathsep}{os.environ['PATH']}")

    def mend(self, name: str) -> None:
        """Put the real one back."""
        (self._folder / name).unlink()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """The programs of this test."""
    return Programs(tmp_path / "bin", monkeypatch)


def scratches(made: Journey) -> list[str]:
    """Return the scratch databases on the target's server."""
    sql = "SELECT datname FROM pg_database"
    if made.target_url.startswith("mysql"):
        sql = "SELECT schema_name FROM information_schema.schemata"
    return [n for (n,) in made.ask(sql) if n.startswith("datamig_scratch")]


def refused_untouched(made: Journey) -> DatamigError:
    """Return how a run ends; the target is as it was, and there is no backup."""
    before, rows = made.catalog(), Counter(made.rows("mine"))
    error = made.refused()
    assert made.catalog() == before
    assert Counter(made.rows("mine")) == rows
    assert running.list_backups(made.migration) == []
    return error


def ends_well(made: Journey) -> None:
    """Run again, and back by restore: all of it is there."""
    before = Counter(made.rows("mine"))
    made.run()
    assert set(made.verdicts()) == {"equal"}
    list(running.roll_back(made.migration, by_restore=True))
    assert Counter(made.rows("mine")) == before


def test_read_only_folder_is_said_and_the_next_run_goes_on(
    journey: Journey, read_only: Path
) -> None:
    """A folder on a read-only file system: DM407 before the dump; writable, the run goes on."""
    journey.attributes["backup"] = {"to": str(read_only)}

    error = refused_untouched(journey)
    writable(read_only)
    ends_well(journey)

    assert isinstance(error, PermissionDeniedError), error
    assert error.where == "backup"
    assert "Read-only file system" in error.message
    assert "backup.to" in error.hint


@pytest.mark.parametrize("after_s", [0.0, 0.02])
def test_dump_killed_in_the_middle_is_said(
    after_s: float, served: tuple[Journey, tuple[str, str]], programs: Programs
) -> None:
    """kill -9 of the real dump program at its work: one error, no half backup, then it works."""
    journey, (dump, _) = served
    programs.spoil(dump, f'(sleep {after_s}; kill -9 $$) &\nexec $real "$@"')
    if after_s:  # slow enough that it is still at work
        programs.mend(dump)
        programs.spoil(dump, '$real "$@" | head -c 400\nkill -9 $$')

    error = refused_untouched(journey)
    programs.mend(dump)
    ends_well(journey)

    assert isinstance(error, BackupError)
    assert f"{dump} was killed (signal 9)" in error.message


def test_restore_killed_while_proving_is_said(
    served: tuple[Journey, tuple[str, str]], programs: Programs
) -> None:
    """The restore into the scratch dies half-way: an error, no backup, no scratch left behind."""
    journey, (dump, restore) = served
    half = '$real --section=pre-data "$@"' if dump == "pg_dump" else 'head -c 1500 | $real "$@"'
    programs.spoil(restore, f"{half}\nkill -9 $$")

    error = refused_untouched(journey)
    left = scratches(journey)
    programs.mend(restore)
    ends_well(journey)

    assert isinstance(error, BackupError)
    assert f"{restore} was killed (signal 9)" in error.message
    assert left == []


def test_restore_program_killed_in_a_rollback_starts_over(
    served: tuple[Journey, tuple[str, str]], programs: Programs
) -> None:
    """It dies half-way on the target: an error that says what now; the repetition ends well."""
    journey, (dump, restore) = served
    journey.run()
    journey.ask("DELETE FROM mine WHERE id > 5")
    half = '$real "$@" | head -c 600' if dump == "pg_dump" else 'head -c 1500 | $real "$@"'
    programs.spoil(restore, f'case "$*" in *--list*) exec $real "$@";; esac\n{half}\nkill -9 $$')

    error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    run = journey.refused()
    programs.mend(restore)
    list(running.roll_back(journey.migration))

    assert isinstance(error, RestoreError)
    assert "again" in error.hint
    assert "rollback" in f"{run.message} {run.hint}"
    assert len(journey.rows("mine")) == ROWS
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_restore_program_missing_is_said_before_anything_is_touched(
    served: tuple[Journey, tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the program a restore ends before the first drop, with the package to install."""
    journey, (dump, _) = served
    journey.run()
    journey.ask("DELETE FROM mine WHERE id > 5")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / dump).symlink_to(
        pg_backup.tool(dump, 15) if dump == "pg_dump" else shutil.which(dump) or ""
    )
    with monkeypatch.context() as patch:
        patch.setattr(pg_backup, "_FOLDERS", ())
        patch.setenv("PATH", str(empty))
        error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    rows = len(journey.rows("mine"))
    list(running.roll_back(journey.migration, by_restore=True))

    assert "-client" in error.hint, error
    assert rows == 6
    assert len(journey.rows("mine")) == ROWS


@pytest.mark.parametrize(
    ("target", "module"), [("pg_url", pg_backup), ("mariadb_url", mysql_backup)]
)
def test_taken_scratch_name_is_said_and_that_database_stays(
    target: str,
    module: ModuleType,
    request: pytest.FixtureRequest,
    shop_url: str,
    going: Going,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A database of the scratch's name is not dropped and not written to."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=["regions"]))
    journey.ask("CREATE DATABASE datamig_scratch_taken")
    try:
        with monkeypatch.context() as patch:
            patch.setattr(module.secrets, "token_hex", lambda _: "taken")
            error = refused_untouched(journey)
        left = scratches(journey)
        journey.run()
    finally:
        journey.ask("DROP DATABASE datamig_scratch_taken")

    assert "datamig_scratch_taken" in error.message
    assert error.hint
    assert error.where == "backup"
    assert left == ["datamig_scratch_taken"]
    assert set(journey.verdicts()) == {"equal"}


@pytest.mark.parametrize("what", ["manifest", "byte"])
def test_spoilt_backup_stops_a_restore_and_undo_still_works(what: str, journey: Journey) -> None:
    """One byte of manifest or dump: the restore is refused untouched; the undo needs no backup."""
    journey.run()
    (folder,) = journey.migration.path("./backups").iterdir()
    names = sorted(p for p in folder.rglob("*") if p.is_file())
    path = next(p for p in names if (p.name == "manifest.json") == (what == "manifest"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    journey.ask("DELETE FROM mine WHERE id = 0")
    before = journey.catalog()

    error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    untouched = journey.catalog()
    last = list(running.roll_back(journey.migration))[-1]

    assert isinstance(error, BackupDamagedError)
    assert ("tampered" if what == "manifest" else path.name) in error.message
    assert untouched == before
    assert len(journey.rows("mine")) == ROWS - 1
    assert [t.name.name for t in journey.catalog().tables] == ["mine"]
    assert getattr(last, "detail", {})["changed by others since"], "or why nobody can say"
