"""Canonical text and fingerprints."""

from hashlib import md5

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import canon
from datamig_pipelines.dialects.reading import Compared, Fingerprint
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.dialects.sqlite.types import parse
from datamig_pipelines_tests.dialects.canonical_cases import CASES, Case
from datamig_pipelines_tests.dialects.sqlite.reads import compared, table_of

DIALECT = SQLite()
OURS = [c for c in CASES if "sqlite" in c.sql]


@pytest.mark.parametrize("case", OURS, ids=str)
def test_shared_case_has_its_text(session, case: Case):
    """Each value that SQLite can hold has the text that all engines agree on."""
    declaration, literal = case.sql["sqlite"]
    session.query(f'CREATE TABLE t ("a b" {declaration})')
    session.query(f"INSERT INTO t VALUES ({literal})")
    sql = DIALECT.canonical(Compared('"a b"', parse(declaration), case.compare))

    assert session.query(f"SELECT {sql} FROM t") == [(case.expected,)]


@pytest.mark.parametrize(
    ("value", "declaration", "compare", "expected"),
    [
        ("+01.50", "DECTEXT", Kind.DECIMAL, "1.5"), ("-0.00", "DECTEXT", Kind.DECIMAL, "0"),
        ("1.2e3", "DECTEXT", Kind.DECIMAL, "1200"), (1e-7, "DECIMAL", Kind.DECIMAL, "0.0000001"),
        ("nan", "DECTEXT", Kind.DECIMAL, "NaN"), (float("inf"), "REAL", Kind.FLOAT, "Infinity"),
        ("NaN", "REAL", Kind.FLOAT, "NaN"), (-0.0, "REAL", Kind.FLOAT, "0"),
        (5e-324, "REAL", Kind.FLOAT, "5e-323"), (3, "REAL", Kind.FLOAT, "3e1"),
        ("abc", "REAL", Kind.FLOAT, "abc"), ("Yes", "BOOLEAN", Kind.BOOLEAN, "true"),
        (2, "INTEGER", Kind.BOOLEAN, "2"), (1, "INTEGER", Kind.BOOLEAN, "true"),
        (1, "BOOLEAN", Kind.TEXT, "true"), ("ab  ", "TEXT", Kind.CHAR, "ab"),
        ("2020-1-5", "DATE", Kind.DATE, "2020-01-05"),
        ("2020-01-05 10:00", "DATE", Kind.DATE, "2020-01-05 10:00:00"),
        ("2020-01-05", "TIMESTAMP", Kind.TIMESTAMP, "2020-01-05 00:00:00"),
        ("2020-01-05T10:00:00.1200Z", "TIMESTAMP", Kind.TIMESTAMP, "2020-01-05 10:00:00.12"),
        ("2020-01-01 00:30:00+0100", "TIMESTAMPTZ", Kind.TIMESTAMPTZ, "2019-12-31 23:30:00+00"),
        (1600000000, "TIMESTAMP", Kind.TIMESTAMP, "1600000000"),
        ("-100:00:00.50", "DURATIONTEXT", Kind.DURATION, "-100:00:00.5"),
        ("9:05", "TIME", Kind.TIME, "09:05:00"), ("é", "BLOB", Kind.BLOB, "c3a9"),
        ("{0189D6A0-5F3C-7B2A-9C11-0123456789AB}", "UUID", Kind.UUID,
         "0189d6a0-5f3c-7b2a-9c11-0123456789ab"),
        (5, "BITINT(8)", Kind.BITS, "00000101"),
    ],
)  # fmt: skip
def test_loose_values_have_a_text_too(value, declaration, compare, expected):
    """What people store in SQLite is brought into the text that a strict engine would give."""
    assert canon(parse(declaration), compare)(value) == expected


def test_float32_column_compares_what_it_keeps():
    """A 32-bit column rounds: the rounded value is compared."""
    assert canon(Type(Kind.FLOAT, bits=32), Kind.FLOAT)(0.1) == "10000000149011612e0"


def by_hand(rows: list[list[str]]) -> Fingerprint:
    """Return the checksum as its definition says."""
    hashes = (md5("\x1f".join(r).encode(), usedforsecurity=False) for r in rows)
    return Fingerprint(len(rows), sum(int(h.hexdigest()[:15], 16) for h in hashes))


def test_fingerprint_is_the_sum_of_row_hashes(session):
    """The checksum equals its definition, for NULL, all bytes, more than 64 bits in sum."""
    session.query('CREATE TABLE "t t" (id INTEGER PRIMARY KEY, v TEXT, b BLOB, d DECIMAL(9,2))')
    rows = [(n, None if n % 3 else f"é'\n{n}", bytes(range(256)), n / 4) for n in range(100)]
    for row in rows:
        session.query('INSERT INTO "t t" VALUES (?, ?, ?, ?)', row)
    table = table_of(session, "t t")

    texts = [[str(n), "\x1e" if v is None else v, b.hex(), f"{d:g}"] for n, v, b, d in rows]
    assert session.fingerprint('"t t"', compared(table)) == by_hand(texts)
    assert session.fingerprint('"t t"', compared(table), "id < 50") == by_hand(texts[:50])
    assert session.fingerprint('"t t"', compared(table), "id < 0") == Fingerprint(0, 0)


def test_fingerprint_in_sql_is_the_same(session):
    """Canonical SQL cells give the same checksum as the whole in one call."""
    session.query("CREATE TABLE t (a INTEGER, b REAL)")
    session.query("INSERT INTO t VALUES (1, 1.5), (NULL, -2e-9)")
    columns = compared(table_of(session, "t"))
    sql = DIALECT.fingerprint_sql("t", [DIALECT.canonical(c) for c in columns], "")

    rows, total = session.query(sql)[0]
    assert Fingerprint(int(rows), int(total)) == session.fingerprint("t", columns)


def test_fingerprint_takes_wide_tables_and_bad_text(session):
    """More columns than a function takes arguments, and text that is no UTF-8, are hashed."""
    names = [f"c{n}" for n in range(250)]
    session.query(f"CREATE TABLE t ({', '.join(f'{n} TEXT' for n in names)})")
    session.query(f"INSERT INTO t VALUES ({', '.join('?' * 250)})", names)
    columns = compared(table_of(session, "t"))
    assert session.fingerprint("t", columns) == by_hand([names])

    session.query("UPDATE t SET c0 = CAST(X'FF' AS TEXT), c1 = NULL, c2 = 'text:00'")
    assert session.fingerprint("t", columns) == by_hand([["ff", "\x1e", "text:00", *names[3:]]])
