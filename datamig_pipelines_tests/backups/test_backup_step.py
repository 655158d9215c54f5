"""What the step backup keeps, how it proves it, and what stops it."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import manifest, open_store, reading, writing
from datamig_pipelines.dialects.mysql import backup as mysql_backup
from datamig_pipelines.dialects.postgres import backup as pg_backup
from datamig_pipelines.errors import (
    BackupDamagedError,
    BackupError,
    DatamigError,
    DriverMissingError,
    PermissionDeniedError,
    ScratchUnfitError,
)
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TARGETS = ("pg_url", "mariadb_url", "sqlite_url", "duckdb_url")
SERVERS = ("pg_url", "mariadb_url")


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database with a parent, a child, and a table of its own."""
    return filled(going(shop_url, request.getfixturevalue(request.param), include=["regions"]))


@pytest.fixture
def pg_journey(pg_url: str, shop_url: str, going: Going) -> Journey:
    """The same into PostgreSQL."""
    return filled(going(shop_url, pg_url, include=["regions"]))


@pytest.fixture
def sqlite_journey(sqlite_url: str, shop_url: str, going: Going) -> Journey:
    """The same into SQLite."""
    return filled(going(shop_url, sqlite_url, include=["regions"]))


def filled(made: Journey) -> Journey:
    """Put three tables into the target."""
    made.ask(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "INSERT INTO parent VALUES (1), (2)",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent (id))",
        "INSERT INTO child VALUES (10, 1)",
        "CREATE TABLE alone (t VARCHAR(20))",
        "INSERT INTO alone VALUES ('zwei ✓'), (NULL)",
    )
    return made


def backed_up(made: Journey) -> dict[str, Any]:
    """Run the step and return what it says."""
    done = [e for e in running.run_step(made.migration, None, "backup") if isinstance(e, StepDone)]
    return done[0].detail


def manifest_of(made: Journey, name: str) -> manifest.Manifest:
    return reading.read_manifest(open_store(made.migration), name)


# ---- what is kept


def test_manifest_says_what_is_there(journey: Journey) -> None:
    """Rows and fingerprint of each table, versions, tool, sizes, digests, time of recovery."""
    detail = backed_up(journey)

    found = manifest_of(journey, detail["backup"])
    raw = (Path(detail["folder"]) / "manifest.json").read_bytes()
    rows = {name.rpartition(".")[2]: t.rows for name, t in found.state.tables.items()}
    assert rows == {"parent": 2, "child": 1, "alone": 2}
    assert all(t.fingerprint.startswith(f"{t.rows}:") for t in found.state.tables.values())
    assert (found.side, found.what, found.verified) == ("target", "all", "restore")
    assert found.version
    assert any(c.isdigit() for c in found.tool)
    assert found.recovery_s == detail["recovery_s"]
    assert manifest.digest(raw) == detail["manifest_sha256"]
    sizes = {f.name: (Path(detail["folder"]) / f.name).stat().st_size for f in found.files}
    assert {f.name: f.bytes for f in found.files} == sizes
    modes = {stat.S_IMODE(p.stat().st_mode) for p in Path(detail["folder"]).rglob("*")}
    assert modes == {0o600}
    left = [p for p in Path(detail["folder"]).parent.iterdir() if p.name.startswith(".")]
    assert left == []


def test_source_is_kept_where_asked(pg_journey: Journey) -> None:
    """With ``source: true`` there are two backups; of some tables only with ``what: tables``."""
    pg_journey.attributes["backup"] = {"source": True, "what": "tables"}

    detail = backed_up(pg_journey)

    assert detail["kept"].startswith("nothing"), "no table of the target is written to"
    found = manifest_of(pg_journey, detail["source"]["backup"])
    assert (found.side, list(found.state.tables)) == ("source", ["regions"])
    assert found.what == "all", "a file is kept whole"


