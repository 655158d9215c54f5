"""Opening files, errors, locks, backups."""

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines import errors
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.sqlite.reads import compared, table_of

DIALECT = SQLite()


def test_missing_source_is_an_error_and_no_new_file(open_file, sqlite_url, sqlite_path):
    """A source that does not exist is not created."""
    with pytest.raises(errors.ConnectError, match="no such database file"):
        open_file(readonly=True)

    assert not sqlite_path.exists()
    assert DIALECT.file_missing(make_url(sqlite_url))


@pytest.mark.parametrize("name", ["a b?mode=rw#x%20.sqlite", "ö'\".sqlite"])
def test_any_file_name_is_opened(tmp_path: Path, name: str):
    """Characters that mean something in a URI are part of the file's name."""
    url = make_url("sqlite://").set(database=str(tmp_path / name))
    with Session(DIALECT, url, readonly=False) as session:
        session.query("CREATE TABLE t (a)")
    with Session(DIALECT, url, readonly=True) as session:
        assert DIALECT.has_table(session, table_of(session, "t").name)

    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_reader_cannot_write(session, open_file):
    """A source is opened so that nothing can be written."""
    session.query("CREATE TABLE t (a)")

    with pytest.raises(errors.PermissionDeniedError):
        open_file(readonly=True).query("INSERT INTO t VALUES (1)")


def test_file_that_is_no_database_is_told(tmp_path: Path, open_file):
    """A file with something else in it cannot be opened; a folder neither."""
    (tmp_path / "x").write_text("no database at all, but long enough" * 100)

    for place in (tmp_path / "x", tmp_path, tmp_path / "gone" / "y"):
        with pytest.raises(errors.ConnectError):
            open_file(f"sqlite:///{place}")
    with pytest.raises(errors.ConnectError):
        open_file("sqlite://")


def test_busy_file_is_a_lock_timeout(session, open_file, sqlite_url):
    """Who waits too long for another writer is told so, and may try again."""
    session.query("BEGIN IMMEDIATE")

    with pytest.raises(errors.LockTimeoutError) as caught:
        open_file(sqlite_url + "?timeout=0.1").query("BEGIN IMMEDIATE")
    assert caught.value.retryable


def test_full_disk_is_told(session):
    """A database that may not grow any more says that there is no room."""
    session.query("CREATE TABLE t (a)")
    session.query("PRAGMA max_page_count = 3")

    with pytest.raises(errors.DiskFullError):
        session.query("INSERT INTO t VALUES (zeroblob(100000))")
    full = DIALECT.translate(OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(full, errors.DiskFullError)


def test_wrong_statement_is_a_statement_error(session):
    """Other errors keep the driver's words."""
    with pytest.raises(errors.StatementError, match="no such table: nowhere"):
        session.query("SELECT * FROM nowhere")


def test_foreign_keys_are_off_while_loading(session):
    """Rows may arrive before those that they refer to."""
    session.query("CREATE TABLE t (id INTEGER PRIMARY KEY, p INT REFERENCES t)")
    session.query("INSERT INTO t VALUES (1, 2)")

    assert session.query("PRAGMA foreign_keys") == [(0,)]
    assert session.query("PRAGMA synchronous") == [(2,)]


def test_only_one_run_holds_the_lock(open_file):
    """The lock excludes other sessions, of this process too, until its session ends."""
    first, second = open_file(), open_file()

    assert first.lock_run("one")
    assert first.lock_run("one")
    assert not second.lock_run("two")
    first.close()
    assert second.lock_run("two")


def test_lock_ends_with_a_killed_process(open_file, sqlite_path):
    """A process that dies takes its lock along; what it committed stays, the rest is gone."""
    program = (
        "import os, sys; from sqlalchemy.engine import make_url\n"
        "from datamig_pipelines.dialects.sqlite import SQLite\n"
        "from datamig_pipelines.session import Session\n"
        "s = Session(SQLite(), make_url(sys.argv[1]), readonly=False)\n"
        "assert s.lock_run('dying'); s.query('CREATE TABLE t (a)')\n"
        "s.query('PRAGMA cache_size = 1'); s.query('BEGIN')\n"
        "[s.query('INSERT INTO t VALUES (zeroblob(5000))') for _ in range(50)]\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{sqlite_path}"]
    assert subprocess.run(command, check=False).returncode == -9

    reader = open_file(readonly=True)  # alone it may not roll back
    assert reader.query("SELECT count(*) FROM t") == [(0,)]
    assert open_file().lock_run("next")


def test_backup_restores_to_the_same_rows(session, sqlite_url, tmp_path):
    """A backup restored into a scratch database has the same fingerprint; the scratch goes away."""
    session.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    session.query("INSERT INTO t (v) VALUES ('a'), (NULL), ('ž')")
    columns = compared(table_of(session, "t"))
    before = session.fingerprint("t", columns)

    url = make_url(sqlite_url)
    files = DIALECT.dump(url, "", tmp_path / "backups")
    session.query("DELETE FROM t")
    with DIALECT.scratch(url, tmp_path / "scratch") as scratch:
        DIALECT.restore(scratch, files)
        with Session(DIALECT, scratch, readonly=True) as restored:
            assert restored.fingerprint("t", columns) == before
    assert list((tmp_path / "scratch").iterdir()) == []

    DIALECT.restore(url, files)
    assert session.fingerprint("t", columns) == before


def test_backup_of_a_wal_file_is_one_file(session, sqlite_url, tmp_path):
    """A database in WAL mode is copied with what stands in its log; nothing is left beside it."""
    session.query("PRAGMA journal_mode = WAL")
    session.query("CREATE TABLE t (a)")
    (copy,) = DIALECT.dump(make_url(sqlite_url), "", tmp_path / "b")

    assert [p.name for p in (tmp_path / "b").iterdir()] == [copy.name]
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_backup_that_cannot_be_made_says_why(sqlite_url, tmp_path):
    """A missing database and a taken file name are backup errors."""
    with pytest.raises(errors.BackupError, match="no such database file"):
        DIALECT.dump(make_url(sqlite_url), "", tmp_path / "b")
    with pytest.raises(errors.BackupError):
        DIALECT.restore(make_url(sqlite_url), [tmp_path / "nothing"])
