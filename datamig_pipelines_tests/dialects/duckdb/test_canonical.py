"""Canonical texts and fingerprints."""

import hashlib

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.duckdb.landing import from_text
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines_tests.dialects.canonical_cases import CASES
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, compared, table_of

OURS = [case for case in CASES if "duckdb" in case.sql]
OWN = [
    ("DOUBLE", "'nan'", Kind.FLOAT, "NaN"),
    ("DOUBLE", "'inf'", Kind.FLOAT, "Infinity"),
    ("DOUBLE", "'-inf'", Kind.FLOAT, "-Infinity"),
    ("DOUBLE", "'-0.0'", Kind.FLOAT, "0"),
    ("DOUBLE", "5e-324", Kind.FLOAT, "5e-323"),
    ("DOUBLE", "1234567890123456800", Kind.FLOAT, "12345678901234568e19"),
    ("DECIMAL(10,2)", "12.50", Kind.FLOAT, "125e2"),
    ("VARCHAR", "'12.500'", Kind.DECIMAL, "12.5"),
    ("BIGNUM", "'1000'", Kind.DECIMAL, "1000"),
    ("INTEGER", "100", Kind.DECIMAL, "100"),
    ("DOUBLE", "0.25", Kind.DECIMAL, "0.25"),
    ("TINYINT", "1", Kind.BOOLEAN, "true"),
    ("TINYINT", "7", Kind.BOOLEAN, "7"),
    ("BOOLEAN", "true", Kind.INTEGER, "1"),
    ("BIT", "'0101'", Kind.INTEGER, "5"),
    ("BIT", "'0101'", Kind.BITS, "0101"),
    ("INTERVAL", "'-838:59:58.1'", Kind.DURATION, "-838:59:58.1"),
    ("INTERVAL", "'1 day 01:00:00'", Kind.TIME, "25:00:00"),
    ("INTERVAL", "'1 month 2 days'", Kind.INTERVAL, "1 mon 2 days"),
    ("DATE", "'2020-01-31'", Kind.TIMESTAMP, "2020-01-31 00:00:00"),
    ("TIMESTAMP", "'2020-01-31 00:00:00'", Kind.DATE, "2020-01-31"),
    ("TIMESTAMP", "'2020-01-31 10:00:00'", Kind.DATE, "2020-01-31 10:00:00"),
    ("TIMESTAMP", "'2020-01-31 10:00:00'", Kind.TIMESTAMPTZ, "2020-01-31 10:00:00+00"),
    ("TIMESTAMPTZ", "'2020-01-31 10:00:00+01'", Kind.TIMESTAMP, "2020-01-31 09:00:00"),
    ("TIMESTAMP", "'infinity'", Kind.TIMESTAMPTZ, "infinity"),
    ("TIMESTAMP", "'0044-03-15 (BC) 10:00:00'", Kind.TIMESTAMPTZ, "0044-03-15 10:00:00+00 BC"),
    ("TIMESTAMP_NS", "'2020-01-31 10:00:00.120'", Kind.TIMESTAMP, "2020-01-31 10:00:00.12"),
    ("TIMETZ", "'10:00:00.50+02'", Kind.TIMETZ, "10:00:00.5+02"),
    ("VARCHAR", "'ABC'", Kind.UUID, "abc"),
    ("VARCHAR", "'é'", Kind.BLOB, "c3a9"),
    ("VARCHAR", "'ab  '", Kind.CHAR, "ab"),
    ("INTEGER[]", "[1, NULL]", Kind.JSON, "[1,null]"),
    ("JSON", """'{"a":  1}'""", Kind.JSON, '{"a":  1}'),
    ("ENUM('a', 'b')", "'b'", Kind.TEXT, "b"),
    ("UHUGEINT", "340282366920938463463374607431768211455", Kind.INTEGER, str(2**128 - 1)),
]


def canonical_of(db, declared: str, literal: str, compare: Kind) -> list[str | None]:
    """Return the canonical text of a value and of NULL."""
    type_ = DIALECT.parse_type(declared)
    db.query(f"CREATE TABLE t (c {type_.native})")
    db.query(f"INSERT INTO t VALUES ({literal}), (NULL)")
    sql = DIALECT.canonical(Compared('"c"', type_, compare))
    return [row[0] for row in db.query(f"SELECT {sql} FROM t ORDER BY rowid")]


