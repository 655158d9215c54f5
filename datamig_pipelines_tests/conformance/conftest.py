"""Databases to move into, by the name of their engine."""

from collections.abc import Callable

import pytest

FIXTURES = {
    "postgres": "pg_url2",
    "duckdb": "duckdb_url",
    "sqlite": "sqlite_url",
    "mysql": "mariadb_url2",
}


@pytest.fixture
def target_url(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return the URL of an empty database of an engine."""
    return lambda engine: request.getfixturevalue(FIXTURES[engine])
