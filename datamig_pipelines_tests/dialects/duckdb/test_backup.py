"""A backup restores everything that was in the file."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.errors import BackupError, ConnectError
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, compared, open_session, table_of

SCHEMA = """
CREATE SEQUENCE s START 5;
CREATE TABLE a (id INTEGER PRIMARY KEY DEFAULT nextval('s'), v VARCHAR, up INTEGER,
  g INTEGER GENERATED ALWAYS AS (id + 1), FOREIGN KEY (up) REFERENCES a (id));
CREATE TABLE b (id INTEGER REFERENCES a (id), e ENUM('x', 'y'));
CREATE INDEX by_v ON a (v);
CREATE VIEW z AS SELECT v FROM a;
CREATE VIEW y AS SELECT v FROM z;
CREATE MACRO twice(x) AS x * 2;
COMMENT ON TABLE a IS 'what';
INSERT INTO a (v) VALUES ('x');
INSERT INTO a (v, up) VALUES ('y', 5);
INSERT INTO b VALUES (6, 'y')"""


@pytest.fixture
def filled(db):
    """A database with references in a ring, views of views, a used counter."""
    for statement in SCHEMA.split(";\n"):
        db.query(statement)
    return db


@pytest.mark.parametrize("state", ["open to write", "open to read", "closed"])
def test_dump_restores_into_scratch_with_the_same_fingerprint(filled, duckdb_url, tmp_path, state):
    """Catalog, counter and rows are the same, whoever has the file open meanwhile."""
    url = make_url(duckdb_url)
    before = DIALECT.read_catalog(filled, "*")
    columns = compared(table_of(filled, "a"))
    prints = filled.fingerprint("a", columns)
    reader = None
    if state != "open to write":
        filled.close()
    if state == "open to read":
        reader = open_session(duckdb_url, readonly=True)
    folder = tmp_path / "backup"
    folder.mkdir()
    files = DIALECT.dump(url, "", folder)
    assert all(f.parent == folder for f in files)
    if reader:
        reader.close()
    with DIALECT.scratch(url, tmp_path) as scratch:
        DIALECT.restore(scratch, files)
        with open_session(str(scratch)) as session:
            assert DIALECT.read_catalog(session, "*") == before
            assert session.fingerprint("a", columns) == prints
            assert session.query("SELECT v FROM y ORDER BY 1") == [("x",), ("y",)]
            assert session.query("SELECT nextval('s')") == [(7,)]
            scratch_path = Path(scratch.database)
    assert not list(scratch_path.parent.glob("scratch_*"))


def test_dump_keeps_the_lock_of_the_file(filled, duckdb_url, tmp_path):
    """Copying the file does not let other processes in while a session is open."""
    import subprocess
    import sys

    folder = tmp_path / "backup"
    folder.mkdir()
    DIALECT.dump(make_url(duckdb_url), "", folder)
    code = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    path = make_url(duckdb_url).database
    done = subprocess.run(
        [sys.executable, "-c", code, path], check=False, capture_output=True, text=True
    )
    assert "Could not set lock" in done.stderr


def test_restore_refuses_a_database_with_tables(filled, duckdb_url, tmp_path):
    """A backup never overwrites what is there."""
    folder = tmp_path / "backup"
    folder.mkdir()
    files = DIALECT.dump(make_url(duckdb_url), "", folder)
    with pytest.raises(BackupError, match="not empty"):
        DIALECT.restore(make_url(duckdb_url), files)
    with pytest.raises(BackupError):
        DIALECT.restore(make_url(duckdb_url + ".new"), [])


def test_dump_into_nowhere_is_an_error(filled, duckdb_url, tmp_path):
    """A backup that was not written is told."""
    with pytest.raises(BackupError):
        DIALECT.dump(make_url(duckdb_url), "", tmp_path / "nowhere")


def test_dump_of_what_is_no_database_is_an_error(tmp_path):
    """Driver errors of a backup are translated, too."""
    other = tmp_path / "x.duckdb"
    other.write_text("hello " * 4000)
    with pytest.raises(ConnectError):
        DIALECT.dump(make_url(f"duckdb:///{other}"), "", tmp_path)
