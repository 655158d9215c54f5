"""Databases to move into, as in the conformance tests, and folders of migrations."""

import pytest

from datamig_pipelines_tests.conformance.conftest import target_url
from datamig_pipelines_tests.running.lines import SOURCE, TARGET, Defs

__all__ = ["target_url"]


@pytest.fixture(params=["sqlite", "postgres"])
def defs(request, target_url, tmp_path, monkeypatch) -> Defs:
    """A folder of migrations of a small source, into each engine."""
    for name in (SOURCE, TARGET, "DATAMIG_HOME"):
        monkeypatch.setenv(name, "")
    return Defs.made(tmp_path, target_url(request.param))


@pytest.fixture
def small(sqlite_url, tmp_path, monkeypatch) -> Defs:
    """The same, into SQLite alone: what is asked does not depend on the engine."""
    for name in (SOURCE, TARGET, "DATAMIG_HOME"):
        monkeypatch.setenv(name, "")
    return Defs.made(tmp_path, sqlite_url)
