"""Reading rows: what cells say, and going on after any of them."""

import tracemalloc
from collections.abc import Callable

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.sqlite import SQLite, driver
from datamig_pipelines.dialects.sqlite.keys import literal
from datamig_pipelines.dialects.sqlite.rendering import cell
from datamig_pipelines.dialects.sqlite.types import parse
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.sqlite.reads import read_of, table_of

BIG = 9223372036854775807
KEYS = [
    ("k INTEGER PRIMARY KEY", ("k",), [(-BIG - 1,), (-3,), (0,), (7,), (BIG,)]),
    ("k INTEGER", ("rowid",), [(None,), (5,), (5,), (None,)]),
    ("k TEXT PRIMARY KEY", ("k",), [("",), (" ",), ("'",), ("10",), ("9",), ("a\nb",), ("a\\",),
                                   ("Z",), ("é",), ("🐎",), ("%s",), ("a\0b",), ("\x1a1",)]),
    ("k TEXT COLLATE NOCASE PRIMARY KEY", ("k",), [("a",), ("B",), ("c",), ("D",)]),
    ("k DECIMAL(10,2) PRIMARY KEY", ("k",), [(-0.5,), (0,), (0.1,), (0.30000000000000004,), (9,),
                                            (10,), (1e300,), ("abc",)]),
    ("k DECTEXT PRIMARY KEY", ("k",), [("1.5",), ("10",), ("9",), ("12345678901234567890.5",)]),
    ("k REAL PRIMARY KEY", ("k",), [(-1e308,), (5e-324,), (0.1,), (0.1 + 0.2,), (float("inf"),)]),
    ("k TIMESTAMP PRIMARY KEY", ("k",), [("2020-01-01 00:00:00",), ("2020-01-01T00:00:00",),
                                        (1600000000,), ("1999-12-31 23:59:59.999999",)]),
    ("k UUID PRIMARY KEY", ("k",), [(f"{n}0000000-0000-4000-8000-000000000000",) for n in "19af"]),
    ("k BOOLEAN PRIMARY KEY", ("k",), [(0,), (1,)]),
    ("k BLOB PRIMARY KEY", ("k",), [(b"",), (b"\x00",), (bytes(range(256)),), ("text",), (5,)]),
    ("k PRIMARY KEY", ("k",), [(1,), ("1",), (1.5,), (b"1",), ("x'y",)]),
    ("k INTEGER NOT NULL, l TEXT NOT NULL, m DATE NOT NULL, PRIMARY KEY (k, l, m)",
     ("k", "l", "m"), [(1, "a", "2020-01-01"), (1, "a", "2020-01-02"), (1, "b", "2019-01-01"),
                       (2, "", "2020-01-01"), (2, "10", "2020-01-01"), (2, "9", "2020-01-01")]),
]  # fmt: skip


def as_text(value: object) -> str:
    """Return a key cell as the ledger keeps it."""
    return str(value)


@pytest.mark.parametrize(("columns", "key", "rows"), KEYS, ids=[k[0] for k in KEYS])
@pytest.mark.parametrize("option", ["", "WITHOUT ROWID"])
def test_stream_goes_on_after_every_row(session, columns, key, rows, option):
    """Resumed after any row, by the text of its key, the stream gives exactly the rest."""
    if option and key == ("rowid",):
        pytest.skip("it has none")
    session.query(f"CREATE TABLE t ({columns}) {option}")
    for row in rows:
        session.query(f"INSERT INTO t VALUES ({', '.join('?' * len(row))})", row)
    table = table_of(session, "t")
    whole = list(session.stream(read_of(table, key)))

    assert len(whole) == len(rows)
    for place, row in enumerate(whole):
        after = tuple(as_text(v) for v in row[-len(key) :])
        assert list(session.stream(read_of(table, key, after))) == whole[place + 1 :]


def test_stream_takes_where_and_rows_in_key_order(session):
    """A filter stands in parentheses of its own, a comment in it does no harm."""
    session.query('CREATE TABLE "a ""b" (id INTEGER PRIMARY KEY, "or%der" TEXT)')
    session.query("""INSERT INTO "a ""b" VALUES (3, 'x'), (1, 'y'), (2, 'z'), (4, 'y')""")
    table = table_of(session, 'a "b')
    read = read_of(table, ("id",), ("1",), where="\"or%der\" = 'y' OR id = 3 -- these")

    assert list(session.stream(read)) == [(3, "x", 3), (4, "y", 4)]


