"""Fixtures: throwaway servers and databases, shared data, the neutral judge."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from datamig_pipelines_tests.engines import SERVERS, MariadbServer, PostgresServer, Server

Judge = Callable[[str, str], dict[str, Any]]
MEMORY = Path("/dev/shm")  # noqa: S108 (mkdtemp makes the folders in it)
ROOM_BYTES = 6 * 1024**3


def pytest_configure() -> None:
    """Keep servers and files in memory where there is room: no test needs them after a power cut.

    Whoever sets TMPDIR has the last word. Hypothesis has no stopwatch, for machines that run tests
    are busy, and no dice: the same tree gives the same verdict each time. For other examples:
    ``--hypothesis-profile=default``.
    """
    settings.register_profile(
        "datamig",
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("datamig")
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)  # workers and the processes of tests inherit it
        tempfile.tempdir = None


def pytest_report_header() -> list[str]:
    """Say which engines are here."""
    states = [f"{name} {'MISSING' if kind.missing() else 'here'}" for name, kind in SERVERS.items()]
    return [f"engines: {', '.join([*states, 'sqlite here', 'duckdb here'])}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested, so that a green run is not taken for more than it is."""
    gone = [reason for kind in SERVERS.values() if (reason := kind.missing())]
    if gone:
        terminalreporter.section("ENGINES MISSING: THEIR TESTS DID NOT RUN", red=True, bold=True)
        for reason in gone:
            terminalreporter.write_line(reason, red=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A private PostgreSQL, one per worker, started at first use."""
    yield from _serve(PostgresServer)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """A private MariaDB, one per worker, started at first use."""
    yield from _serve(MariadbServer)


@pytest.fixture
def pg_url(postgres_server: Server) -> Iterator[str]:
    """A fresh PostgreSQL database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def pg_url2(postgres_server: Server) -> Iterator[str]:
    """A second fresh PostgreSQL database: source and target on one server."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server: Server) -> Iterator[str]:
    """A fresh MariaDB database."""
    with mariadb_server.database() as url:
        yield url


@pytest.fixture
def mariadb_url2(mariadb_server: Server) -> Iterator[str]:
    """Another fresh MariaDB database, to move into."""
    with mariadb_server.database() as url:
        yield url


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where a SQLite file may be made."""
    return tmp_path / "test.sqlite"


@pytest.fixture
def sqlite_url(sqlite_path: Path) -> str:
    """The URL of ``sqlite_path``."""
    return f"sqlite:///{sqlite_path}"


@pytest.fixture
def duckdb_url(tmp_path: Path) -> str:
    """The URL of a DuckDB file that does not exist yet."""
    return f"duckdb:///{tmp_path / 'test.duckdb'}"


@pytest.fixture
def parquet_url(tmp_path: Path) -> str:
    """The URL of a folder for Parquet files that does not exist yet."""
    return f"parquet:///{tmp_path / 'parquet'}"


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """The folder of real databases beside the checkout, or where DATAMIG_SHARED_DATA says."""
    default = pytestconfig.rootpath.parent / "shared" / "data"
    folder = Path(os.environ.get("DATAMIG_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set DATAMIG_SHARED_DATA)")
    return folder


@pytest.fixture
def judge(pytestconfig: pytest.Config, tmp_path: Path) -> Judge:
    """A neutral comparison of two databases that knows nothing of this project."""
    program = pytestconfig.rootpath.parent / "shared" / "judge" / "check.py"
    if not program.is_file():
        pytest.skip(f"no judge at {program}")

    def verdict(source_url: str, target_url: str) -> dict[str, Any]:
        answer = tmp_path / "verdict.json"
        answer.unlink(missing_ok=True)
        command = [sys.executable, str(program), source_url, target_url, "--quiet"]
        done = subprocess.run(
            [*command, "--json", str(answer)], check=False, capture_output=True, text=True
        )
        assert answer.exists(), f"the judge ended with {done.returncode}: {done.stderr[-2000:]}"
        return json.loads(answer.read_text())

    return verdict


def _has_room(folder: Path) -> bool:
    """Say whether a file system in memory is large enough, and the memory behind it free."""
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < ROOM_BYTES:
        return False
    pages: dict[str, str] = dict(
        line.split(":") for line in Path("/proc/meminfo").read_text().splitlines()
    )
    return int(pages["MemAvailable"].split()[0]) * 1024 >= ROOM_BYTES


def _serve(kind: type[Server]) -> Iterator[Server]:
    if reason := kind.missing():
        pytest.skip(reason)
    server = kind()
    try:
        server.start()
        yield server
    finally:
        server.remove()
