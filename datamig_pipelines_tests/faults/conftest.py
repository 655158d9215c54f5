"""A finished migration on each engine, open to be harmed; every test gets it as it was loaded."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.running import Breaker, proving
from datamig_pipelines.session import Session
from datamig_pipelines_tests.faults.club import club
from datamig_pipelines_tests.scenarios.journey import Journey

ENGINES = ("postgresql", "mysql", "sqlite", "duckdb")


def send(url: str, *statements: str) -> None:
    """Send statements, committed one by one."""
    at = make_url(url)
    with Session(get_dialect(at), at, readonly=False) as session:
        for statement in statements:
            session.query(statement)


@contextmanager
def two_databases(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Yield the URLs of two empty databases of one engine."""
    if engine in ("sqlite", "duckdb"):
        yield [f"{engine}:///{folder / side}.{engine}" for side in ("source", "target")]
        return
    server = request.getfixturevalue(
        {"postgresql": "postgres_server", "mysql": "mariadb_server"}[engine]
    )
    with server.database() as source, server.database() as target:
        yield [source, target]


@pytest.fixture(scope="session")
def broken_open(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Opened"]:
    """Make migrations when they are asked for, once each."""
    kept = {n: os.environ.get(n) for n in ("SCENARIO_SOURCE_URL", "SCENARIO_TARGET_URL")}
    with ExitStack() as stack:
        yield Opened(stack, request, tmp_path_factory)
    for name, value in kept.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class Opened:
    """The migrations made so far, by engine."""

    def __init__(
        self,
        stack: ExitStack,
        request: pytest.FixtureRequest,
        folders: pytest.TempPathFactory,
    ) -> None:
        self._stack, self._request, self._folders = stack, request, folders
        self._made: dict[str, Breaker] = {}

    def breaker(self, engine: str) -> Breaker:
        """Return who harms the club on an engine."""
        if engine not in self._made:
            folder = self._folders.mktemp(f"club_{engine}")
            urls = self._stack.enter_context(two_databases(engine, folder, self._request))
            send(urls[0], *club(engine))
            journey = Journey(folder, *urls, {"name": "club", "backup": {"verify": "none"}})
            journey.run()
            prover = self._stack.enter_context(proving(journey.migration))
            self._made[engine] = Breaker(prover)
        return self._made[engine]
