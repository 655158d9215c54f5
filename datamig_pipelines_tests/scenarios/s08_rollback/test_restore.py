"""Back by the backup: everything is as it was, whoever wrote, dropped or killed in between."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.backups import open_store, read_manifest
from datamig_pipelines.errors import (
    BackupDamagedError,
    BackupMissingError,
    DatamigError,
    LedgerError,
    RestoreError,
)
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TABLES = ["regions", "countries"]
TARGETS = ("pg_url", "sqlite_url", "duckdb_url", "mariadb_url")
OTHER = [(1, "one", None), (2, "zwei ✓", 2), (2, "zwei ✓", 2)]


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database that holds something else already."""
    return filled(going(shop_url, request.getfixturevalue(request.param), include=TABLES))


def filled(made: Journey) -> Journey:
    """Put two tables and a view into the target."""
    made.ask(
        "CREATE TABLE mine (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)",
        "INSERT INTO mine VALUES (1, 'a'), (2, 'b')",
        "CREATE TABLE other (n INTEGER, t VARCHAR(20), m INTEGER)",
        "INSERT INTO other VALUES (1, 'one', NULL), (2, 'zwei ✓', 2), (2, 'zwei ✓', 2)",
        "CREATE INDEX by_n ON other (n)",
        "CREATE VIEW looked AS SELECT id FROM mine",
    )
    return made


def spoilt(made: Journey) -> None:
    """Do what undo could never take back."""
    made.ask(
        "INSERT INTO mine VALUES (3, 'c')",
        "DELETE FROM other WHERE n = 1",
        "DROP VIEW looked",
        f"CREATE TABLE {made.named('later')} (id INTEGER)",
        f"INSERT INTO {made.named('later')} VALUES (1)",
    )


def restored(made: Journey) -> StepDone:
    """Roll back by restore and return what it says at the end."""
    last = list(running.roll_back(made.migration, by_restore=True))[-1]
    assert isinstance(last, StepDone)
    return last


def test_restore_brings_everything_back(journey: Journey) -> None:
    """Rows, tables, views and indexes are as before the run; the ledger remembers both ways."""
    before = journey.catalog()
    journey.run()
    spoilt(journey)

    last = restored(journey)

    after = journey.catalog()
    assert [t.columns for t in after.tables] == [t.columns for t in before.tables]
    assert [t.indexes for t in after.tables] == [t.indexes for t in before.tables]
    assert after.views == before.views
    assert Counter(journey.rows("other", "n, t, m")) == Counter(OTHER)
    assert sorted(journey.rows("mine")) == [(1, "a"), (2, "b")]
    runs = running.status(journey.migration)["runs"]
    assert [r["status"] for r in runs] == ["rolled_back"]
    assert last.detail["safety"]
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


def test_restore_keeps_what_it_overwrites(journey: Journey) -> None:
    """The safety dump holds the target as it was just before, the rows written since included."""
    journey.run()
    spoilt(journey)

    safety = Path(restored(journey).detail["safety"])

    manifest = read_manifest(open_store(journey.migration), safety.name)
    rows = {name.rpartition(".")[2]: facts.rows for name, facts in manifest.state.tables.items()}
    assert manifest.side == "safety"
    assert (rows["mine"], rows["other"], rows["later"]) == (3, 2, 1)


def test_restore_names_what_will_be_lost(journey: Journey) -> None:
    """Tables that changed, that the run made and that others made are told apart; others are not."""
    journey.run()
    journey.ask("INSERT INTO mine VALUES (3, 'c')")
    journey.ask(f"CREATE TABLE {journey.named('later')} (id INTEGER)")

    lost = {
        o.table.rpartition(".")[2]: (o.rows, o.before, o.made)
        for o in running.overwrites(journey.migration)
    }

    assert lost.pop("mine") == (3, 2, False)
    assert lost.pop("later") == (0, None, False)
    assert set(lost) == set(TABLES)
    assert all(made and before is None for _, before, made in lost.values())


