"""Connections, and what their errors become."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.duckdb.driver import translate
from datamig_pipelines.errors import (
    ConnectError,
    DatamigError,
    DiskFullError,
    PermissionDeniedError,
    RefusedError,
    StatementError,
)
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, open_session


def test_connect_a_missing_file_to_read_is_an_error(duckdb_url):
    """Reading never makes a new, empty file."""
    with pytest.raises(ConnectError):
        open_session(duckdb_url, readonly=True)
    assert not Path(make_url(duckdb_url).database).exists()


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///:memory:"])
def test_connect_memory_is_refused(url):
    """Each session would see a database of its own."""
    with pytest.raises(ConnectError, match="memory"):
        open_session(url)


def test_connect_a_missing_folder_is_an_error(tmp_path):
    """The message names the file, the hint the path."""
    with pytest.raises(ConnectError, match="nowhere"):
        open_session(f"duckdb:///{tmp_path}/nowhere/x.duckdb")


def test_connect_another_file_is_an_error(tmp_path):
    """A file that is no DuckDB database is not overwritten."""
    other = tmp_path / "notes.duckdb"
    other.write_text("hello " * 4000)
    with pytest.raises(ConnectError, match="not a valid DuckDB"):
        open_session(f"duckdb:///{other}")
    assert other.read_text().startswith("hello")


def test_translate_a_newer_file_gives_advice():
    """A file of DuckDB 2 says which version can write it again."""
    import duckdb

    said = (
        "IO Error: Trying to read a database file with version number 999, but we can only read "
        "versions between 64 and 68.\n"
        "The database file was created with an newer version of DuckDB."
    )
    error = translate(duckdb.IOException(said))
    assert isinstance(error, ConnectError)
    assert "STORAGE_VERSION" in error.hint


def test_connect_readonly_cannot_write(duckdb_url, db):
    """DuckDB itself refuses a write on a session that was opened to read."""
    db.query("CREATE TABLE t (a INTEGER)")
    db.close()
    with open_session(duckdb_url, readonly=True) as reader, pytest.raises(PermissionDeniedError):
        reader.query("INSERT INTO t VALUES (1)")


def test_connect_readers_and_writers_of_one_process_share_the_file(duckdb_url, db):
    """A reader opens beside a writer, and sees what was committed only."""
    db.query("CREATE TABLE t (a INTEGER)")
    with open_session(duckdb_url, readonly=True) as reader:
        db.query("BEGIN TRANSACTION")
        db.query("INSERT INTO t VALUES (1)")
        assert reader.query("SELECT count(*) FROM t") == [(0,)]
        db.query("COMMIT")
        assert reader.query("SELECT count(*) FROM t") == [(1,)]


def test_connect_a_writer_beside_a_reader_is_told_why_not(duckdb_url, db):
    """DuckDB opens a file in one way per process; the hint says what to close."""
    db.close()
    with open_session(duckdb_url, readonly=True), pytest.raises(ConnectError) as caught:
        open_session(duckdb_url)
    assert "close that first" in caught.value.hint


def test_connect_another_process_has_the_file(duckdb_url, db):
    """The second process hears that the file is open elsewhere."""
    db.query("CREATE TABLE t (a INTEGER)")
    code = (
        "import sys; from sqlalchemy.engine import make_url\n"
        "from datamig_pipelines.dialects.duckdb import DuckDB\n"
        "from datamig_pipelines.session import Session\n"
        "Session(DuckDB(), make_url(sys.argv[1]), readonly=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, duckdb_url], check=False, capture_output=True, text=True
    )
    assert "ConnectError" in done.stderr
    assert "Another process has the file open" in done.stderr


def test_connect_is_in_utc(db):
    """An instant is shown in UTC whatever the machine's zone."""
    sql = "SELECT CAST(TIMESTAMPTZ '2020-01-01 10:00:00+05' AS VARCHAR)"
    assert db.query(sql) == [("2020-01-01 05:00:00+00",)]


def test_query_returns_rows_only(db):
    """The count that DuckDB answers to DML is no row; RETURNING gives rows."""
    db.query("CREATE TABLE t (a INTEGER)")
    assert db.query("INSERT INTO t VALUES (?), (?)", (1, 2)) == []
    assert db.query("INSERT INTO t VALUES (3) RETURNING a") == [(3,)]
    assert db.query("UPDATE t SET a = 4 WHERE a = 3") == []
    assert db.query("SELECT a FROM t ORDER BY a") == [(1,), (2,), (4,)]


ERRORS = [
    ("INSERT INTO t VALUES (1, 'x')", RefusedError),
    ("INSERT INTO t VALUES (NULL, 'x')", RefusedError),
    ("INSERT INTO t VALUES ('abc', 'x')", RefusedError),
    ("INSERT INTO t VALUES (99999999999, 'x')", RefusedError),
    ("SELECT CAST('2020-02-30' AS DATE)", RefusedError),
    ("SELECT error('a row')", RefusedError),
    ("SELEC 1", StatementError),
    ("SELECT * FROM nowhere", StatementError),
    ("CREATE TABLE t (a INTEGER)", StatementError),
    ("SELECT ?", StatementError),
    ("COPY (SELECT range FROM range(100000)) TO '/dev/full'", DiskFullError),
]


@pytest.mark.parametrize(("sql", "kind"), ERRORS)
def test_translate_says_what_an_error_means(db, sql, kind):
    """Every error of DuckDB leaves as the error of ours that fits, with a hint."""
    db.query("CREATE TABLE t (a INTEGER PRIMARY KEY, b VARCHAR)")
    db.query("INSERT INTO t VALUES (1, 'x')")
    with pytest.raises(DatamigError) as caught:
        db.query(sql)
    assert type(caught.value) is kind
    assert caught.value.hint


def test_lock_run_is_held_by_one_connection_until_it_closes(duckdb_url, db):
    """A second session cannot take the lock; after `close` it can."""
    assert db.lock_run("shop")
    assert db.lock_run("shop")
    with open_session(duckdb_url) as second:
        assert not second.lock_run("shop")
        db.close()
        assert second.lock_run("shop")


def test_file_missing_tells_before_anything_is_opened(duckdb_url, db):
    """A file target that does not exist yet can be told without making it."""
    assert not DIALECT.file_missing(make_url(duckdb_url))
    assert DIALECT.file_missing(make_url(duckdb_url + ".not"))


@pytest.mark.parametrize(
    ("options", "expected"), [("", "3.8 MiB"), ("?checkpoint_threshold=1GB", "953.6 MiB")]
)
def test_writer_keeps_little_in_memory_unless_told_otherwise(duckdb_url, options, expected):
    """The log is worked in early, so that few rows wait in memory; the URL's own word counts."""
    with open_session(duckdb_url + options) as session:
        assert session.query("SELECT current_setting('checkpoint_threshold')") == [(expected,)]
