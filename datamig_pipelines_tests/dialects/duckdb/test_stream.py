"""Streams: rendered cells, key order, resuming after every row."""

import gc
import os
import random
from pathlib import Path

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, open_session, read_of, table_of

KEYS = {
    "integer": ("INTEGER", ["-2147483648", "-1", "0", "9", "10", "2147483647"]),
    "hugeint": (
        "HUGEINT",
        ["-170141183460469231731687303715884105728", "0", "18446744073709551616"],
    ),
    "ubigint": ("UBIGINT", ["0", "9223372036854775808", "18446744073709551615"]),
    "decimal": ("DECIMAL(20,5)", ["-10.5", "-9.00001", "9", "10", "123456789012345.12345"]),
    "text": (
        "VARCHAR",
        [
            "''",
            "' '",
            "'10'",
            "'9'",
            "'A'",
            "'a'",
            "'a' || chr(0) || 'b'",
            "'a''b\\%'",
            "'é'",
            "'🐎'",
        ],
    ),
    "collated": ("VARCHAR COLLATE nocase", ["'A'", "'B'", "'a'", "'b'"]),
    "timestamp": (
        "TIMESTAMP",
        ["'0044-03-15 (BC) 10:00:00'", "'2020-01-01 00:00:00'", "'2020-01-01 00:00:00.000001'"],
    ),
    "timestamptz": ("TIMESTAMPTZ", ["'2020-01-01 00:00:00+05'", "'2020-01-01 00:00:00+00'"]),
    "nanoseconds": ("TIMESTAMP_NS", ["'2020-01-01 00:00:00.1'", "'2020-01-01 00:00:00.100000001'"]),
    "date": ("DATE", ["'0044-03-15 (BC)'", "'2020-01-31'", "'12020-01-31'"]),
    "uuid": (
        "UUID",
        ["'00000000-0000-0000-0000-000000000001'", "'f0000000-0000-0000-0000-000000000000'"],
    ),
    "double": ("DOUBLE", ["'-inf'", "-1.5", "1e-7", "0.1", "1e20", "'inf'", "'nan'"]),
    "float": ("FLOAT", ["-0.1", "0.1", "0.3"]),
    "blob": ("BLOB", [r"'\x00'", r"'\x00\xff'", r"'a'", r"'\xff'"]),
    "boolean": ("BOOLEAN", ["false", "true"]),
    "enum": ("ENUM('z', 'a', 'it''s')", ["'z'", "'a'", "'it''s'"]),
}


@pytest.mark.parametrize("name", KEYS)
def test_stream_resumes_after_every_row(db, name):
    """From wherever a stream stopped, its key leads to exactly the rows behind, in order."""
    declared, values = KEYS[name]
    db.query(f'CREATE TABLE t (v INTEGER, "k ""%" {declared})')
    for at in random.Random(7).sample(range(len(values)), len(values)):
        db.query(f"INSERT INTO t VALUES ({at}, {values[at]})")
    table = table_of(db, "t")
    whole = [[row[0], str(row[-1])] for row in db.stream(read_of(table, 'k "%'))]
    assert [row[0] for row in whole] == list(range(len(values)))
    for at, row in enumerate(whole):
        rest = db.stream(read_of(table, 'k "%', after=(row[1],)))
        assert [[r[0], str(r[-1])] for r in rest] == whole[at + 1 :]


def test_stream_resumes_in_a_composite_key(db):
    """Three parts of different types, each of them repeated."""
    db.query("CREATE TABLE t (a VARCHAR, b DECIMAL(5,1), c DATE, PRIMARY KEY (a, b, c))")
    db.query(
        "INSERT INTO t SELECT a, b, DATE '2020-01-30' + c FROM (VALUES ('x'), ('X'), ('')) a(a), "
        "(VALUES (1.5), (-1), (10)) b(b), (VALUES (0), (1), (2)) c(c) ORDER BY random()"
    )
    table = table_of(db, "t")
    whole = list(db.stream(read_of(table, "a", "b", "c")))
    assert len(whole) == 27
    for at, row in enumerate(whole):
        after = tuple(str(part) for part in row[3:])
        assert list(db.stream(read_of(table, "a", "b", "c", after=after))) == whole[at + 1 :]


