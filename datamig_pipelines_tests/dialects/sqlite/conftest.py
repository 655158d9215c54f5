"""Sessions on a SQLite file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.session import Session


@pytest.fixture
def open_file(sqlite_url: str) -> Iterator[Callable[..., Session]]:
    """Open a session on the test's file, or on another URL; all are closed at the end."""
    with ExitStack() as stack:

        def opened(url: str = sqlite_url, *, readonly: bool = False) -> Session:
            return stack.enter_context(Session(SQLite(), make_url(url), readonly=readonly))

        yield opened


@pytest.fixture
def session(open_file: Callable[..., Session]) -> Session:
    """A session that may write."""
    return open_file()
