"""The wire ``arrow``: what columns bring is what cells bring, whatever a file holds."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.dialects.reading import Read, Row
from datamig_pipelines.dialects.sqlite import SQLite, columnar, companion
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.sqlite.reads import read_of, table_of

INTO = {
    "bigint": Type(Kind.INTEGER, bits=64),
    "decimal(15,2)": Type(Kind.DECIMAL, precision=15, scale=2),
    "real": Type(Kind.FLOAT, bits=64),
    "boolean": Type(Kind.BOOLEAN),
    "text": Type(Kind.TEXT),
    "date": Type(Kind.DATE),
    "timestamp": Type(Kind.TIMESTAMP),
    "blob": Type(Kind.BLOB),
    "json": Type(Kind.JSON),
}
"""By declaration in the file: what another engine would hold."""

GOOD = {
    "bigint": -7,
    "decimal(15,2)": 12.5,
    "real": 0.1 + 0.2,
    "boolean": 1,
    "text": "ž\t",
    "date": "2020-02-29",
    "timestamp": "2020-02-29 12:00:00",
    "blob": b"\x00\xff",
    "json": '{"a": 1}',
}
BAD = [
    ("bigint", "text"),
    ("bigint", 2.5),
    ("bigint", b"\x01"),
    ("decimal(15,2)", 2**53 + 1),
    ("decimal(15,2)", "1.2.3"),
    ("decimal(15,2)", 1e22),
    ("decimal(15,2)", float("inf")),
    ("real", "text"),
    ("real", b"x"),
    ("boolean", 2),
    ("boolean", "true"),
    ("text", b"bytes"),
    ("text", b""),
    ("date", 20200131),
    ("date", "2020-01-31 10:00:00"),
    ("date", "2020-01-31 00:00:00"),
    ("timestamp", 1600000000),
    ("timestamp", "2020-01-31T10:00:00+01"),
    ("timestamp", "2020-01-31T10:00:00"),
    ("timestamp", "2020-01-31 10:00:0"),
    ("blob", "text"),
    ("blob", 5),
    ("json", 1),
]

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.binary(max_size=4),
    st.sampled_from(
        [*GOOD.values(), *(v for _, v in BAD), "1", "1.5", "", 0, 1, -0.0, 2**53, 1e15]
    ),
)


@pytest.fixture(autouse=True)
def short_batches(monkeypatch):
    """Make a few hundred rows many batches."""
    monkeypatch.setattr(columnar, "_MOST_ROWS", 256)
    monkeypatch.setattr(columnar, "_STRETCH", 100)


class Held:
    """A file with a table ``t (id, v…)``, its reader inside a snapshot, and a count of columns."""

    def __init__(self, path: Path, *declarations: str) -> None:
        """Create the table."""
        self.path = path
        self.declarations = declarations
        named = "".join(f", v{i} {d}" for i, d in enumerate(declarations))
        self.run(f"CREATE TABLE t (id INTEGER PRIMARY KEY{named})")

    def run(self, sql: str, rows: object = ((),)) -> None:
        """Commit a statement, once per row, on a connection of its own."""
        with closing(sqlite3.connect(self.path)) as writer, writer:
            writer.executemany(sql, rows) if rows != ((),) else writer.execute(sql)

    def fill(self, *rows: tuple[object, ...]) -> None:
        """Insert rows behind those that are there."""
        marks = ", ".join("?" * len(self.declarations))
        names = ", ".join(f"v{i}" for i in range(len(self.declarations)))
        self.run(f"INSERT INTO t ({names}) VALUES ({marks})", rows)

    def reader(self) -> Session:
        """Return a session in a snapshot."""
        opened = Session(SQLite(), make_url(f"sqlite:///{self.path}"), readonly=True)
        SQLite().share_snapshot([opened._connection])
        return opened

    def read(self, session: Session, after: tuple[str, ...] | None = None) -> Read:
        """Return the read of the whole table, as columns."""
        into = {f"v{i}": INTO[d] for i, d in enumerate(self.declarations) if d in INTO}
        read = read_of(table_of(session, "t"), ("id",), after, into=into)
        return replace(read, wire=Wire.ARROW)


def rows_of(lists: Iterator[list[Row]]) -> list[Row]:
    return list(chain.from_iterable(lists))


def typed(rows: list[Row]) -> list[list[tuple[type, str]]]:
    """Return rows such that 1, 1.0 and minus zero differ."""
    return [[(type(cell), repr(cell)) for cell in row] for row in rows]


def both(held: Held, session: Session) -> tuple[list[Row], list[Row], int]:
    """Return the rows as columns and as cells, and how many came as columns."""
    read = held.read(session)
    lists = list(session.stream_lists(read))
    counted = sum(len(rows) for rows in lists if isinstance(rows, Columns))
    return (
        rows_of(iter(lists)),
        rows_of(session.stream_lists(replace(read, wire=Wire.CELLS))),
        counted,
    )


@pytest.mark.parametrize(("declaration", "bad"), BAD, ids=repr)
def test_value_that_does_not_fit_arrives_as_it_would_in_a_cell(tmp_path, declaration, bad):
    """One value of another storage class at row 501: nothing changes, and columns go on."""
    held = Held(tmp_path / "f.sqlite", declaration, "bigint")
    good = (GOOD[declaration], 1)
    held.fill(*[good] * 500, (bad, 2), *[good] * 1500)
    with held.reader() as session:
        columns, cells, counted = both(held, session)

    assert typed(columns) == typed(cells)
    assert len(columns) == 2001
    assert counted >= 1000


@pytest.mark.parametrize("declaration", INTO)
def test_column_that_begins_with_nulls_keeps_its_first_value(tmp_path, declaration):
    """A reader that took the type of 900 NULLs for granted would change what comes behind."""
    held = Held(tmp_path / "f.sqlite", declaration)
    held.fill(*[(None,)] * 900, (GOOD[declaration],), *[(None,)] * 900)
    with held.reader() as session:
        columns, cells, counted = both(held, session)

    assert typed(columns) == typed(cells)
    assert counted > 0


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(*[VALUES] * len(INTO)), min_size=1, max_size=12))
def test_columns_are_the_cells_whatever_stands_where(tmp_path_factory, rows):
    """Any value in any column: the rows are those of the wire ``cells``, type by type."""
    held = Held(tmp_path_factory.mktemp("any") / "f.sqlite", *INTO)
    held.fill(*rows)
    with held.reader() as session:
        columns, cells, _ = both(held, session)

    assert typed(columns) == typed(cells)


@pytest.mark.parametrize("value", GOOD.values(), ids=repr)
@pytest.mark.parametrize("declaration", INTO)
def test_fitting_values_travel_as_columns(tmp_path, declaration, value):
    """No fitting value makes a table slow; no other one is carried in a column."""
    held = Held(tmp_path / "f.sqlite", declaration)
    held.fill((value,), (None,))
    with held.reader() as session:
        columns, cells, counted = both(held, session)

    assert typed(columns) == typed(cells)
    if value == GOOD[declaration]:
        assert counted == 2


def test_text_that_is_no_utf8_comes_as_bytes(tmp_path):
    """It is no text for anybody: it comes as on the wire ``cells``."""
    held = Held(tmp_path / "f.sqlite", "text")
    held.fill(("good",), ("good",))
    held.run("UPDATE t SET v0 = CAST(X'61FF' AS TEXT) WHERE id = 2")
    with held.reader() as session:
        rows = rows_of(session.stream_lists(held.read(session)))

    assert rows == [(1, "good", 1), (2, b"a\xff", 2)]


def test_number_in_a_text_column_is_not_rounded(tmp_path):
    """A table made by a SELECT holds what no INSERT would leave there: a number in a text column."""
    held = Held(tmp_path / "f.sqlite", "text")
    held.fill(("a",))
    with closing(sqlite3.connect(held.path)) as writer, writer:
        writer.execute("CREATE TABLE u (id INTEGER PRIMARY KEY, v0 real)")
        writer.execute("INSERT INTO u VALUES (1, ?)", (0.1 + 0.2,))
        writer.execute("PRAGMA writable_schema = ON")
        writer.execute("UPDATE sqlite_master SET sql = replace(sql, 'real', 'text')")
    with held.reader() as session:
        read = replace(
            read_of(table_of(session, "u"), ("id",), into={"v0": INTO["text"]}), wire=Wire.ARROW
        )
        assert rows_of(session.stream_lists(read)) == [(1, "0.30000000000000004", 1)]


def test_stream_goes_on_after_every_row(tmp_path):
    """Resumed behind any key, the stream gives exactly the rest."""
    held = Held(tmp_path / "f.sqlite", "text", "real")
    held.fill(*[(f"v{i}", i / 3) for i in range(30)])
    with held.reader() as session:
        whole = rows_of(session.stream_lists(held.read(session)))
        for place, row in enumerate(whole):
            rest = rows_of(session.stream_lists(held.read(session, (str(row[-1]),))))
            assert rest == whole[place + 1 :]


def test_text_key_is_carried_apart(tmp_path):
    """A key of two parts, one text with whatever stands in it."""
    path = tmp_path / "f.sqlite"
    keys = [("", 1), ("'", 1), ("a\nb", 2), ("a\0b", 1), ("ž", 1), ("\x1a1", 1), ("\x1a1", 2)]
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("CREATE TABLE t (k TEXT, n bigint, v text, PRIMARY KEY (k, n))")
        writer.executemany("INSERT INTO t VALUES (?, ?, 'x')", keys)
    with Session(SQLite(), make_url(f"sqlite:///{path}"), readonly=True) as session:
        SQLite().share_snapshot([session._connection])
        into = {"k": INTO["text"], "n": INTO["bigint"], "v": INTO["text"]}
        read = read_of(table_of(session, "t"), ("k", "n"), into=into)
        cells = rows_of(session.stream_lists(read))
        assert rows_of(session.stream_lists(replace(read, wire=Wire.ARROW))) == cells
        for place, row in enumerate(cells):
            after = replace(read, wire=Wire.ARROW, after=tuple(str(c) for c in row[-2:]))
            assert rows_of(session.stream_lists(after)) == cells[place + 1 :]


def test_wide_rows_do_not_pile_up(tmp_path, monkeypatch):
    """A batch of the companion counts rows, so a row too wide for that is read as cells."""
    monkeypatch.setattr(columnar, "BATCH_BYTES", 256 * 100)
    held = Held(tmp_path / "f.sqlite", "text", "blob")
    held.fill(*[("x", b"y")] * 50, ("x" * 60, b"y" * 60), ("x", None))
    with held.reader() as session:
        columns, cells, counted = both(held, session)

    assert columns == cells
    assert counted == 0  # all of them were in the companion's first batch


# ---- the snapshot


def commit_of_another_process(path: Path) -> str:
    """Let another process write a row; return what it says."""
    program = (
        "import sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], timeout=0.2)\n"
        "c.execute('INSERT INTO t (v0) VALUES (99)')\n"
        "c.commit()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else "committed"


def test_companion_does_not_drop_the_lock_of_the_snapshot(tmp_path):
    """Two copies of SQLite share one set of locks: neither reading nor closing may free it."""
    held = Held(tmp_path / "f.sqlite", "bigint")
    held.fill(*[(i,) for i in range(10)])
    with held.reader() as first:
        with held.reader() as second:
            assert both(held, first)[2] == both(held, second)[2] == 10
        assert "locked" in commit_of_another_process(held.path)
    assert commit_of_another_process(held.path) == "committed"


def test_companions_are_closed_with_the_last_connection(tmp_path):
    """None is left open for ever, none is closed while a snapshot lives."""
    held = Held(tmp_path / "f.sqlite", "bigint")
    held.fill((1,))
    place = companion.place_of(held.path)
    with held.reader() as first:
        with held.reader() as second:
            assert both(held, second)[2] == 1
        assert len(companion._retired[place]) == 1
        assert both(held, first)[2] == 1
    assert place not in companion._retired
    assert place not in companion._connections


@pytest.mark.parametrize("emptied", [True, False])
def test_snapshot_of_a_write_ahead_log_is_kept(tmp_path, emptied):
    """Columns of a file in WAL mode only while its log was empty; later commits are not seen."""
    held = Held(tmp_path / "f.sqlite", "bigint")
    with closing(sqlite3.connect(held.path)) as app:
        app.execute("PRAGMA journal_mode = WAL")
        app.execute("INSERT INTO t (v0) VALUES (1), (2)")
        app.commit()
        if emptied:
            app.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with held.reader() as session:
            begun = both(held, session)
            app.execute("INSERT INTO t (v0) VALUES (3)")
            app.commit()
            app.execute("PRAGMA wal_checkpoint(PASSIVE)")
            assert both(held, session) == begun

    assert begun[0] == begun[1] == [(1, 1, 1), (2, 2, 2)]
    assert begun[2] == (2 if emptied else 0)


def test_without_a_transaction_rows_are_cells(tmp_path):
    """Nothing would keep the file as it is."""
    held = Held(tmp_path / "f.sqlite", "bigint")
    held.fill((1,))
    with Session(SQLite(), make_url(f"sqlite:///{held.path}"), readonly=True) as session:
        assert both(held, session)[2] == 0


def test_driver_that_is_not_strict_is_not_used(tmp_path, monkeypatch):
    """A driver that takes 1.5 for the integer 1 would change values in silence."""
    monkeypatch.setattr(companion.Companion, "_refuses", lambda *_: False)
    held = Held(tmp_path / "f.sqlite", "bigint")
    held.fill((1,))
    with held.reader() as session:
        assert both(held, session)[2] == 0


@pytest.mark.parametrize("mode", ["DELETE", "TRUNCATE", "PERSIST"])
def test_writer_that_waits_is_not_seen(tmp_path, mode):
    """A journal beside the file belongs to a writer who waits for the snapshot to end."""
    held = Held(tmp_path / "f.sqlite", "bigint")
    held.run(f"PRAGMA journal_mode = {mode}")
    held.fill((1,))
    with closing(sqlite3.connect(held.path, timeout=0)) as writer, held.reader() as session:
        writer.execute(f"PRAGMA journal_mode = {mode}")
        writer.execute("INSERT INTO t (v0) VALUES (2)")
        assert both(held, session)[2] == 1
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.commit()
