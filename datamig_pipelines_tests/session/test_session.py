"""Transactions, translated errors, snapshots."""

import sqlite3

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.dialects.duckdb import DuckDB
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.errors import (
    ConnectError,
    ConnectionLostError,
    DriverMissingError,
    EngineError,
    RunningElsewhereError,
    StatementError,
)
from datamig_pipelines.session import Session, open_readers

ENGINES = {
    "sqlite": (SQLite(), "sqlite_url"),
    "duckdb": (DuckDB(), "duckdb_url"),
    "postgres": (Postgres(), "pg_url"),
}


@pytest.fixture(params=ENGINES)
def session(request):
    """A session that may write, on every engine that is a target."""
    dialect, fixture = ENGINES[request.param]
    with Session(dialect, make_url(request.getfixturevalue(fixture)), readonly=False) as opened:
        opened.query("CREATE TABLE t (id integer NOT NULL)")
        yield opened


def test_transaction_commits(session):
    """What is done in a transaction stays."""
    with session.transaction():
        session.query("INSERT INTO t VALUES (1)")

    assert session.query("SELECT id FROM t") == [(1,)]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_transaction_is_rolled_back_on_any_error(session, error):
    """Whatever ends the block, nothing of it stays, and the next transaction works."""
    with pytest.raises(error), session.transaction():  # noqa: PT012
        session.query("INSERT INTO t VALUES (1)")
        raise error

    with session.transaction():
        session.query("INSERT INTO t VALUES (2)")

    assert session.query("SELECT id FROM t") == [(2,)]


def test_driver_error_leaves_as_one_of_ours(session):
    """No driver's exception passes a session."""
    with pytest.raises(EngineError) as caught:
        session.query("SELECT * FROM nowhere")

    assert (caught.value.code.startswith("DM4"), caught.value.hint != "") == (True, True)


