"""Connections, read only sessions, shared snapshots, and what errors mean."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.errors import (
    ConnectError,
    ConnectionLostError,
    LockTimeoutError,
    LoginError,
    PermissionDeniedError,
    RefusedError,
    SpecError,
    StatementError,
)
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines_tests.engines import MariadbServer

DIALECT = MySQL()


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql"])
def test_any_spelling_of_the_url_connects(mariadb_url: str, scheme: str) -> None:
    """The session is in UTC and utf8mb4 with a known sql_mode, whatever driver the URL names."""
    url = make_url(mariadb_url).set(drivername=scheme, query={"connect_timeout": "60"})
    with Session(DIALECT, url, readonly=True) as session:
        row = session.query(
            "SELECT @@time_zone, @@character_set_connection, @@autocommit, %s", ("%",)
        )
        assert row == [("+00:00", "utf8mb4", 1, "%")]
        assert session.query("SELECT 'a%s'") == [("a%s",)]
        assert session.query(f"SELECT {DIALECT.literal(chr(92) + chr(39) + '%')}") == [("\\'%",)]


def test_a_readonly_session_cannot_write(source: Session) -> None:
    """The server itself refuses to insert and to create in a source's session."""
    source.query("CREATE TABLE t (id int)")
    with Session(DIALECT, source.url, readonly=True) as session:
        for statement in ("INSERT INTO t VALUES (1)", "CREATE TABLE u (id int)", "DROP TABLE t"):
            with pytest.raises(PermissionDeniedError):
                session.query(statement)


def test_connect_errors(mariadb_url: str) -> None:
    """A wrong port, database, password or option each has its own error, without the password."""
    url = make_url(mariadb_url)
    secret = "s3cr3t-pläne-✓"
    wrong = [
        (url.set(port=1), ConnectError),
        (url.set(database="nope"), ConnectError),
        (url._replace(database=None), ConnectError),
        (url.set(password=secret), LoginError),
        (url.set(username="nobody", password=secret), LoginError),
        (url.set(query={"nonsense": "1"}), SpecError),
    ]
    for bad, kind in wrong:
        with pytest.raises(kind) as caught:
            Session(DIALECT, bad, readonly=True)
        assert secret not in str(caught.value)


def test_data_errors_are_refusals(source: Session) -> None:
    """What a constraint, type or range of a row refuses can be set aside."""
    source.query("CREATE TABLE p (id int PRIMARY KEY)")
    source.query(
        "CREATE TABLE t (id tinyint PRIMARY KEY, v varchar(3) NOT NULL, d date,"
        " c int CHECK (c > 0), e enum('a'), j json, FOREIGN KEY (c) REFERENCES p (id),"
        " l varchar(9) CHARACTER SET latin1)"
    )
    source.query("INSERT INTO t (id, v) VALUES (1, 'a')")
    for values in (
        "(id, v) VALUES (1, 'b')",
        "(id, v) VALUES (300, 'b')",
        "(id, v) VALUES (2, 'long')",
        "(id, v) VALUES (2, NULL)",
        "(id) VALUES (2)",
        "(id, v, d) VALUES (2, 'a', '2020-02-31')",
        "(id, v, c) VALUES (2, 'a', -1)",
        "(id, v, c) VALUES (2, 'a', 5)",
        "(id, v, e) VALUES (2, 'a', 'x')",
        "(id, v, j) VALUES (2, 'a', '{')",
        "(id, v, l) VALUES (2, 'a', '🐎')",
        "(id, v) VALUES ('x', 'a')",
    ):
        with pytest.raises(RefusedError):
            source.query("INSERT INTO t " + values)


