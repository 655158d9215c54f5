"""Writing rows."""

import math

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.errors import DatamigError, RefusedError
from datamig_pipelines_tests.dialects.sqlite.reads import landing_of, projections, read_of, table_of

NASTY = [
    "", " ", "\t", "\n", "\r\n", "\\", "\\N", "\\.", "'", '"', "NULL", "é", "🐎", "a\0b", "%s", ",",
]  # fmt: skip


def put(session, name, rows, types=None):
    """Write rows in one transaction."""
    landing = landing_of(table_of(session, name), types)
    with session.transaction():
        session.write(landing, rows)


def test_nasty_values_arrive(session):
    """Text, NULL, the empty text and all bytes are stored as they are."""
    session.query('CREATE TABLE "t t" ("a ""b" TEXT, b BLOB)')
    rows = [(text, bytes(range(256))) for text in NASTY] + [(None, None), ("", b"")]
    put(session, "t t", rows)

    assert session.query('SELECT * FROM "t t"') == rows


@pytest.mark.parametrize(
    ("declaration", "cell", "stored"),
    [
        ("BOOLEAN", "true", 1), ("BOOLEAN", "false", 0), ("BOOLEAN", None, None),
        ("INTEGER", 5, 5), ("INTEGER", "9223372036854775807", 2**63 - 1),
        ("DECIMAL(10,2)", "12.50", 12.5), ("DECIMAL(10,2)", "12.00", 12),
        ("DECIMAL(15,0)", "123456789012345", 123456789012345), ("DECIMAL(10,2)", "NaN", "NaN"),
        ("DECTEXT(20,0)", 18446744073709551615, "18446744073709551615"),
        ("DECTEXT", "0.10000000000000000001", "0.10000000000000000001"),
        ("REAL", 0.1, 0.1), ("REAL", math.nan, "NaN"), ("REAL", math.inf, math.inf),
        ("JSONTEXT", "1", "1"), ("BITINT(8)", "00000101", 5), ("BITINT(8)", b"\x05", 5),
        ("TIMESTAMP", "2020-01-31 10:00:00.5", "2020-01-31 10:00:00.5"),
    ],
)  # fmt: skip
def test_cell_is_stored_without_change(session, declaration, cell, stored):
    """A cell becomes the value that the column's affinity keeps exactly."""
    session.query(f"CREATE TABLE t (c {declaration})")
    put(session, "t", [(cell,)])

    value = session.query("SELECT c FROM t")[0][0]
    assert (value, type(value)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("declaration", "cell"),
    [
        ("INTEGER NOT NULL", None), ("INTEGER CHECK (c > 0)", -1), ("INTEGER UNIQUE", 1),
        ("INTEGER PRIMARY KEY", "abc"), ("INTEGER", 2**63), ("INTEGER", "9223372036854775808"),
        ("DECIMAL(10,2)", "12345678901234567.89"), ("DATE", b"2020-01-31 10:00:00"),
        ("TIMESTAMP", b"noon"), ("TEXT", "\ud800"),
    ],
)  # fmt: skip
def test_bad_row_is_refused_and_rolled_back(session, declaration, cell):
    """A row that breaks a constraint, or that SQLite would change, is refused; nothing stays."""
    session.query(f"CREATE TABLE t (c {declaration})")
    with pytest.raises(RefusedError):
        put(session, "t", [(1,), (cell,) if cell != 1 else (1,)])

    assert session.query("SELECT count(*) FROM t") == [(0,)]


def test_decimal_survives_the_way_through_a_number(session):
    """Every decimal of up to 15 digits comes back as it was."""
    session.query("CREATE TABLE t (c DECIMAL(15,5))")
    values = [f"{n}.{n % 100000:05}" for n in range(1, 9_999_999_999, 77_777_777)]
    put(session, "t", [(v,) for v in values])

    table = table_of(session, "t")
    read = read_of(table, ("rowid",), into={"c": Type(Kind.DECIMAL, precision=15, scale=5)})
    back = [row[0] for row in session.stream(read)]
    assert [f"{float(v):.5f}" for v in back] == values
    assert [v for v in back if len(v) > 16] == []


def test_file_to_file_keeps_every_value_and_its_type(session):
    """Between two SQLite tables of one definition values of any type, bad text too, are equal."""
    columns = "a INTEGER, b TEXT, c BLOB, d, e BOOLEAN, f DECIMAL(5,2), g REAL, h DATE"
    session.query(f"CREATE TABLE s (id INTEGER PRIMARY KEY, {columns})")
    session.query(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})")
    for value in ("5", "'5'", "1.5", "'x'", "X'00FF'", "NULL", "CAST(X'FF61' AS TEXT)", "'true'"):
        session.query(f"INSERT INTO s (a, b, c, d, e, f, g, h) VALUES ({', '.join([value] * 8)})")
    source, target = table_of(session, "s"), table_of(session, "t")
    rows = [row[:-1] for row in session.stream(read_of(source, ("id",)))]
    landing = landing_of(target, {p.name: p.type for p in projections(source)})
    with session.transaction():
        session.write(landing, rows)

    def dump(name):
        shown = ", ".join(f"typeof({c}), hex({c}), quote({c})" for c in "abdcefgh")
        return session.query(f"SELECT id, {shown} FROM {name} ORDER BY id")

    assert dump("t") == dump("s")


def test_rollback_leaves_nothing(session):
    """Rows and tables of a transaction that fails are gone."""
    session.query("CREATE TABLE t (c TEXT)")
    landing = landing_of(table_of(session, "t"))

    def fail():
        with session.transaction():
            session.write(landing, [("a",)])
            session.query("CREATE TABLE u (c)")
            session.query("not SQL")

    with pytest.raises(DatamigError):
        fail()
    assert session.query("SELECT count(*) FROM t") == [(0,)]
    assert session.query("SELECT name FROM sqlite_master WHERE name = 'u'") == []
