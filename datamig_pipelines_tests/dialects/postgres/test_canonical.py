"""Canonical values and the checksum over them."""

import hashlib

import pytest

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.canonical_cases import CASES, Case


def own(compare: Kind, expected: str, declaration: str, literal: str) -> Case:
    return Case(compare, expected, {"postgres": (declaration, literal)})


_UUID = "0189d6a0-5f3c-7b2a-9c11-0123456789ab"
OWN = [
    own(Kind.DECIMAL, "NaN", "numeric", "'NaN'"),
    own(Kind.DECIMAL, "18446744073709551615", "numeric(20)", "18446744073709551615"),
    own(Kind.INTEGER, "18446744073709551615", "numeric(20)", "18446744073709551615"),
    own(Kind.DECIMAL, "1200", "numeric(3,-2)", "1200"),
    own(Kind.DECIMAL, "1234.5", "money", "1234.50"),
    own(Kind.FLOAT, "NaN", "float8", "'NaN'"),
    own(Kind.FLOAT, "Infinity", "float8", "'Infinity'"),
    own(Kind.FLOAT, "-Infinity", "real", "'-Infinity'"),
    own(Kind.FLOAT, "0", "float8", "'-0'"),
    own(Kind.FLOAT, "5e-323", "float8", "5e-324"),
    own(Kind.FLOAT, "125e2", "numeric", "12.50"),
    own(Kind.BOOLEAN, "true", "integer", "1"),
    own(Kind.BOOLEAN, "7", "integer", "7"),
    own(Kind.TEXT, "true", "boolean", "true"),
    own(Kind.DURATION, "-838:59:58.1", "interval", "'-838:59:58.100000'"),
    own(Kind.DURATION, "26:00:00", "interval", "'1 day 2 hours'"),
    own(Kind.DURATION, "100:00:00.000001", "interval", "'100:00:00.000001'"),
    own(Kind.TIME, "00:00:09.05", "interval", "'9.05 seconds'"),
    own(Kind.INTERVAL, "1 year 2 mons -3 days +04:05:06.5", "interval", "'1y2mon -3d 04:05:06.5'"),
    own(Kind.INTERVAL, "-1 years -1 mons +3 days -00:00:01", "interval", "'-1y -1mon 3d -1s'"),
    own(Kind.INTERVAL, "-11 mons +1 day", "interval", "'-11mon 1 day'"),
    own(Kind.JSON, "[1,null]", "int[]", "'{1,NULL}'"),
    own(Kind.TEXT, '["a","b"]', "text[]", "'{a,b}'"),
    own(Kind.UUID, _UUID, "bytea", "'\\x0189d6a05f3c7b2a9c110123456789ab'"),
    own(Kind.UUID, _UUID, "text", f"'{_UUID.upper()}'"),
    own(Kind.DATE, "2020-01-31", "timestamptz", "'2020-02-01 00:00+00'::timestamptz - interval '1 day'"),
    own(Kind.DATE, "2020-01-31 23:30:00", "timestamptz", "'2020-02-01 00:30+01'"),
    own(Kind.TIMESTAMP, "2020-01-31 23:30:00", "timestamptz", "'2020-02-01 00:30+01'"),
    own(Kind.TIMESTAMP, "2020-01-31 00:00:00", "date", "'2020-01-31'"),
    own(Kind.TIMESTAMPTZ, "2020-01-31 10:00:00.5+00", "timestamp", "'2020-01-31 10:00:00.50'"),
    own(Kind.TIMESTAMP, "infinity", "timestamp", "'infinity'"),
    own(Kind.BLOB, "c5be", "text", "'ž'"),
    own(Kind.TEXT, "00ff", "bytea", "'\\x00ff'"),
    own(Kind.TEXT, "10.0.0.1/32", "inet", "'10.0.0.1'"),
]  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES + OWN if "postgres" in c.sql], ids=str)
def test_canonical_text_is_the_agreed_one(scratch: Session, dialect: Postgres, case: Case) -> None:
    """A value has the text that every engine gives it, and NULL stays NULL."""
    declaration, literal = case.sql["postgres"]
    scratch.query(
        f'CREATE TABLE t ("v %s" {declaration}); INSERT INTO t VALUES ({literal}), (NULL)'
    )
    column = Compared('"v %s"', dialect.parse_type(declaration), case.compare)

    texts = scratch.query(f"SELECT {dialect.canonical(column)} FROM t")

    assert texts == [(case.expected,), (None,)]


def row_hash(cells: list[str | None]) -> int:
    text = "\x1f".join("\x1e" if c is None else c for c in cells)
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)


def test_fingerprint_is_the_sum_that_python_finds(scratch: Session, dialect: Postgres) -> None:
    """The checksum is the documented one, does not overflow and honours the filter."""
    scratch.query("CREATE TABLE t (i int, s text)")
    scratch.query("INSERT INTO t SELECT i, nullif('ž' || i, 'ž7') FROM generate_series(1, 500) i")
    columns = [
        Compared('"i"', dialect.parse_type("int"), Kind.INTEGER),
        Compared('"s"', dialect.parse_type("text"), Kind.TEXT),
    ]
    rows = [[str(i), None if i == 7 else f"ž{i}"] for i in range(1, 501)]

    whole = scratch.fingerprint('"public"."t"', columns)
    some = scratch.fingerprint('"public"."t"', columns, "i <= 7 OR i = 9")
    none = scratch.fingerprint('"public"."t"', columns, "false")

    assert (whole.rows, whole.total) == (500, sum(map(row_hash, rows)))
    assert (some.rows, some.total) == (8, sum(map(row_hash, [*rows[:7], rows[8]])))
    assert (none.rows, none.total) == (0, 0)


def test_fingerprint_takes_a_wide_table(scratch: Session, dialect: Postgres) -> None:
    """More columns than a function has arguments are one row all the same."""
    names = [f"c{i}" for i in range(230)]
    scratch.query(f"CREATE TABLE t ({', '.join(f'{n} int' for n in names)})")
    scratch.query(f"INSERT INTO t VALUES ({', '.join(map(str, range(230)))})")
    columns = [Compared(f'"{n}"', dialect.parse_type("int"), Kind.INTEGER) for n in names]

    found = scratch.fingerprint('"public"."t"', columns)

    assert found.total == row_hash([str(i) for i in range(230)])
