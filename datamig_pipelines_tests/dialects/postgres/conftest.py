"""Sessions on throwaway databases."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL, make_url

from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.session import Session
from datamig_pipelines_tests.engines import Server


@pytest.fixture
def dialect() -> Postgres:
    return Postgres()


@pytest.fixture
def url(pg_url: str) -> URL:
    return make_url(pg_url)


@pytest.fixture
def session(dialect: Postgres, url: URL) -> Iterator[Session]:
    with Session(dialect, url, readonly=False) as session:
        yield session


@pytest.fixture
def second(dialect: Postgres, pg_url2: str) -> Iterator[Session]:
    with Session(dialect, make_url(pg_url2), readonly=False) as session:
        yield session


@pytest.fixture(scope="module")
def shared_database(postgres_server: Server) -> Iterator[Session]:
    """One database for all cases of a module: making one takes longer than most tests."""
    with (
        postgres_server.database() as url,
        Session(Postgres(), make_url(url), readonly=False) as session,
    ):
        yield session


@pytest.fixture
def scratch(shared_database: Session) -> Session:
    """The shared database, empty."""
    shared_database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return shared_database
