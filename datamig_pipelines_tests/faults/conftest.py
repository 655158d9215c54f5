"""A finished migration on each engine, open to be harmed; every test gets it as it was loaded."""

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


@pytest.fixture(scope="package", params=ENGINES)
def breaker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Breaker]:
    """Who harms the finished club of an engine; made once for all tests of the package."""
    engine = request.param
    folder = tmp_path_factory.mktemp(f"club_{engine}")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for side in ("SOURCE", "TARGET"):
            patch.setenv(f"SCENARIO_{side}_URL", "")  # journeys set them; this puts them back
        urls = stack.enter_context(two_databases(engine, folder, request))
        send(urls[0], *club(engine))
        journey = Journey(folder, *urls, {"name": "club", "backup": {"verify": "none"}})
        journey.run()
        yield Breaker(stack.enter_context(proving(journey.migration)))
