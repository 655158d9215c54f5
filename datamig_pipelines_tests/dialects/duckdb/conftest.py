"""Sessions on a fresh DuckDB file."""

from collections.abc import Iterator

import pytest

from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.duckdb.reads import open_session


@pytest.fixture
def db(duckdb_url: str) -> Iterator[Session]:
    """A session that may write."""
    with open_session(duckdb_url) as session:
        yield session