@pytest.mark.parametrize("case", OURS, ids=str)
def test_canonical_is_the_same_as_everywhere(db, case):
    """DuckDB writes each value of the common table as the other engines do; NULL stays NULL."""
    assert canonical_of(db, *case.sql["duckdb"], case.compare) == [case.expected, None]


@pytest.mark.parametrize(("declared", "literal", "compare", "expected"), OWN)
def test_canonical_of_what_only_duckdb_holds_so(db, declared, literal, compare, expected):
    """Types of DuckDB's own, and values held in another form than they are compared in."""
    assert canonical_of(db, declared, literal, compare) == [expected, None]


def hash_of(line: str) -> int:
    """Return the first 60 bits of the MD5 of a row's cells."""
    return int(hashlib.md5(line.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def test_fingerprint_equals_a_python_computation(db):
    """Rows and the sum of 60 bits of MD5, NULL apart from the empty text, non-ASCII in UTF-8."""
    rows = [("é🐎", None, "1"), ("", "", None), (None, None, None), ("\x1f", "x", "-3")]
    db.query('CREATE TABLE "t %" (a VARCHAR, b VARCHAR, c INTEGER)')
    for row in rows:
        db.query('INSERT INTO "t %" VALUES (?, ?, ?)', row)
    total = sum(hash_of("\x1f".join("\x1e" if v is None else v for v in row)) for row in rows)
    columns = compared(table_of(db, "t %"))
    found = db.fingerprint('"t %"', columns)
    assert (found.rows, found.total) == (4, total)
    half = db.fingerprint('"t %"', columns, "c IS NULL") + db.fingerprint(
        '"t %"', columns, "c IS NOT NULL"
    )
    assert half == found
    assert db.fingerprint('"t %"', columns, "false").total == 0


def test_fingerprint_of_many_rows_does_not_overflow(db):
    """A sum beyond 64 bits stays exact."""
    db.query("CREATE TABLE t AS SELECT range AS a FROM range(50000)")
    column = [Compared("a", Type(Kind.INTEGER, bits=64), Kind.INTEGER)]
    total = sum(hash_of(str(a)) for a in range(50000))
    assert total > 2**64
    assert db.fingerprint("t", column).total == total


def test_fingerprint_of_texts_in_several_orders_is_that_of_plain_ones(db):
    """DuckDB joins no texts of two collations; each counts as it was written, not as it sorts."""
    columns = "a VARCHAR COLLATE NOCASE, b VARCHAR COLLATE NOACCENT, c VARCHAR"
    db.query(f"CREATE TABLE ordered ({columns})")
    db.query("CREATE TABLE plain (a VARCHAR, b VARCHAR, c VARCHAR)")
    for name in ("ordered", "plain"):
        db.query(f"INSERT INTO {name} VALUES ('Ä', 'É', 'x'), ('ä', NULL, 'X')")

    found = [db.fingerprint(t, compared(table_of(db, t))) for t in ("ordered", "plain")]

    assert found[0] == found[1]


INTERVALS = [
    "0", "1 year", "-1 year", "14 months", "-14 months", "1 day", "-2 days", "04:05:06.789",
    "-00:00:00.000001", "1 month -1 day", "-1 month 2 days -01:00:00", "-1 day 02:03:04",
    "1 year -3 days 04:05:06.7", "100:00:00", "-838:59:59.5", "2 mons 3 days -00:00:01",
]  # fmt: skip


def test_canonical_of_an_interval_is_postgresqls_text(db, pg_url):
    """Both engines write, and DuckDB reads back, an interval in the same words."""
    import psycopg

    with psycopg.connect(pg_url) as postgres:
        sql = (
            "SELECT i::interval::text FROM unnest(%s::text[]) WITH ORDINALITY AS t(i, n) ORDER BY n"
        )
        expected = [row[0] for row in postgres.execute(sql, [INTERVALS])]
    interval = Type(Kind.INTERVAL, native="INTERVAL")
    read = from_text("t", interval)
    sql = DIALECT.canonical(Compared("i", interval, Kind.INTERVAL))
    for text in expected:
        assert db.query(f"SELECT {sql} FROM (SELECT {read} AS i FROM (SELECT ? AS t))", [text]) == [
            (text,)
        ]