@pytest.mark.parametrize("target", ["pg_url", "mariadb_url"])
def test_some_tables_are_kept_with_their_parents(
    target: str, request: pytest.FixtureRequest, going: Going, sqlite_url: str
) -> None:
    """``what: tables`` on a server keeps the tables moved and those they refer to, no others."""
    journey = going(request.getfixturevalue(target), sqlite_url, include=["child"])
    for statement in (
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent (id))",
        "CREATE TABLE alone (t VARCHAR(20))",
        "CREATE VIEW looked AS SELECT * FROM alone",
    ):
        journey.ask(statement, side="source")
    journey.attributes["backup"] = {"source": True, "what": "tables"}

    detail = backed_up(journey)["source"]

    found = manifest_of(journey, detail["backup"])
    names = {name.rpartition(".")[2] for name in found.state.tables}
    assert (found.what, names) == ("tables", {"child", "parent"})
    assert found.verified == "restore"


def test_large_target_is_dumped_by_several_connections(
    pg_journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the limit a folder is dumped in parallel, verified, and restored by a rollback."""
    monkeypatch.setattr(writing, "_PARALLEL_BYTES", 1)
    pg_journey.run()
    pg_journey.ask("DELETE FROM alone")

    list(running.roll_back(pg_journey.migration, by_restore=True))

    detail = json.loads(_steps(pg_journey)["backup"][1])
    names = [f.name for f in manifest_of(pg_journey, detail["backup"]).files]
    assert "postgresql.dump/toc.dat" in names
    assert len(names) > 3
    assert len(pg_journey.rows("alone")) == 2


def test_large_mysql_target_streams_into_a_folder(
    mariadb_url: str, shop_url: str, going: Going, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its dump program has one connection: above the limit there is no temporary file either."""

    def by_way_of_a_file(*_: Any) -> None:
        raise AssertionError

    journey = filled(going(shop_url, mariadb_url, include=["regions"]))
    monkeypatch.setattr(writing, "_PARALLEL_BYTES", 1)
    monkeypatch.setattr(mysql_backup, "dump", by_way_of_a_file)

    assert backed_up(journey)["verified"] == "restore"


# ---- how it is proven


@pytest.mark.parametrize("verify", ["restore", "checksum"])
def test_flipped_byte_turns_the_step_red(
    verify: str, journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte that changes on its way to the disk is found, and nothing is kept."""
    real = writing._stored

    def spoilt(order: Any, store: Any, *more: Any) -> Any:
        entries = real(order, store, *more)
        path = store.folder / order.id / entries[0].name
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        return entries

    monkeypatch.setattr(writing, "_stored", spoilt)
    journey.attributes["backup"] = {"verify": verify}
    before = journey.catalog()

    error = _refused_step(journey)

    assert isinstance(error, BackupDamagedError)
    assert journey.catalog() == before
    assert list(journey.migration.path("./backups").iterdir()) == []


@pytest.mark.parametrize("verify", ["restore", "checksum"])
@pytest.mark.parametrize("target", ["pg_url", "mariadb_url", "sqlite_url"])
def test_rows_written_meanwhile_are_found_or_left_out(
    target: str,
    verify: str,
    request: pytest.FixtureRequest,
    shop_url: str,
    going: Going,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Figures and dump are of one moment, or the step fails; never a wrong figure."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=["regions"]))
    journey.attributes["backup"] = {"verify": verify}
    if target == "sqlite_url":
        journey.ask("PRAGMA journal_mode = WAL")
    real = writing._stored

    def late(*arguments: Any) -> Any:
        journey.ask("INSERT INTO alone VALUES ('late')")
        return real(*arguments)

    monkeypatch.setattr(writing, "_stored", late)

    if target == "pg_url":
        found = manifest_of(journey, backed_up(journey)["backup"])
        assert found.moment.startswith("snapshot ")
        assert found.state.tables["public.alone"].rows == 2
        return
    error = _refused_step(journey)
    assert isinstance(error, BackupError)
    assert "written to" in f"{error.message} {error.hint}"
    assert list(journey.migration.path("./backups").iterdir()) == []


def test_scratch_may_be_made_elsewhere(
    pg_journey: Journey, pg_url2: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """scratch_env names another database beside which the scratch is made."""
    monkeypatch.setenv("SCRATCH_URL", pg_url2)
    pg_journey.attributes["backup"] = {"scratch_env": "SCRATCH_URL"}
    asked: list[str] = []
    real = pg_backup.ScratchDatabase.__init__

    def noted(self: Any, url: Any, *more: Any) -> None:
        asked.append(url.database)
        real(self, url, *more)

    monkeypatch.setattr(pg_backup.ScratchDatabase, "__init__", noted)

    detail = backed_up(pg_journey)

    assert detail["verified"] == "restore"
    assert asked == [pg_url2.rpartition("/")[2]]


@pytest.mark.parametrize(
    ("value", "words"), [(None, "not set"), ("nonsense", "no URL"), ("sqlite:///x.db", "SQLite")]
)
def test_unfit_scratch_is_said(
    value: str | None, words: str, pg_journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scratch_env without a value, or of another engine, ends the step with its own error."""
    monkeypatch.delenv("SCRATCH_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("SCRATCH_URL", value)
    pg_journey.attributes["backup"] = {"scratch_env": "SCRATCH_URL"}

    error = _refused_step(pg_journey)

    assert isinstance(error, ScratchUnfitError)
    assert words in error.message


# ---- what stands in the way


def test_read_only_folder_is_said(sqlite_journey: Journey, tmp_path: Path) -> None:
    """A place that is no folder, or may not be written, is said before anything is dumped."""
    (tmp_path / "file").write_text("x")
    sqlite_journey.attributes["backup"] = {"to": str(tmp_path / "file" / "below")}

    error = _refused_step(sqlite_journey)

    assert isinstance(error, PermissionDeniedError)
    assert error.where == "backup"


def program(folder: Path, name: str, script: str) -> None:
    """Put a program of that name into a folder."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("target", "name", "package", "state"),
    [
        ("pg_url", "pg_dump", "postgresql-client", "missing"),
        ("pg_url", "pg_dump", "postgresql-client", "killed"),
        ("pg_url", "pg_dump", "postgresql-client", "old"),
        ("mariadb_url", "mariadb-dump", "mariadb-client", "missing"),
        ("mariadb_url", "mariadb-dump", "mariadb-client", "killed"),
    ],
)
def test_dump_program_in_a_bad_state_is_said(
    target: str,
    name: str,
    package: str,
    state: str,
    request: pytest.FixtureRequest,
    shop_url: str,
    going: Going,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Missing, too old, or killed half-way: one clear error, no half backup; then it works."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=["regions"]))
    folder = tmp_path / "bin"
    folder.mkdir()
    for needed in ("sh", "kill"):
        (folder / needed).symlink_to(f"/bin/{needed}")
    version = "pg_dump (PostgreSQL) 9.6.1" if state == "old" else "pg_dump (PostgreSQL) 99.1"
    if state != "missing":
        known = f'case "$*" in --version) echo "{version}"; exit 0;; esac'
        program(folder, name, f"{known}\necho half\nkill -9 $$")
    with monkeypatch.context() as patch:
        patch.setattr(pg_backup, "_FOLDERS", ())
        patch.setenv("PATH", str(folder))
        error = _refused_step(journey)
    assert list(journey.migration.path("./backups").iterdir()) == []

    if state == "killed":
        assert isinstance(error, BackupError)
        assert f"{name} was killed (signal 9)" in error.message
    else:
        assert isinstance(error, DriverMissingError if state == "missing" else BackupError)
        assert package in error.hint
    assert journey.run_ids()
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


def test_cut_off_dump_is_no_backup(
    mariadb_url: str,
    shop_url: str,
    going: Going,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script of mariadb-dump that ends well but has no end is refused."""
    journey = filled(going(shop_url, mariadb_url, include=["regions"]))
    program(tmp_path / "bin", "mariadb-dump", "echo 'CREATE TABLE t (i int);'")
    monkeypatch.setattr(mysql_backup, "_program", lambda _: str(tmp_path / "bin/mariadb-dump"))

    error = _refused_step(journey)

    assert isinstance(error, BackupError)
    assert "no end" in error.message


def _steps(made: Journey) -> dict[str, tuple[str, str]]:
    from datamig_pipelines.ledger import Ledger

    with made.place("target").open(readonly=True) as session:
        return Ledger(session).steps(made.run_ids()[-1])


def _refused_step(made: Journey) -> DatamigError:
    return made.refused(lambda m: running.run_step(m, None, "backup"))