@pytest.mark.parametrize(
    ("target", "delay_s"),
    [
        ("pg_url", 0.02),
        ("sqlite_url", 0.0),
        ("sqlite_url", 0.01),
        ("mariadb_url", 0.02),
        ("mariadb_url", 0.1),
        ("duckdb_url", 0.02),
    ],
)
def test_killed_restore_goes_on(
    target: str, delay_s: float, request: pytest.FixtureRequest, shop_url: str, going: Going
) -> None:
    """kill -9 in the middle of a restore: no run may start, and the next rollback ends it well."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=TABLES))
    before = journey.catalog()
    journey.run()
    spoilt(journey)

    process = journey.start("restore")
    begun = any(e.get("text", "").startswith("restoring") for e in process.told())
    assert begun
    if process.kill(delay_s):
        assert isinstance(journey.refused(), LedgerError)
        list(running.roll_back(journey.migration))

    assert [t.columns for t in journey.catalog().tables] == [t.columns for t in before.tables]
    assert Counter(journey.rows("other", "n, t, m")) == Counter(OTHER)
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_undo_that_fails_says_the_other_way(going: Going, shop_url: str, pg_url: str) -> None:
    """A view of others on a loaded table stops the undo; the hint is --restore, which works."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    journey.ask("CREATE VIEW public.of_others AS SELECT id FROM regions")

    error = journey.refused(running.roll_back)
    restored(journey)

    assert "--restore" in error.hint
    assert [v.name.name for v in journey.catalog().views] == ["looked"]


def test_failed_run_is_restored_where_the_spec_says_so(
    going: Going, shop_url: str, pg_url: str
) -> None:
    """With ``on_failure: restore`` a failure that undo cannot take back is taken back all the same."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.attributes["rollback"] = {"on_failure": "restore"}
    module = journey.folder / "broken.py"
    module.write_text(
        "import polars as pl, psycopg, os\n"
        "def load(f: pl.DataFrame) -> pl.DataFrame:\n"
        "    with psycopg.connect(os.environ['SCENARIO_TARGET_URL']) as c:\n"
        "        c.execute('CREATE VIEW public.of_others AS SELECT 1 FROM regions')\n"
        "    return 1 / 0\n"
    )
    journey.attributes["tables"] = [{"name": "countries", "transform": "broken.load"}]

    error = journey.refused()

    assert not getattr(error, "__notes__", ())
    assert sorted(t.name.name for t in journey.catalog().tables) == ["mine", "other"]
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_rows_in_tables_of_others_need_a_restore(going: Going, shop_url: str, pg_url: str) -> None:
    """Where the ledger says that the run wrote into a table that was there, undo is not taken."""
    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    with journey.place("target").open(readonly=False) as session:
        ledger = Ledger(session)
        (run_id,) = journey.run_ids()
        detail = json.loads(ledger.steps(run_id)["backup"][1]) | {"touched": ["public.mine"]}
        ledger.end_step(run_id, "backup", "done", json.dumps(detail))
    journey.ask("INSERT INTO mine VALUES (3, 'c')")

    assert running.needs_restore(journey.migration)
    list(running.roll_back(journey.migration))

    assert sorted(journey.rows("mine")) == [(1, "a"), (2, "b")]


# ---- what stands in the way


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
    import psycopg

    from datamig_pipelines.dialects.postgres import replacing

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
    import time

    import psycopg

    journey = filled(going(shop_url, pg_url, include=TABLES))
    journey.run()
    spoilt(journey)
    waiting = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    waiting += "WHERE NOT granted AND datname = current_database()"
    with psycopg.connect(pg_url) as holder:
        holder.execute("SELECT count(*) FROM mine")
        process = journey.start("restore")
        assert any(e.get("text", "").startswith("restoring") for e in process.told())
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
    from datamig_pipelines.dialects.postgres import backup, replacing

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