def test_refused_commit_is_rolled_back(sqlite_url):
    """A commit that a deferred constraint refuses leaves no transaction open."""
    with Session(SQLite(), make_url(sqlite_url), readonly=False) as session:
        session.query("PRAGMA foreign_keys = on")
        session.query("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        session.query("CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(EngineError), session.transaction():
            session.query("INSERT INTO c VALUES (1)")

        with session.transaction():
            session.query("INSERT INTO p VALUES (1)")

        assert session.query("SELECT (SELECT count(*) FROM p), (SELECT count(*) FROM c)") == [
            (1, 0)
        ]


def test_missing_file_is_a_connect_error(tmp_path):
    """A source file that is not there is not made."""
    path = tmp_path / "nope.sqlite"
    with pytest.raises(ConnectError):
        Session(SQLite(), make_url(f"sqlite:///{path}"), readonly=True)

    assert not path.exists()


def test_missing_driver_names_the_package(sqlite_url, monkeypatch):
    """A driver that is not installed is an error with the command that installs it."""

    def missing(self):
        raise ImportError("No module named 'oracledb'", name="oracledb")

    monkeypatch.setattr(SQLite, "driver_errors", missing)
    with pytest.raises(DriverMissingError) as caught:
        Session(SQLite(), make_url(sqlite_url), readonly=False)

    assert "pip install oracledb" in caught.value.hint


def test_close_is_idempotent(session):
    """Closing twice is closing once."""
    session.close()
    session.close()


def test_readers_see_one_moment(pg_url):
    """All readers of PostgreSQL see the same snapshot, whatever is written afterwards."""
    url = make_url(pg_url)
    with Session(Postgres(), url, readonly=False) as writer:
        writer.query("CREATE TABLE t (id integer)")
        readers, position = open_readers(Postgres(), url, 3)
        try:
            writer.query("INSERT INTO t VALUES (1)")
            seen = [r.query("SELECT count(*) FROM t")[0][0] for r in readers]
        finally:
            for reader in readers:
                reader.close()

    assert (seen, position != "") == ([0, 0, 0], True)


def test_reader_of_a_file_is_one(sqlite_path, sqlite_url):
    """An engine without shared snapshots is read by one session, in its own snapshot."""
    sqlite3.connect(sqlite_path).execute("CREATE TABLE t (id)").connection.close()
    readers, position = open_readers(SQLite(), make_url(sqlite_url), 4)
    for reader in readers:
        reader.close()

    assert len(readers) == 1
    assert position  # a file tells by its counter of changes whether somebody wrote


def test_reader_cannot_write(pg_url):
    """A source is never written to."""
    with (
        Session(Postgres(), make_url(pg_url), readonly=True) as session,
        pytest.raises(EngineError),
    ):
        session.query("CREATE TABLE t (id integer)")


def test_name_with_a_percent_sign_needs_no_escape(session):
    """A statement without parameters is sent as it stands."""
    session.query('CREATE TABLE "100%s" (id integer)')

    assert session.query('SELECT count(*) FROM "100%s"') == [(0,)]


def test_statement_error_is_a_statement_error(session):
    """A syntax error is the statement's fault, not the row's."""
    with pytest.raises(StatementError):
        session.query("SELEKT 1")


def kill(url: str) -> None:
    """End all sessions of a database but our own."""
    with Session(Postgres(), make_url(url), readonly=False) as other:
        other.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_lost_session_is_opened_again_with_its_lock(pg_url):
    """A session knows that it was lost; opened again it works, and holds the run's lock."""
    with Session(Postgres(), make_url(pg_url), readonly=False) as session:
        assert session.lock_run("datamig")
        kill(pg_url)
        with pytest.raises(ConnectionLostError):
            session.check()
        lost = session.lost
        session.reopen()
        with Session(Postgres(), make_url(pg_url), readonly=False) as other:
            taken = other.lock_run("datamig")

        assert (lost, session.lost, taken) == (True, False, False)
        assert session.query("SELECT 1") == [(1,)]


def test_session_whose_lock_was_taken_does_not_go_on(pg_url):
    """Another process that took the lock meanwhile has the target."""
    with Session(Postgres(), make_url(pg_url), readonly=False) as session:
        session.lock_run("datamig")
        kill(pg_url)
        with Session(Postgres(), make_url(pg_url), readonly=False) as other:
            assert other.lock_run("datamig")
            with pytest.raises(RunningElsewhereError):
                session.reopen()


def _asked(session, monkeypatch):
    """Return the list that every statement of a session is written to from now on."""
    asked, query = [], session.query
    monkeypatch.setattr(session, "query", lambda sql, *rest: asked.append(sql) or query(sql, *rest))
    return asked


def test_table_that_was_found_is_not_looked_for_again(session, monkeypatch):
    """A ledger asks for its tables before every question; once per session is enough."""
    here = session.dialect.default_schema(session.url)
    asked = _asked(session, monkeypatch)

    found = [session.has_table(TableName(here, name)) for name in ("t", "t", "none", "none")]

    assert found == [True, True, False, False]
    assert len(asked) == 3, "what is not there may be made at any time"


def test_table_of_a_transaction_that_was_rolled_back_is_looked_for_again(session):
    """What was found inside it is gone."""
    made = TableName(session.dialect.default_schema(session.url), "made")
    with pytest.raises(ValueError), session.transaction():  # noqa: PT012
        session.query("CREATE TABLE made (id integer NOT NULL)")
        assert session.has_table(made)
        raise ValueError

    assert session.dialect.can.transactional_ddl
    assert not session.has_table(made)


@pytest.mark.parametrize("fixture", ["pg_url", "duckdb_url"])
def test_catalogs_of_several_scopes_are_those_of_each(fixture, request, monkeypatch):
    """Read together they are what they are one by one, and no question is asked twice."""
    url = make_url(request.getfixturevalue(fixture))
    with Session(get_dialect(url), url, readonly=False) as session:
        session.query("CREATE TABLE t (id integer NOT NULL)")
        session.query("CREATE SCHEMA other")
        session.query("CREATE TABLE other.u (id integer NOT NULL)")
        here = session.dialect.default_schema(url)
        single = [session.dialect.read_catalog(session, scope) for scope in (here, "*")]
        asked = _asked(session, monkeypatch)

        together = session.dialect.read_catalogs(session, here, "*")

    assert together == single
    assert [len(c.tables) for c in together] == [1, 2]
    if fixture == "duckdb_url":  # PostgreSQL is asked for a schema by a parameter
        assert len(asked) == len(set(asked))
