"""What a target's sessions do for the server's other users: real locks, real timeouts."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from datamig_pipelines.errors import LockTimeoutError, StatementError
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration

LOCKS = {
    "pg_url": ("BEGIN", "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"),
    "mariadb_url": ("START TRANSACTION", "UPDATE t SET a = 2"),
    "sqlite_url": ("BEGIN EXCLUSIVE",),
}


@pytest.fixture
def limited(request, monkeypatch) -> Iterator:
    """Open sessions of a target whose spec says so."""
    opened: list[Session] = []

    def make(engine: str, *, readonly: bool = False, **throttle: float) -> Session:
        monkeypatch.setenv("COURTESY_URL", request.getfixturevalue(engine))
        said = {
            "name": "m",
            "source": {"url": "sqlite:///a"},
            "target": {"url_env": "COURTESY_URL"},
        }
        place = target_place(Migration.model_validate({**said, "throttle": throttle}))
        opened.append(place.open(readonly=readonly))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.mark.parametrize("engine", LOCKS)
def test_lock_that_another_session_holds_is_waited_for_no_longer_than_said(limited, engine):
    """After lock_timeout_s the session gives up with LockTimeoutError instead of waiting on."""
    waiting = limited(engine, lock_timeout_s=0.2)
    waiting.query("CREATE TABLE t (a INTEGER)")
    waiting.query("INSERT INTO t VALUES (1)")
    holding = limited(engine)
    for statement in LOCKS[engine]:
        holding.query(statement)

    with pytest.raises(LockTimeoutError):
        waiting.query("UPDATE t SET a = 3")


LONG = {
    "pg_url": "SELECT pg_sleep(20)",
    "mariadb_url": "SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b",
}


@pytest.mark.parametrize("engine", LONG)
def test_statement_is_ended_after_its_time(limited, engine):
    """statement_timeout_s ends what takes longer, and the hint names the key."""
    session = limited(engine, statement_timeout_s=0.2)

    with pytest.raises(StatementError) as caught:
        session.query(LONG[engine])

    assert "statement_timeout_s" in caught.value.hint


def test_postgres_target_waits_thirty_seconds_for_a_lock_by_default(limited):
    """Without a word in the spec nobody waits for ever; a reader of the target is left alone."""
    assert limited("pg_url").query("SHOW lock_timeout") == [("30s",)]
    assert limited("pg_url", readonly=True).query("SHOW lock_timeout") == [("0",)]
    assert limited("pg_url").query("SHOW statement_timeout") == [("0",)]


def test_url_of_a_sqlite_target_keeps_its_own_timeout(limited):
    """The spec's word counts where there is one; else the URL's or the usual ten seconds."""
    assert limited("sqlite_url").query("PRAGMA busy_timeout") == [(10_000,)]
    assert limited("sqlite_url", lock_timeout_s=3).query("PRAGMA busy_timeout") == [(3000,)]


def test_postgres_without_replicas_lags_nothing(limited):
    """No replica is 0, not None."""
    with closing(limited("pg_url")) as session:
        assert session.dialect.replication_lag_s(session) == 0.0


def test_engines_without_a_word_about_replicas_say_so(limited):
    """None, not 0: nobody is to take it for "all have caught up"."""
    for engine in ("mariadb_url", "sqlite_url", "duckdb_url"):
        session = limited(engine)
        assert session.dialect.replication_lag_s(session) is None
