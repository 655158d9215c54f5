"""A backup takes a file's place in one transaction, whoever is killed in it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.session import Session

DIALECT = SQLite()
HELD = """
import sys
from pathlib import Path
from sqlalchemy.engine import make_url
from datamig_pipelines.dialects.sqlite import SQLite, driver
real = driver.Connection.backup
def slow(self, target, **_):
    print("copy", flush=True)
    def told(status, remaining, total):
        print(remaining, flush=True)
        sys.stdin.readline()
    return real(self, target, pages=8, progress=told)
driver.Connection.backup = slow
SQLite().replace(None, make_url(sys.argv[1]), [Path(sys.argv[2])])
"""


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_replace_keeps_the_ledger(mode: str, session: Session, tmp_path: Path) -> None:
    """Rows and tables are those of the backup, the ledger is today's, the journal mode stays."""
    session.query(f"PRAGMA journal_mode = {mode}")
    session.query("CREATE TABLE a (i INTEGER)")
    session.query("INSERT INTO a VALUES (1)")
    session.query("CREATE TABLE datamig_run (r TEXT PRIMARY KEY)")
    files = DIALECT.dump(session.url, "", tmp_path / "backup")
    session.query("INSERT INTO datamig_run VALUES ('x')")
    session.query("INSERT INTO a VALUES (2)")
    session.query("CREATE TABLE later (i INTEGER)")
    assert session.lock_run("datamig")

    session.replace(files)

    assert session.query("SELECT i FROM a") == [(1,)]
    assert session.query("SELECT r FROM datamig_run") == [("x",)]
    assert not DIALECT.read_catalog(session, "").tables[1:]
    assert session.query("PRAGMA journal_mode") == [(mode,)]
    assert [p.name for p in tmp_path.iterdir() if "restore" in p.name] == []


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_replace_killed_in_the_middle_changes_nothing(
    mode: str, open_file: Callable[..., Session], tmp_path: Path
) -> None:
    """kill -9 while pages are copied over the target: what was there is there; then it works."""
    with open_file() as session:
        url = session.url
        session.query(f"PRAGMA journal_mode = {mode}")
        session.query("CREATE TABLE a (t TEXT)")
        for _ in range(100):
            session.query("INSERT INTO a VALUES (hex(randomblob(2000)))")
        (copy,) = DIALECT.dump(url, "", tmp_path / "backup")
        session.query("UPDATE a SET t = upper(t) || 'later'")
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(url), str(copy)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    copies = 0
    for line in process.stdout:
        copies += line == "copy\n"
        if line == "copy\n":
            continue
        if copies == 2:  # the first one only prepares
            break
        process.stdin.write("go on\n")
    process.kill()
    assert process.wait() == -9
    process.stdin.close()
    process.stdout.close()

    with open_file() as session:
        killed = session.query("SELECT count(*), sum(t LIKE '%later') FROM a")
        checked = session.query("PRAGMA integrity_check")
        session.replace([copy])
        again = session.query("SELECT count(*), sum(t LIKE '%later') FROM a")

    assert killed == [(100, 100)]
    assert checked == [("ok",)]
    assert again == [(100, 0)]
