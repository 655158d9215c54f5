"""A folder of Parquet as a target: a batch counts when its entry is committed, and only then."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Column, Kind, Table, TableName, Type
from datamig_pipelines.dialects import DIALECTS, Wire
from datamig_pipelines.dialects.reading import Landing, Projection
from datamig_pipelines.errors import NotYetError, RefusedError, TargetNotEmptyError
from datamig_pipelines.running import losses, roll_back, run
from datamig_pipelines.running import validate as prove_again
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.files.conftest import Moving, opened, rows

PARQUET = DIALECTS["parquet"]
WHOLE = Type(Kind.INTEGER, bits=64, native="BIGINT")
TEXT = Type(Kind.TEXT, native="VARCHAR")


@dataclass
class Out:
    """A folder, its URL, and a table of two columns to write into it."""

    path: Path

    @property
    def url(self) -> str:
        """Return the URL."""
        return f"parquet:///{self.path}"

    def table(self, name: str = "t") -> Table:
        """Return the table."""
        return Table(TableName("", name), (Column("id", WHOLE), Column("t", TEXT)))

    def made(self, name: str = "t") -> Session:
        """Return a session under the run's lock, with the table in place."""
        session = Session(PARQUET, make_url(self.url), readonly=False)
        assert session.lock_run("datamig")
        if name not in [str(t.name) for t in PARQUET.read_catalog(session, "").tables]:
            session.run(PARQUET.create_table(self.table(name), keys=False, foreign_keys=False))
        return session

    def landing(self, name: str = "t") -> Landing:
        """Return where batches of the table land."""
        columns = tuple(
            Projection(c.name, c.name, c.type, c.type, c.type.kind)
            for c in self.table(name).columns
        )
        return Landing(self.table(name), columns, Wire.ARROW)

    def files(self) -> list[str]:
        """Return what lies there, the ledger aside."""
        there = (p.relative_to(self.path) for p in self.path.rglob("*") if p.is_file())
        return sorted(str(p) for p in there if p.parts[0] != "_datamig")


@pytest.fixture
def out(tmp_path: Path) -> Out:
    """A folder that does not exist yet."""
    return Out(tmp_path / "out")


def payload(*ids: object) -> pa.Table:
    """Return a batch."""
    return pa.table({"c0": list(ids), "c1": [f"t{i}" for i in ids]})


def test_folder_counts_a_file_when_its_entry_is_committed(out: Out) -> None:
    """Written and committed, a file is the table; rolled back, it is gone at once."""
    with out.made() as session:
        with session.transaction():
            assert session.write(out.landing(), payload(1, 2)) == 2
        session.query("BEGIN TRANSACTION")
        session.write(out.landing(), payload(3))
        assert len(out.files()) == 2
        session.query("ROLLBACK")
        assert out.files() == ["t/part-000001.parquet"]
        assert session.query('SELECT id, t FROM "t"') == [(1, "t1"), (2, "t2")]

    assert rows(out.url, "t") == [(1, "t1"), (2, "t2")]


def test_folder_forgets_a_file_whose_entry_was_never_committed(out: Out) -> None:
    """What a killed process left does not count, and the next run removes it."""
    session = out.made()
    with session.transaction():
        session.write(out.landing(), payload(1))
    session.query("BEGIN TRANSACTION")
    session.write(out.landing(), payload(2))
    session._connection.pending = []  # nobody is there any more to remove it
    session._connection.raw.execute("ROLLBACK")
    session._connection._locked = False
    session.close()
    (out.path / "t" / "notes.parquet").write_bytes(b"of somebody else")

    left = out.files()
    counted = rows(out.url, "t")
    out.made().close()

    assert "t/part-000002.parquet" in left
    assert counted == [(1, "t1")]
    assert out.files() == ["t/notes.parquet", "t/part-000001.parquet"]


def test_folder_keeps_a_file_once_its_commit_was_sent(out: Out) -> None:
    """After COMMIT only the ledger can tell whether a file counts: nobody removes it in haste."""
    with out.made() as session:
        session.query("BEGIN TRANSACTION")
        session.write(out.landing(), payload(1))
        session._connection.before("COMMIT")
        session.query("ROLLBACK")
        assert out.files() == ["t/part-000001.parquet"]

    assert out.files() == []