def test_other_errors(source: Session) -> None:
    """Locks, lost connections and plain mistakes are told apart."""
    source.query("CREATE TABLE t (id int PRIMARY KEY, v int)")
    source.query("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(StatementError, match="1064"):
        source.query("SELEC 1")
    with pytest.raises(StatementError, match="1146"):
        source.query("SELECT * FROM nope")
    with Session(DIALECT, source.url, readonly=False) as other:
        source.query("START TRANSACTION")
        source.query("UPDATE t SET v = 2")
        other.query("SET SESSION innodb_lock_wait_timeout = 1")
        with pytest.raises(LockTimeoutError) as caught:
            other.query("UPDATE t SET v = 3")
        assert caught.value.retryable
        source.query("ROLLBACK")
        source.query(f"KILL {other._connection.thread_id()}")
        with pytest.raises(ConnectionLostError):
            other.query("SELECT 1")
        with pytest.raises(ConnectionLostError):
            other.query("SELECT 1")


def test_several_sessions_read_one_moment(source: Session) -> None:
    """No reader sees what was committed later, the writer goes on as soon as they have begun."""
    source.query("CREATE TABLE t (id int)")
    source.query("INSERT INTO t VALUES (1)")
    readers, position = open_readers(DIALECT, source.url, 3)
    try:
        source.query("INSERT INTO t VALUES (2)")
        assert [r.query("SELECT COUNT(*) FROM t") for r in readers] == [[(1,)]] * 3
        assert position == ""
        with pytest.raises(PermissionDeniedError):
            readers[0].query("INSERT INTO t VALUES (3)")
    finally:
        for reader in readers:
            reader.close()


def test_several_sessions_need_the_privilege_to_lock(source: Session) -> None:
    """Without RELOAD one session has its own snapshot, several are refused with a way out."""
    database = source.url.database
    source.query("CREATE TABLE t (id int)")
    source.query("CREATE OR REPLACE USER weak@'%' IDENTIFIED BY 'weak-pw'")
    source.query(f"GRANT SELECT ON `{database}`.* TO weak@'%'")
    weak = source.url.set(username="weak", password="weak-pw")
    (reader,), position = open_readers(DIALECT, weak, 1)
    source.query("INSERT INTO t VALUES (1)")
    assert reader.query("SELECT COUNT(*) FROM t") == [(0,)]
    assert position == ""
    reader.close()
    with pytest.raises(PermissionDeniedError) as caught:
        open_readers(DIALECT, weak, 2)
    assert "workers: 1" in caught.value.hint
    with Session(DIALECT, weak, readonly=False) as session, pytest.raises(PermissionDeniedError):
        session.query("INSERT INTO t VALUES (1)")


class _LoggingServer(MariadbServer):
    """A MariaDB with a binary log."""

    options: tuple[str, ...] = ()

    def command(self, port: int) -> list[str]:
        return [*super().command(port), "--log-bin=changes", "--server-id=1", *self.options]


def _position(url: str) -> str:
    """Return the position of a moment that is looked at for no longer than that."""
    (reader,), position = open_readers(DIALECT, make_url(url), 1)
    reader.close()
    return position


def test_a_snapshot_knows_its_place_in_the_binary_log() -> None:
    """The position is the snapshot's own: it moves with commits before it, not with later ones.

    Without a commit it stays; where commits may be left out of the log there is none.
    """
    if reason := MariadbServer.missing():
        pytest.skip(reason)
    server = _LoggingServer()
    try:
        server.start()
        with server.database() as url, Session(DIALECT, make_url(url), readonly=False) as source:
            source.query("CREATE TABLE t (id int)")
            for count in (2, 1):
                source.query("INSERT INTO t VALUES (1)")
                now = source.query("SHOW MASTER STATUS")[0]
                readers, position = open_readers(DIALECT, make_url(url), count)
                assert position == f"{now[0]}:{now[1]}"
                for reader in readers:
                    reader.close()
                assert _position(url) == position
                source.query("INSERT INTO t VALUES (2)")
                assert _position(url) != position
            source.query("CREATE USER weak@'%' IDENTIFIED BY 'x'")
            source.query("GRANT SELECT, RELOAD ON *.* TO weak@'%'")
            weak = make_url(url).set(username="weak", password="x")
            shown = weak.render_as_string(hide_password=False)
            assert _position(shown) == "", "nobody said that every commit is in the log"
        server.stop()
        server.options = ("--binlog-ignore-db=left_out",)
        with server.database() as url:
            assert _position(url) == "", "not every commit is in the log"
    finally:
        server.remove()
