"""The throwaway servers themselves."""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymysql
import pytest

from datamig_pipelines_tests.conftest import Judge
from datamig_pipelines_tests.engines import PASSWORD, SERVERS, Server, children_of

SYSTEM_DATABASE = {"postgresql": "postgres", "mysql": "mysql"}
SLEEPERS = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE info = 'SELECT sleep(60)'",
}
REFUSED = (psycopg.OperationalError, pymysql.OperationalError)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    kind = SERVERS[request.param]
    if reason := kind.missing():
        pytest.skip(reason)
    one = kind()
    yield one
    one.remove()


def test_server_starts_answers_and_is_gone_after_stop(server: Server) -> None:
    """A server answers its driver; stop ends process and port, remove deletes the folder."""
    server.start()
    pid = server.pid
    system = SYSTEM_DATABASE[server.scheme]
    answer = server.query(system, "SELECT 1")
    server.stop()

    assert answer == [(1,)]
    assert server.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(REFUSED):
        server.query(system, "SELECT 1")
    server.remove()
    assert not server.folder.exists()


def test_server_comes_back_after_crash_with_committed_rows(server: Server) -> None:
    """After kill -9 amid a busy session, start gives the same port and every committed row."""
    server.start()
    with server.database() as url:
        name = url.rpartition("/")[2]
        server.query(name, "CREATE TABLE t (a int)")
        server.query(name, "INSERT INTO t VALUES (1), (2)")
        sleep = "pg_sleep" if server.scheme == "postgresql" else "sleep"
        busy = threading.Thread(target=_busy, args=(server, name, f"SELECT {sleep}(60)"))
        busy.start()
        while server.query(SYSTEM_DATABASE[server.scheme], SLEEPERS[server.scheme]) == [(0,)]:
            time.sleep(0.02)
        port, pid = server.port, server.pid
        server.crash()
        busy.join(60)
        server.start()

        assert not busy.is_alive()
        assert (server.port, server.pid == pid) == (port, False)
        assert not children_of(pid)
        assert server.query(name, "SELECT count(*) FROM t") == [(2,)]


def test_database_is_fresh_and_dropped_afterwards(server: Server) -> None:
    """A database is empty at first, takes a script, and is gone afterwards."""
    server.start()
    script = server.folder / "script.sql"
    script.write_text("CREATE TABLE naïve (a int);\nINSERT INTO naïve VALUES (7);\n", "utf-8")
    with server.database() as url:
        name = url.rpartition("/")[2]
        server.run_script(name, script)
        rows = server.query(name, "SELECT a FROM naïve")

    assert rows == [(7,)]
    with pytest.raises(REFUSED):
        server.query(name, "SELECT 1")


def test_script_that_fails_is_reported(server: Server, tmp_path: Path) -> None:
    """A script with an error raises what the client said, no password; it can be told to go on."""
    server.start()
    script = tmp_path / "script.sql"
    script.write_text("CREATE TABLE a (a int);\nSELECT nonsense;\nCREATE TABLE b (a int);\n")
    with server.database() as url:
        name = url.rpartition("/")[2]
        with pytest.raises(RuntimeError, match="nonsense") as caught:
            server.run_script(name, script)
        server.query(name, "DROP TABLE a")
        with contextlib.suppress(RuntimeError):  # mariadb --force still tells by its exit code
            server.run_script(name, script, stop_on_error=False)

        assert PASSWORD not in str(caught.value)
        assert server.query(name, "SELECT count(*) FROM b") == [(0,)]


def test_fixtures_give_two_different_databases(pg_url: str, pg_url2: str, mariadb_url: str) -> None:
    """Source and target may be on one server without being one database."""
    assert len({pg_url, pg_url2, mariadb_url}) == 3
    assert pg_url.startswith(f"postgresql://datamig:{PASSWORD}@127.0.0.1:")
    assert mariadb_url.startswith(f"mysql://datamig:{PASSWORD}@127.0.0.1:")


def test_judge_tells_equal_from_different(judge: Judge, tmp_path: Path) -> None:
    """The judge says EXACT of a copy and SILENT-LOSS or worse of a copy without a row."""
    urls = []
    for name, rows in (("a", 3), ("b", 3), ("c", 2)):
        with contextlib.closing(sqlite3.connect(tmp_path / name)) as file, file:
            file.execute("CREATE TABLE t (a integer PRIMARY KEY, b text)")
            file.executemany("INSERT INTO t VALUES (?, ?)", [(n, f"row {n}") for n in range(rows)])
        urls.append(f"sqlite:///{tmp_path / name}")

    assert judge(urls[0], urls[1])["verdict"] == "EXACT"
    assert judge(urls[0], urls[2])["verdict"] not in {"EXACT", "OK"}


def _busy(server: Server, database: str, statement: str) -> None:
    with contextlib.suppress(*REFUSED):
        server.query(database, statement)
