"""Connections, parameters, locks, and what real failures are called."""

from itertools import count
from types import SimpleNamespace

import pytest
from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.base import RUN_LOCK
from datamig_pipelines.dialects.postgres import Postgres, driver
from datamig_pipelines.errors import (
    ConnectError,
    ConnectionLostError,
    DatamigError,
    EngineError,
    LockTimeoutError,
    LoginError,
    PermissionDeniedError,
    RefusedError,
    StatementError,
)
from datamig_pipelines.session import Session


def test_session_is_utc_iso_and_utf8(session: Session) -> None:
    """Text from the server does not depend on the server's or the user's settings."""
    sql = "SELECT current_setting('TimeZone'), now()::text, 'ž', '1 mon'::interval::text"
    zone, now, letter, interval = session.query(sql)[0]

    assert (zone, letter, interval) == ("UTC", "ž", "1 mon")
    assert now.endswith("+00")


def test_bare_names_never_mean_the_ledger(url: URL, session: Session, dialect: Postgres) -> None:
    """A user called as the ledger's schema (``"$user"``) still makes bare names in public."""
    session.query("CREATE SCHEMA datamig; CREATE SCHEMA other")
    with Session(dialect, url, readonly=False) as fresh:
        fresh.query("CREATE TABLE t (i int)")
        user, home = fresh.query(
            "SELECT current_user, (SELECT schemaname FROM pg_tables WHERE tablename = 't')"
        )[0]

    assert (user, home) == ("datamig", "public")


def test_reader_cannot_write(url: URL, session: Session, dialect: Postgres) -> None:
    """A session that was opened for reading is refused by the server when it writes."""
    session.query("CREATE TABLE t (i int)")
    with Session(dialect, url, readonly=True) as reader, pytest.raises(PermissionDeniedError):
        reader.query("INSERT INTO t VALUES (1)")


def test_percent_signs_are_names(session: Session, dialect: Postgres) -> None:
    """Identifiers and strings with %s in them do not take a parameter's place."""
    table = TableName("public", "100%s \"q\" '%s'")
    session.query(f'CREATE TABLE {dialect.table(table)} ("a%s" int, "%" text, "b" bytea)')

    session.query(dialect.insert(table, ["a%s", "%", "b"]), (1, "%s", b"\0"))
    session.query(dialect.update(table, ["%"], ["a%s"]), ("it's", 1))
    rows = session.query(dialect.fetch(table, ["%", "b"], ["a%s"], ["%"]), (1,))
    session.query(dialect.delete(table, ["%"]), ("it's",))

    assert rows == [("it's", b"\0")]
    assert session.query(dialect.count(dialect.table(table))) == [(0,)]


def test_one_run_holds_the_lock(url: URL, session: Session, dialect: Postgres) -> None:
    """Only one session has the lock of a name; it is free when that session ends."""
    with Session(dialect, url, readonly=False) as other:
        assert other.lock_run("shop")
        assert not session.lock_run("shop")
        assert session.lock_run("other")
    while not session.lock_run("shop"):  # the server closes the other session in its own time
        session.query("SELECT pg_sleep(0.1)")


HELD = (
    "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    "WHERE locktype = 'advisory' AND datname = current_database()"
)