@pytest.mark.parametrize(
    ("declaration", "into", "value", "expected"),
    [
        ("BOOLEAN", Kind.BOOLEAN, 1, "true"), ("BOOLEAN", Kind.BOOLEAN, 0, "false"),
        ("BOOLEAN", Kind.BOOLEAN, 7, "7"), ("BOOLEAN", Kind.BOOLEAN, "t", "t"),
        ("BOOLEAN", Kind.INTEGER, 1, 1), ("INTEGER", Kind.BOOLEAN, 1, "true"),
        ("INTEGER", Kind.BOOLEAN, 2, "2"), ("INTEGER", Kind.INTEGER, 5, 5),
        ("INTEGER", Kind.INTEGER, 3.0, "3.0"), ("INTEGER", Kind.INTEGER, "x", "x"),
        ("DECIMAL(9,2)", Kind.DECIMAL, 12, "12"), ("DECIMAL(9,2)", Kind.DECIMAL, 1e-7, "0.0000001"),
        ("DECIMAL(9,2)", Kind.DECIMAL, 1e22, "10000000000000000000000"),
        ("DECIMAL(9,2)", Kind.DECIMAL, "1.50", "1.50"), ("DECIMAL", Kind.DECIMAL, 0.1, "0.1"),
        ("REAL", Kind.FLOAT, 3, 3.0), ("REAL", Kind.FLOAT, 2**53 + 1, "9007199254740993"),
        ("REAL", Kind.FLOAT, "x", "x"), ("TEXT", Kind.TEXT, 5, "5"),
        ("TEXT", Kind.TEXT, 1.5, "1.5"),
        ("TEXT", Kind.TEXT, "", ""), ("TEXT", Kind.TEXT, b"\xff", b"\xff"),
        ("TEXT", Kind.BLOB, "é", "é".encode()), ("BLOB", Kind.BLOB, "é", "é".encode()),
        ("BLOB", Kind.BLOB, b"\0\xff", b"\0\xff"), ("BLOB", Kind.BLOB, 5, b"5"),
        ("", Kind.TEXT, 5, "5"), ("", Kind.TEXT, b"a", b"a"), ("JSON", Kind.JSON, 1, "1"),
        ("DATE", Kind.DATE, "2020-01-31", "2020-01-31"),
        ("DATE", Kind.DATE, "2020-01-31 00:00:00", "2020-01-31"),
        ("DATE", Kind.DATE, "2020-01-31 10:00:00", b"2020-01-31 10:00:00"),
        ("DATE", Kind.DATE, "soon", "soon"), ("DATE", Kind.DATE, 20200131, b"20200131"),
        ("DATE", Kind.TEXT, "2020-01-31 10:00:00", "2020-01-31 10:00:00"),
        ("TIME", Kind.TIME, "10:00", "10:00"),
        ("TIME", Kind.TIME, "2000-01-01 10:00:00", b"2000-01-01 10:00:00"),
        ("TIMESTAMP", Kind.TIMESTAMP, "2020-01-31T10:00:00", "2020-01-31T10:00:00"),
        ("TIMESTAMP", Kind.TIMESTAMP, "2020-01-31T10:00:00.50Z", "2020-01-31 10:00:00.5"),
        ("TIMESTAMP", Kind.TIMESTAMP, "2020-01-31 10:00:00-02:30", "2020-01-31 12:30:00"),
        ("TIMESTAMP", Kind.TIMESTAMP, 1600000000, b"1600000000"),
        ("TIMESTAMPTZ", Kind.TIMESTAMPTZ, "2020-01-31 10:00:00+01", "2020-01-31 09:00:00+00"),
        ("TIMESTAMPTZ", Kind.TIMESTAMPTZ, "2020-01-31 10:00", "2020-01-31 10:00:00+00"),
        ("UUID", Kind.UUID, bytes(15) + b"\1", "00000000-0000-0000-0000-000000000001"),
        ("BITINT(8)", Kind.BITS, 5, "00000101"), ("TEXT", Kind.TEXT, None, None),
    ],
)  # fmt: skip
def test_cell_is_plain_or_will_be_refused(declaration, into, value, expected):
    """What fits the declaration travels in plain form; what does not is never guessed."""
    got = cell(value, parse(declaration), Type(into))

    assert (got, type(got)) == (expected, type(expected))


def test_values_between_equal_sqlite_columns_are_not_touched():
    """A value of the wrong type goes to another SQLite file as it is."""
    for value in (3.0, "x", b"\xff", 5):
        assert cell(value, parse("INTEGER")) is value


def test_undecodable_text_comes_as_bytes_from_where_it_stands(session, monkeypatch):
    """Text that is no UTF-8 becomes bytes; no row before or behind it is lost or repeated."""
    monkeypatch.setattr(driver, "FETCH", 3)
    session.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    for n in range(10):
        session.query("INSERT INTO t VALUES (?, ?)", (n, f"v{n}"))
    session.query("UPDATE t SET v = CAST(X'61FF' AS TEXT) WHERE id IN (4, 8)")
    table = table_of(session, "t")

    rows = list(session.stream(read_of(table, ("id",))))

    assert [(n, k) for n, _, k in rows] == [(n, n) for n in range(10)]
    assert [v for _, v, _ in rows] == [b"a\xff" if n in {4, 8} else f"v{n}" for n in range(10)]
    assert session.query("SELECT v FROM t WHERE id = 4") == [(b"a\xff",)]


def test_memory_does_not_grow_with_the_values(session):
    """Rows are fetched by bytes, not by number alone: large values do not pile up."""
    session.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
    session.query(
        "INSERT INTO t WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
        "SELECT i, zeroblob(1000000) FROM n"
    )
    read = read_of(table_of(session, "t"), ("id",))

    tracemalloc.start()
    rows = sum(1 for _ in session.stream(read))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 200
    assert peak < 50_000_000


def test_key_text_that_is_no_literal_is_refused():
    """A key's text cannot smuggle SQL into the statement."""
    with pytest.raises(ValueError, match="not the text of a key"):
        literal("\x1a1 OR 1=1", parse(""))
    assert literal("1); DROP TABLE t", parse("INTEGER")) == "'1); DROP TABLE t'"


def test_readers_keep_one_moment(open_file: Callable[..., Session]):
    """A reader's snapshot begins when it is shared, not at its first row."""
    writer = open_file()
    writer.query("PRAGMA journal_mode = WAL")
    writer.query("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    reader = open_file(readonly=True)
    SQLite().share_snapshot([reader._connection])
    writer.query("INSERT INTO t VALUES (1)")

    assert reader.query("SELECT count(*) FROM t") == [(0,)]