def test_stream_by_row_number_is_in_order_and_resumes(db):
    """The hidden row number needs no sort and leads on from any row, also with a filter."""
    db.query("CREATE TABLE t AS SELECT range AS a FROM range(300000)")
    db.query("DELETE FROM t WHERE a % 3 = 0")
    table = table_of(db, "t")
    assert "ORDER BY" not in DIALECT.select(read_of(table, "rowid"))
    whole = list(db.stream(read_of(table, "rowid")))
    assert [row[-1] for row in whole] == sorted({row[-1] for row in whole})
    assert len(whole) == 200000
    for at in (0, 2047, 2048, 122879, 122880, 199999):
        rest = db.stream(read_of(table, "rowid", after=(str(whole[at][-1]),)))
        assert list(rest) == whole[at + 1 :]
    odd = list(db.stream(read_of(table, "rowid", after=("1000",), where="a % 2 = 1")))
    assert odd == [r for r in whole if r[-1] > 1000 and r[0] % 2]


def test_stream_sees_the_snapshot_of_its_transaction(db, duckdb_url):
    """What another session commits meanwhile is not in a stream of an open transaction."""
    db.query("CREATE TABLE t (a INTEGER)")
    db.query("INSERT INTO t VALUES (1)")
    table = table_of(db, "t")
    with open_session(duckdb_url, readonly=True) as reader:
        reader.query("BEGIN TRANSACTION")
        assert len(list(reader.stream(read_of(table)))) == 1
        db.query("INSERT INTO t VALUES (2)")
        assert len(list(reader.stream(read_of(table)))) == 1


@pytest.mark.parametrize("key", ["rowid", "a"])
def test_stream_keeps_to_the_memory_limit_of_the_url(duckdb_url, db, key):
    """A table of 70 MB flows, even sorted, through DuckDB's 64 MB and a little more."""
    four = "||".join(f"md5((range * {n})::VARCHAR)" for n in (1, 3, 7, 9))
    db.query(f"CREATE TABLE t AS SELECT range AS a, {four} AS b FROM range(500000)")
    db.close()
    gc.collect()
    with open_session(duckdb_url + "?memory_limit=64MB", readonly=True) as session:
        read = read_of(table_of(session, "t"), key)
        before, most, rows = resident(), 0, 0
        for _ in session.stream(read):
            rows += 1
            if rows % 20_000 == 0:
                most = max(most, resident())
    assert rows == 500_000
    assert most - before < 150