def test_folder_refuses_a_value_that_a_file_would_change(out: Out) -> None:
    """A row that does not fit is refused, and nothing of its batch stays."""
    with out.made() as session:
        with pytest.raises(RefusedError), session.transaction():
            session.write(out.landing(), payload("1", "one"))
        assert out.files() == []


def test_folder_writes_a_column_of_nothing_with_its_type(out: Out) -> None:
    """A batch of NULLs has the types of the table: parts are alike."""
    with out.made() as session:
        for batch in (payload(1), pa.table({"c0": [2], "c1": pa.nulls(1)})):
            with session.transaction():
                session.write(out.landing(), batch)

    found = duckdb.sql(f"SELECT typeof(t), t FROM '{out.path}/t/part-000002.parquet'").fetchall()
    assert found == [("VARCHAR", None)]


def test_folder_that_is_not_ours_is_refused_untouched(out: Out, moving: Moving, folder: Path):
    """A folder with somebody's files gets no file of ours, not even a ledger."""
    (folder / "t.csv").write_text("id\n1\n")
    out.path.mkdir()
    (out.path / "precious.txt").write_text("x")

    with pytest.raises(TargetNotEmptyError, match=r"precious\.txt"):
        moving(f"csv:///{folder}", out.url)
    with pytest.raises(TargetNotEmptyError):
        opened(out.url, readonly=False)

    assert [p.name for p in out.path.rglob("*")] == ["precious.txt"]


def test_folder_leaves_a_strangers_table_alone(out: Out, moving: Moving, folder: Path) -> None:
    """In a folder of ours, a sub-folder that somebody else made is a name that is taken."""
    (folder / "t.csv").write_text("id\n1\n")
    out.made("mine").close()
    (out.path / "t").mkdir()
    (out.path / "t" / "x.parquet").write_bytes(b"x")

    with pytest.raises(TargetNotEmptyError, match="already has t"):
        moving(f"csv:///{folder}", out.url)


def test_folder_codes_names_that_a_folder_cannot_have(out: Out) -> None:
    """Slashes, and names that readers of such folders would skip."""
    for name in ("a/b", "_x", ".y", "50%", "ä b"):
        with out.made(name) as session, session.transaction():
            session.write(out.landing(name), payload(1))

    folders = {p.split("/")[0] for p in out.files()}
    assert folders == {"a%2Fb", "%5Fx", "%2Ey", "50%25", "ä b"}
    assert rows(out.url, "a/b") == [(1, "t1")]


def test_folder_goes_back_to_what_it_was(out: Out, moving: Moving, folder: Path) -> None:
    """A rollback removes exactly our files; what others put beside them stays."""
    (folder / "t.csv").write_text("id\n1\n2\n3\n")
    moved = moving(f"csv:///{folder}", out.url, batch_size=2)
    assert (moved.error, moved.not_equal()) == (None, {})
    assert out.files() == ["t/part-000001.parquet", "t/part-000002.parquet"]
    (out.path / "readme.txt").write_text("of somebody else")

    assert [(loss.table, loss.rows) for loss in losses(moved.migration)] == [("t", 3)]
    list(roll_back(moved.migration))
    after = out.files()
    list(run(moved.migration))

    assert after == ["readme.txt"]
    assert [row[0] for row in rows(out.url, "t")] == [1, 2, 3]


def test_folder_that_lost_a_file_is_found_by_the_proof(
    out: Out, moving: Moving, folder: Path
) -> None:
    """Somebody deletes a file: validate says that rows are missing."""
    from datamig_pipelines.errors import ProofFailedError

    (folder / "t.csv").write_text("id\n1\n2\n3\n")
    moved = moving(f"csv:///{folder}", out.url, batch_size=2)
    (out.path / "t" / "part-000001.parquet").unlink()

    with pytest.raises(ProofFailedError):
        list(prove_again(moved.migration))


def test_folder_with_tables_is_backed_up_and_the_copy_proven(
    out: Out, moving: Moving, folder: Path, tmp_path: Path
) -> None:
    """A second migration into the folder copies it first, checks the sums and reads the copy."""
    (folder / "t.csv").write_text("id\n1\n")
    moving(f"csv:///{folder}", out.url)
    (folder / "t.csv").rename(folder / "second.csv")

    moved = moving(f"csv:///{folder}", out.url, name="second")

    assert (moved.error, moved.not_equal()) == (None, {})
    kept = {p.name.removesuffix(".gz") for p in (tmp_path / "backups").rglob("*") if p.is_file()}
    assert kept >= {"ledger.duckdb", "part-000001.parquet", "manifest.json"}
    assert {t for (t,) in opened(out.url).query("SELECT 1")} == {1}
    assert rows(out.url, "t") == rows(out.url, "second") == [(1,)]


