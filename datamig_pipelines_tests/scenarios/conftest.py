"""Fixtures of the scenarios: a shop in each engine, a journey between any two databases."""

import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines.sample import make_shop
from datamig_pipelines.transfer.pace import Pace
from datamig_pipelines_tests.engines import MariadbServer, PostgresServer, Server
from datamig_pipelines_tests.scenarios.journey import Journey
from datamig_pipelines_tests.scenarios.shops import fill_mariadb

Going = Callable[..., Journey]
Striking = Callable[..., None]


@pytest.fixture(scope="session")
def shop_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop in SQLite, made once; nobody writes to it."""
    path = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    make_shop(path, scale=0.01)
    return path


@pytest.fixture
def shop_path(shop_master: Path, tmp_path: Path) -> Path:
    """A copy of the shop that a test may change."""
    return Path(shutil.copy(shop_master, tmp_path / "shop.sqlite"))


@pytest.fixture
def shop_url(shop_path: Path) -> str:
    """The URL of ``shop_path``."""
    return f"sqlite:///{shop_path}"


@pytest.fixture
def going(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Going:
    """Make a journey from one URL to another with further attributes."""
    for side in ("SOURCE", "TARGET"):
        monkeypatch.setenv(f"SCENARIO_{side}_URL", "")  # journeys set them; this puts them back
    folder = tmp_path / "migration"
    folder.mkdir()

    def make(source_url: str, target_url: str, **attributes: Any) -> Journey:
        return Journey(folder, source_url, target_url, attributes)

    return make


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that nobody listens on, nor can while the test runs: it is taken, without a listener."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def striking(monkeypatch: pytest.MonkeyPatch) -> Striking:
    """Have something done behind every so many commits of a load in this process, so often at most.

    The worker that committed does it, and no other one takes a step beyond its own next commit
    meanwhile: whoever reads the events may be far behind the workers on a busy machine.
    """

    def strike(what: Callable[[], None], *, each: int, most: int = 1) -> None:
        lock, spent = threading.Lock(), Pace.spent
        commits = strikes = 0

        def told(pace: Pace, rows: int, *rest: Any) -> None:
            nonlocal commits, strikes
            spent(pace, rows, *rest)
            with lock:
                commits += rows > 0
                if commits >= each and strikes < most:
                    commits, strikes = 0, strikes + 1
                    what()

        monkeypatch.setattr(Pace, "spent", told)

    return strike


@pytest.fixture(scope="session")
def pg_shop_url(
    postgres_server: PostgresServer, shop_master: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The shop in PostgreSQL, brought there once by the product itself; nobody writes to it."""
    with postgres_server.database() as url:
        folder = tmp_path_factory.mktemp("pg_shop")
        with pytest.MonkeyPatch.context() as patch:
            for side in ("SOURCE", "TARGET"):
                patch.setenv(f"SCENARIO_{side}_URL", "")
            Journey(folder, f"sqlite:///{shop_master}", url).run()
        postgres_server.query(url.rpartition("/")[2], "DROP SCHEMA datamig CASCADE")
        yield url


@pytest.fixture(scope="session")
def mariadb_shop_url(mariadb_server: MariadbServer, shop_master: Path) -> Iterator[str]:
    """Part of the shop in MariaDB, written by the driver; nobody writes to it."""
    with mariadb_server.database() as url:
        fill_mariadb(mariadb_server, url.rpartition("/")[2], shop_master)
        yield url


@pytest.fixture
def shop(shop_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the copy of the shop, committed at once."""
    connection = sqlite3.connect(shop_path, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """A PostgreSQL that a test may break."""
    if reason := PostgresServer.missing():
        pytest.skip(reason)
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
