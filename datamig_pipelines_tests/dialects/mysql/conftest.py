"""Sessions on a private MariaDB."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.session import Session


@pytest.fixture
def source(mariadb_url: str) -> Iterator[Session]:
    """A session that may write."""
    with Session(MySQL(), make_url(mariadb_url), readonly=False) as session:
        yield session
