"""The moment of a file: equal only if nothing was committed in between."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.session import Session, open_readers

OPEN = Callable[..., Session]
INSERT = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=0.2) as file:
    file.execute("INSERT INTO t VALUES (9)")
"""


def position(session: Session) -> str:
    (reader,), found = open_readers(SQLite(), session.url, 3)
    reader.close()
    return found


@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "PERSIST", "MEMORY"])
def test_position_moves_with_every_commit(session: Session, mode: str) -> None:
    """Without a write it stays; an UPDATE in place moves it, a rolled back one does not."""
    session.query(f"PRAGMA journal_mode = {mode}")
    session.query("CREATE TABLE t (a)")
    session.query("INSERT INTO t VALUES (1)")
    seen = [position(session)]
    assert seen[0] != ""
    assert position(session) == seen[0]
    session.query("BEGIN IMMEDIATE")
    session.query("UPDATE t SET a = 2")
    session.query("ROLLBACK")
    assert position(session) == seen[0]
    for value in (3, 4, 5):
        session.query("UPDATE t SET a = ?", (value,))
        seen.append(position(session))
    assert len(set(seen)) == len(seen)


def test_position_of_a_copy_is_another(session: Session, sqlite_path: Path) -> None:
    """A file that took another one's place is not taken for it."""
    session.query("CREATE TABLE t (a)")
    before = position(session)
    copy = sqlite_path.with_suffix(".copy")
    shutil.copy2(sqlite_path, copy)
    session.close()
    copy.replace(sqlite_path)

    (reader,), after = open_readers(SQLite(), session.url, 1)
    reader.close()
    assert after not in ("", before)


def test_file_in_wal_mode_has_no_position(session: Session) -> None:
    """Its commits stay beside the file: nothing in it says that there were some."""
    session.query("CREATE TABLE t (a)")
    session.query("PRAGMA journal_mode = WAL")
    session.query("INSERT INTO t VALUES (1)")

    assert position(session) == ""


def test_reading_the_position_keeps_the_lock(open_file: OPEN, sqlite_path: Path) -> None:
    """Nobody can commit while a reader looks at its moment, also after the header was read."""
    open_file().query("CREATE TABLE t (a)")
    (reader,), found = open_readers(SQLite(), open_file().url, 1)
    assert found
    command = [sys.executable, "-c", INSERT, str(sqlite_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "database is locked" in done.stderr
    assert reader.query("SELECT count(*) FROM t") == [(0,)]
    reader.close()
    subprocess.run(command, check=True)