def resident() -> int:
    """Return the memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") >> 20


NASTY = [
    "", " ", "\t", "\n", "\r\n", "\\", "\\N", "\\.", "'", '"', "a\x00b", "\x1e", "\x1f", "🐎", "é",
    "%s ?", "NULL", "a,b", "{x}", "\ufeff",
]  # fmt: skip


def test_stream_renders_nasty_texts_as_they_are(db):
    """Tabs, quotes, NUL, emoji; NULL is not the empty text; all 256 bytes of a blob."""
    everything = bytes(range(256))
    db.query("CREATE TABLE t (id INTEGER, a VARCHAR, b BLOB, j JSON)")
    for at, text in enumerate(NASTY):
        db.query("INSERT INTO t VALUES (?, ?, ?, ?)", (at, text, everything, '{"a": "\\u00e9\\n"}'))
    db.query("INSERT INTO t VALUES (?, NULL, '', NULL)", (len(NASTY),))
    rows = list(db.stream(read_of(table_of(db, "t"), "id")))
    assert [r[1] for r in rows] == [*NASTY, None]
    assert rows[0][2:4] == (everything, '{"a": "\\u00e9\\n"}')
    assert rows[-1][:4] == (len(NASTY), None, b"", None)


CELLS = [
    ("TINYINT", "-12", -12),
    ("UBIGINT", "18446744073709551615", 18446744073709551615),
    ("HUGEINT", "-170141183460469231731687303715884105728", -(2**127)),
    ("BIGNUM", "'99999999999999999999999999999999999999999999'", "9" * 44),
    ("DECIMAL(38,10)", "1234567890123456789012345678.5", "1234567890123456789012345678.5000000000"),
    ("FLOAT", "0.1", 0.10000000149011612),
    ("DOUBLE", "1e300", 1e300),
    ("DOUBLE", "'-inf'", float("-inf")),
    ("BOOLEAN", "true", "true"),
    ("DATE", "'2020-01-31'", "2020-01-31"),
    ("DATE", "'0044-03-15 (BC)'", "0044-03-15 BC"),
    ("DATE", "'infinity'", "infinity"),
    ("TIMESTAMP", "'2020-01-31 10:00:00.5'", "2020-01-31 10:00:00.5"),
    ("TIMESTAMP", "'0044-03-15 (BC) 10:00:00'", "0044-03-15 10:00:00 BC"),
    ("TIMESTAMPTZ", "'2020-01-31 10:00:00.25+01'", "2020-01-31 09:00:00.25+00"),
    ("TIMESTAMP_NS", "'2020-01-31 10:00:00.123456789'", "2020-01-31 10:00:00.123456789"),
    ("TIME", "'24:00:00'", "24:00:00"),
    ("TIMETZ", "'10:00:00.5+05:30'", "10:00:00.5+05:30"),
    ("UUID", "'0189D6A0-5F3C-7B2A-9C11-0123456789AB'", "0189d6a0-5f3c-7b2a-9c11-0123456789ab"),
    ("BIT", "'0010'", "0010"),
    ("ENUM('a', 'b')", "'b'", "b"),
    ("INTEGER[]", "[1, NULL]", "[1,null]"),
    ("VARCHAR[]", "['a\"b', 'é']", '["a\\"b","é"]'),
    ("INTEGER[][]", "[[1], []]", "[[1],[]]"),
    ("STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, 'b': 'x'}", '{"a":1,"b":"x"}'),
    ("MAP(VARCHAR, INTEGER)", "MAP {'x': 1}", '{"x":1}'),
    ("INTERVAL", "'14 months -3 days 04:05:06.789'", "1 year 2 mons -3 days +04:05:06.789"),
    ("INTERVAL", "'-14 months'", "-1 years -2 mons"),
    ("INTERVAL", "'1 month -1 day 2 days'", "1 mon 1 day"),
    ("INTERVAL", "'-1 months 2 days -00:00:00.000001'", "-1 mons +2 days -00:00:00.000001"),
    ("INTERVAL", "'838:59:59'", "838:59:59"),
    ("INTERVAL", "'00:00:00'", "00:00:00"),
]


@pytest.mark.parametrize(("declared", "literal", "expected"), CELLS)
def test_stream_renders_cells(db, declared, literal, expected):
    """Numbers and bytes as they are, the rest as text that every engine parses; NULL as None."""
    db.query(f"CREATE TABLE t (c {declared})")
    db.query(f"INSERT INTO t VALUES ({literal}), (NULL)")
    assert list(db.stream(read_of(table_of(db, "t"), "rowid"))) == [(expected, 0), (None, 1)]


def test_stream_renders_for_what_the_target_holds(db):
    """A number for a boolean is its word or itself; a list for PostgreSQL is its literal."""
    db.query("CREATE TABLE t (flag TINYINT, b BOOLEAN, l VARCHAR[])")
    db.query(r"""INSERT INTO t VALUES (1, true, ['a"b', 'c\d', NULL, '']), (7, false, [])""")
    text = Type(Kind.TEXT, native="text")
    into = {
        "flag": Type(Kind.BOOLEAN, native="boolean"),
        "b": Type(Kind.INTEGER, bits=8, native="tinyint"),
        "l": Type(Kind.ARRAY, element=text, native="text[]"),
    }
    assert list(db.stream(read_of(table_of(db, "t"), "rowid", into=into))) == [
        ("true", 1, r'{"a\"b","c\\d",NULL,""}', 0),
        ("7", 0, "{}", 1),
    ]