@pytest.mark.parametrize(("ends", "taken"), [(True, True), (False, False)])
def test_lock_of_a_run_that_was_killed_just_now_is_waited_for(
    ends: bool,
    taken: bool,
    url: URL,
    session: Session,
    dialect: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server needs a moment to see that a client is gone; a run that lives is not outwaited."""
    other = Session(dialect, url, readonly=False)
    assert other.lock_run(RUN_LOCK)
    clock = count(step=driver._RUN_WAIT_S / 3)

    def sleep(_: float) -> None:
        if ends:
            other.close()
        while ends and session.query(HELD):
            session.query("SELECT pg_sleep(0.02)")

    clocks = SimpleNamespace(monotonic=lambda: next(clock), sleep=sleep)
    monkeypatch.setattr(driver, "time", clocks)

    assert session.lock_run(RUN_LOCK) is taken
    other.close()


def raised(dialect: Postgres, url: URL) -> DatamigError:
    with pytest.raises(EngineError) as caught:
        Session(dialect, url, readonly=True)
    assert str(url.password) not in str(caught.value)
    assert caught.value.hint
    return caught.value


def test_connection_failures_have_names(url: URL, dialect: Postgres) -> None:
    """Wrong password, wrong database, nobody there: each its own error, without the password."""
    query = {"connect_timeout": "2", "schema": "x"}

    assert isinstance(raised(dialect, url.set(password="wr0ng-secret")), LoginError)
    assert isinstance(raised(dialect, url.set(username="nobody")), LoginError)
    assert isinstance(raised(dialect, url.set(database="nope")), ConnectError)
    assert isinstance(raised(dialect, url.set(port=1, query=query)), ConnectError)
    assert isinstance(raised(dialect, url.set(host="no.invalid", query=query)), ConnectError)
    query["connect_timeout"] = "60"
    with Session(dialect, url.update_query_dict(query), readonly=True) as fine:
        assert fine.query("SELECT 1") == [(1,)]


REFUSALS = [
    ("INSERT INTO t (i) VALUES (1), (1)", RefusedError),
    ("INSERT INTO t (i, s) VALUES (2, NULL)", RefusedError),
    ("INSERT INTO t (i, s) VALUES (2, 'abcdef')", RefusedError),
    ("INSERT INTO t (i) VALUES (-1)", RefusedError),
    ("INSERT INTO t (i) VALUES (99999999999)", RefusedError),
    ("INSERT INTO t (i, up) VALUES (2, 9)", RefusedError),
    ("SELECT 'x'::int", RefusedError),
    ("SELECT '2020-02-31'::date", RefusedError),
    (r"SELECT E'\xff'", RefusedError),
    ("DO $$ BEGIN RAISE 'not today'; END $$", RefusedError),
    ("SELECT nonsense", StatementError),
    ("SELEC 1", StatementError),
    ("SELECT * FROM nowhere", StatementError),
    ("GRANT USAGE ON SCHEMA public TO weak; SET ROLE weak; SELECT * FROM t", PermissionDeniedError),
]


@pytest.mark.parametrize(("sql", "error"), REFUSALS)
def test_refusals_have_names(scratch: Session, sql: str, error: type[EngineError]) -> None:
    """A row's own fault is RefusedError, a statement's StatementError, a right's its own."""
    scratch.query(
        "CREATE TABLE t (i int PRIMARY KEY CHECK (i > 0), s varchar(5) NOT NULL DEFAULT 'x', "
        "up int REFERENCES t)"
    )
    scratch.query("DO $$ BEGIN CREATE ROLE weak; EXCEPTION WHEN duplicate_object THEN NULL; END $$")

    with pytest.raises(error) as caught:
        scratch.query(sql)

    assert type(caught.value) is error
    assert caught.value.hint
    assert not caught.value.message.startswith("ERROR")


def test_lock_timeout_is_retryable(url: URL, session: Session, dialect: Postgres) -> None:
    """Waiting too long for a lock is LockTimeoutError, worth another try."""
    session.query("CREATE TABLE t (i int)")
    with Session(dialect, url, readonly=False) as other, session.transaction():
        session.query("LOCK TABLE t")
        with pytest.raises(LockTimeoutError) as caught:
            other.query("SET lock_timeout = '50ms'; SELECT * FROM t")

    assert caught.value.retryable


def test_lost_connection_is_retryable(url: URL, session: Session, dialect: Postgres) -> None:
    """A session whose backend was terminated says so, at once and from then on."""
    with Session(dialect, url, readonly=False) as other:
        pid = other.query("SELECT pg_backend_pid()")[0][0]
        session.query("SELECT pg_terminate_backend(%s)", (pid,))
        for _ in range(2):
            with pytest.raises(ConnectionLostError) as caught:
                other.query("SELECT 1")
            assert caught.value.retryable