def test_folder_says_what_files_do_not_keep(out: Out, moving: Moving, sqlite_url: str) -> None:
    """Keys, references, indexes, defaults and views are lines of the plan."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as base:
        base.executescript(
            "CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT NOT NULL DEFAULT 'x' UNIQUE);"
            "CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));"
            "CREATE INDEX i ON c (p); CREATE VIEW v AS SELECT id FROM p;"
            "INSERT INTO p VALUES (1, 'a'); INSERT INTO c VALUES (1, 1)"
        )

    moved = moving(sqlite_url, out.url)

    assert (moved.error, moved.not_equal()) == (None, {})
    notes = "\n".join(moved.notes)
    for said in ("primary key", "unique keys", "defaults", "NOT NULL", "indexes", "1 foreign keys"):
        assert said in notes
    assert "view v is left behind: Parquet files have no views" in notes


@pytest.mark.parametrize(
    ("type_", "native"),
    [
        (Type(Kind.DECIMAL, precision=38, scale=10), "DECIMAL(38,10)"),
        (Type(Kind.DECIMAL, precision=39, scale=0), "VARCHAR"),
        (Type(Kind.DECIMAL), "VARCHAR"),
        (Type(Kind.INTEGER, bits=64, unsigned=True), "UBIGINT"),
        (Type(Kind.INTEGER, bits=128), "VARCHAR"),
        (Type(Kind.UUID), "VARCHAR"),
        (Type(Kind.JSON), "JSON"),
        (Type(Kind.BLOB), "BLOB"),
        (Type(Kind.BITS, length=3), "VARCHAR"),
        (Type(Kind.TIMESTAMPTZ, fraction=6), "TIMESTAMP WITH TIME ZONE"),
        (Type(Kind.TIMESTAMP, fraction=3, native="TIMESTAMP_MS"), "TIMESTAMP"),
        (Type(Kind.TIME, fraction=9), "VARCHAR"),
        (Type(Kind.TIMETZ, fraction=6), "VARCHAR"),
        (Type(Kind.INTERVAL), "VARCHAR"),
        (Type(Kind.ENUM, values=("a",)), "VARCHAR"),
        (Type(Kind.ARRAY, element=Type(Kind.INTEGER, bits=32)), "INTEGER[]"),
        (Type(Kind.ARRAY, element=Type(Kind.UUID)), "JSON"),
    ],
)
def test_folder_declares_types_that_a_file_gives_back(
    type_: Type, native: str, tmp_path: Path
) -> None:
    """A declared type is what DuckDB reads out of a file of it; every other is kept as text."""
    held, note = PARQUET.declare(type_)

    file = tmp_path / "x.parquet"
    duckdb.sql(f"SELECT CAST(NULL AS {held.native}) AS x").write_parquet(str(file))
    back = duckdb.sql(f"DESCRIBE SELECT x FROM '{file}'").fetchall()[0][1]
    assert (held.native, back) == (native, native)
    assert note or type_.kind is held.kind


def test_folder_shows_a_suite_the_columns_alone(out: Out) -> None:
    """Expectations on a table of files see its columns, not the number of its rows."""
    from datamig_pipelines.expectations.frame import read_frame
    from datamig_pipelines.expectations.subject import Subject

    with out.made() as session, session.transaction():
        session.write(out.landing(), payload(1))
    dialect, url, name = DIALECTS["parquet"], make_url(out.url), TableName("", "t")
    with Session(dialect, url, readonly=True) as session:
        [table] = [t for t in dialect.read_catalog(session, "").tables if t.name == name]
    subject = Subject(dialect, url, name, tuple(c.name for c in table.columns))

    frame = read_frame(subject, [{"type": "expect_table_columns_to_match_set"}], 64)

    assert list(frame.columns) == ["id", "t"]


def test_part_of_a_table_of_files_is_not_deleted() -> None:
    """No word of order is shared, so no load asks for it; whoever does is told."""
    dialect = DIALECTS["parquet"]
    name = TableName("", "t")

    assert {dialect.same_order(Type(kind)) for kind in Kind} == {""}
    assert dialect.delete_where(name, "") == dialect.truncate(name)
    with pytest.raises(NotYetError):
        dialect.delete_where(name, "id > 1")
