"""What stands in the way of a restore is said before anything is touched, or changes nothing."""

import os
import time
from pathlib import Path

import psycopg
import pytest

from datamig_pipelines import running
from datamig_pipelines.dialects.postgres import backup, replacing
from datamig_pipelines.errors import (
    BackupDamagedError,
    BackupMissingError,
    DatamigError,
    RestoreError,
)
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey
from datamig_pipelines_tests.scenarios.s08_rollback.test_restore import (
    TABLES,
    filled,
    restored,
    spoilt,
)


@pytest.fixture(params=["pg_url", "sqlite_url"])
def kept(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A run whose backup a test may spoil: a server's dump, and a packed file."""
    made = filled(going(shop_url, request.getfixturevalue(request.param), include=TABLES))
    made.run()
    return made


def damaged(made: Journey) -> DatamigError:
    """Return how a restore ends; nothing may have been touched."""
    spoilt(made)
    before, status = made.catalog(), running.status(made.migration)["runs"][-1]["status"]
    error = made.refused(lambda m: running.roll_back(m, by_restore=True))
    assert made.catalog() == before
    assert running.status(made.migration)["runs"][-1]["status"] == status
    return error


def backup_of(made: Journey) -> Path:
    """Return the folder of the run's backup."""
    (folder,) = made.migration.path("./backups").iterdir()
    return folder


def test_flipped_byte_in_the_dump_stops_a_restore(kept: Journey) -> None:
    """One other byte in a file is found before anything is touched."""
    path = next(p for p in backup_of(kept).rglob("*") if p.name != "manifest.json")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    error = damaged(kept)

    assert isinstance(error, BackupDamagedError)
    assert path.name in error.message


def test_flipped_byte_in_the_manifest_stops_a_restore(kept: Journey) -> None:
    """A changed manifest is found by the digest that the ledger keeps."""
    path = backup_of(kept) / "manifest.json"
    path.write_text(path.read_text().replace('"rows": 2', '"rows": 3', 1))

    error = damaged(kept)

    assert isinstance(error, BackupDamagedError)
    assert "tampered" in error.message


def test_missing_backup_stops_a_restore(kept: Journey) -> None:
    """A file that is gone, or a whole backup, is said; a target that was empty has none."""
    folder = backup_of(kept)
    next(p for p in folder.rglob("*") if p.name != "manifest.json").unlink()
    first = damaged(kept)
    (folder / "manifest.json").unlink()
    second = kept.refused(lambda m: running.roll_back(m, by_restore=True))

    assert isinstance(first, BackupDamagedError)
    assert "missing" in first.message
    assert isinstance(second, BackupMissingError)


def test_empty_target_has_nothing_to_restore(going: Going, shop_url: str, sqlite_url: str) -> None:
    """Nothing was kept, so a restore is refused, and undo still works."""
    journey = going(shop_url, sqlite_url, include=TABLES)
    journey.run()

    error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    list(running.roll_back(journey.migration))

    assert isinstance(error, BackupMissingError)
    assert "empty" in error.message
    assert journey.catalog().tables == ()


def test_locked_table_stops_a_restore_and_loses_nothing(
    going: Going, shop_url: str, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that holds a lock is waited for, then said; all rows are still there."""
    monkeypatch.setattr(replacing, "_BEGIN", replacing._BEGIN.replace("'30s'", "'200ms'"))
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    spoilt(journey)
    with psycopg.connect(pg_url) as reader:
        reader.execute("SELECT count(*) FROM mine")
        error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    rows = journey.rows("mine")
    restored(journey)

    assert "lock" in error.message
    assert len(rows) == 3
    assert len(journey.rows("mine")) == 2


def test_restore_killed_inside_its_transaction_changes_nothing(
    going: Going, shop_url: str, pg_url: str
) -> None:
    """kill -9 while psql waits in the middle: the server rolls back, the next rollback ends it."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    spoilt(journey)
    waiting = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    waiting += "WHERE NOT granted AND datname = current_database()"
    with psycopg.connect(pg_url) as holder:
        holder.execute("SELECT count(*) FROM mine")
        process = journey.start("restore")
        assert any(e.get("text", "").startswith("restoring") for e in process.told())
        process.run_ahead()
        with psycopg.connect(pg_url, autocommit=True) as watcher:
            while watcher.execute(waiting).fetchone() == (0,):
                time.sleep(0.02)
            assert process.kill()
            holder.rollback()
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            others += f"AND application_name = 'psql' AND pid <> {watcher.info.backend_pid}"
            while watcher.execute(others).fetchone() != (0,):
                time.sleep(0.02)

    assert len(journey.rows("mine")) == 3
    assert journey.rows("later") == [(1,)]
    list(running.roll_back(journey.migration))
    assert len(journey.rows("mine")) == 2
    safeties = [b for b in running.list_backups(journey.migration) if b["side"] == "safety"]
    assert len(safeties) == 2, "the second attempt does not write over the first dump"
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_killed_pg_restore_loses_nothing(
    going: Going, shop_url: str, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pg_restore that dies half-way commits nothing: the rows of before the restore are there."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    spoilt(journey)
    real = backup.tool("pg_restore", 15)
    fake = tmp_path / "pg_restore"
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *--list*) exec {real} "$@";; esac\n'
        f'{real} "$@" | head -c 600\nkill -9 $$\n'
    )
    fake.chmod(0o755)
    tool = backup.tool
    monkeypatch.setattr(
        replacing.backup, "tool", lambda n, v: str(fake) if n == "pg_restore" else tool(n, v)
    )

    error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    monkeypatch.undo()
    os.environ["SCENARIO_SOURCE_URL"], os.environ["SCENARIO_TARGET_URL"] = shop_url, pg_url
    rows = journey.rows("mine")
    restored(journey)

    assert isinstance(error, RestoreError)
    assert len(rows) == 3
    assert len(journey.rows("mine")) == 2
