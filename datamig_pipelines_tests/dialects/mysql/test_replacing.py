"""A restore in place, and clients of restores that were killed."""

import gzip
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.mysql import backup, driver, replacing
from datamig_pipelines.errors import BackupError


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.sql.gz"
    path.write_bytes(gzip.compress(b"CREATE TABLE restored (id INT);\n"))
    return path


def _tables(url: str) -> list[str]:
    with closing(driver.connect(make_url(url), readonly=True)) as connection:
        return [name for (name,) in driver.query(connection, "SHOW TABLES", ())]


def _until_alone(url: str) -> None:
    """Wait until the server has seen that the other sessions of the database have ended."""
    asked = "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE()"
    with closing(driver.connect(make_url(url), readonly=True)) as connection:
        while driver.query(connection, asked, ()) != [(1,)]:
            time.sleep(0.02)


def test_client_runs_for_the_session_that_started_it(mariadb_url: str, script: Path) -> None:
    """While the session of the restore is there, its client does what the script says."""
    url = make_url(mariadb_url)
    with closing(driver.connect(url, readonly=False)) as connection:
        backup.restore(url, [script], first=replacing.only_for(connection))

    assert _tables(mariadb_url) == ["restored"]


def test_client_of_a_killed_restore_changes_nothing(mariadb_url: str, script: Path) -> None:
    """A client that connects after its restore was killed stops before the first statement."""
    url = make_url(mariadb_url)
    with closing(driver.connect(url, readonly=False)) as connection:
        first = replacing.only_for(connection)
    _until_alone(mariadb_url)

    with pytest.raises(BackupError, match="given up"):
        backup.restore(url, [script], first=first)

    assert _tables(mariadb_url) == []


def test_second_client_at_once_changes_nothing(mariadb_url: str, script: Path) -> None:
    """Two clients do not restore into one database side by side."""
    url = make_url(mariadb_url)
    with closing(driver.connect(url, readonly=False)) as connection:
        first = replacing.only_for(connection)
        taken = first.partition("GET_LOCK(")[2].rpartition(", 0)")[0]
        driver.query(connection, f"SELECT GET_LOCK({taken}, 0)", ())

        with pytest.raises(BackupError, match="given up"):
            backup.restore(url, [script], first=first)

    assert _tables(mariadb_url) == []
