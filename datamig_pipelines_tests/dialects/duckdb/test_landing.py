"""Writing: everything comes back as it was sent, and what would be changed is refused."""

import math

import pyarrow as pa
import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.errors import RefusedError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.duckdb.reads import (
    DIALECT,
    landing_of,
    payload_of,
    read_of,
    table_of,
)

KEPT = [
    ("BOOLEAN", ["true", "false"]),
    ("TINYINT", [-128, 127]),
    ("BIGINT", [-(2**63), 2**63 - 1]),
    ("UBIGINT", [0, 2**64 - 1]),
    ("HUGEINT", [-(2**127), 2**127 - 1]),
    ("BIGNUM", ["9" * 60]),
    ("DECIMAL(10,2)", ["12.50", "-0.01", "99999999.99"]),
    ("DECIMAL(38,0)", ["9" * 38]),
    ("FLOAT", [0.10000000149011612, 1.5, float("inf")]),
    ("DOUBLE", [0.1, 5e-324, 1.7976931348623157e308, float("-inf")]),
    ("VARCHAR", ["", "a\x00b", "\\N", "🐎", "\t\r\n'\""]),
    ("BLOB", [b"", bytes(range(256))]),
    ("BIT", ["0101"]),
    ("DATE", ["2020-01-31", "0044-03-15 BC", "infinity", "12020-01-31"]),
    ("TIME", ["10:00:00.5", "24:00:00"]),
    ("TIMETZ", ["10:00:00.5+05:30"]),
    ("TIMESTAMP", ["2020-01-31 10:00:00.000001", "0044-03-15 10:00:00 BC", "-infinity"]),
    ("TIMESTAMP_S", ["2020-01-31 10:00:00"]),
    ("TIMESTAMP_MS", ["2020-01-31 10:00:00.123"]),
    ("TIMESTAMP_NS", ["2020-01-31 10:00:00.123456789"]),
    ("TIMESTAMPTZ", ["2020-01-31 10:00:00.5+00", "0044-03-15 10:00:00+00 BC", "infinity"]),
    (
        "INTERVAL",
        ["1 year 2 mons -3 days +04:05:06.789", "-838:59:59", "00:00:00", "-1 mons +2 days"],
    ),
    ("UUID", ["0189d6a0-5f3c-7b2a-9c11-0123456789ab"]),
    ("JSON", ['{"b": 1.10, "a":  [null]}', "null", '"x"']),
    ("ENUM('a', 'it''s')", ["it's"]),
    ("INTEGER[]", ["[1,null,-3]", "[]"]),
    ("INTEGER[2]", ["[1,2]"]),
    ("VARCHAR[]", ['["a\\"b","é",null,"","[1,2]"]', "[]"]),
    ("DECIMAL(38,3)[]", ["[12345678901234567890.123,null]"]),
    ("BOOLEAN[]", ["[true,false,null]"]),
    ("DOUBLE[]", ["[0.1,1e300,null]"]),
    ("TIMESTAMP[]", ['["2020-01-31 10:00:00.5",null]']),
    ("INTEGER[][]", ["[[1],[],null]"]),
    ("STRUCT(a INTEGER, b VARCHAR)", ['{"a":1,"b":"x"}']),
    ("MAP(VARCHAR, INTEGER)", ['{"x":1}']),
    ("UNION(a INTEGER, b VARCHAR)", ['{"a":1}']),
]


@pytest.mark.parametrize(("declared", "values"), KEPT)
def test_write_keeps_what_it_is_sent(db, declared, values):
    """Cells written and streamed again are the same cells, NULL included."""
    db.query(f'CREATE TABLE t ("c %" {declared})')
    table = table_of(db, "t")
    rows = [(v,) for v in [*values, None]]
    with db.transaction():
        db.write(landing_of(table), payload_of(table, rows))
    found = [row[0] for row in db.stream(read_of(table, "rowid"))]
    assert found == [*values, None] or declared == "DOUBLE[]"
    assert len(found) == len(rows)


FORMS = [
    ("TIMESTAMP", "2020-01-31T10:00:00", "2020-01-31 10:00:00"),
    ("TIMESTAMP", "2020-01-31 10:00:00.1234560", "2020-01-31 10:00:00.123456"),
    ("TIMESTAMP", "2020-01-31", "2020-01-31 00:00:00"),
    ("TIMESTAMPTZ", "2020-01-31T10:00:00+02:00", "2020-01-31 08:00:00+00"),
    ("DATE", "2020-01-31 00:00:00", "2020-01-31"),
    ("DECIMAL(10,2)", "1.500", "1.50"),
    ("DECIMAL(10,2)", "+7", "7.00"),
    ("INTEGER", "10.0", 10),
    ("INTERVAL", "100:00:00.10", "100:00:00.1"),
    ("DOUBLE", "1e3", 1000.0),
    ("DOUBLE", "NaN", None),
    ("UUID", "{0189D6A0-5F3C-7B2A-9C11-0123456789AB}", "0189d6a0-5f3c-7b2a-9c11-0123456789ab"),
    ("TIMESTAMP[]", '["2020-01-31T10:00:00"]', '["2020-01-31 10:00:00"]'),
    ("DECIMAL(5,2)[]", "[ 1.500 , null ]", "[1.5,null]"),
]


@pytest.mark.parametrize(("declared", "sent", "kept"), FORMS)
def test_write_takes_other_spellings_of_the_same_value(db, declared, sent, kept):
    """A spelling of another engine is no reason to refuse a value."""
    import pyarrow as pa

    db.query(f"CREATE TABLE t (c {declared})")
    table = table_of(db, "t")
    db.write(landing_of(table), pa.table({"c0": pa.array([sent], pa.string())}))
    ((found, _),) = db.stream(read_of(table, "rowid"))
    assert found == kept or (kept is None and math.isnan(found))


REFUSED = [
    ("BOOLEAN", "1"),
    ("BOOLEAN", "yes"),
    ("BOOLEAN", "7"),
    ("INTEGER", "1.5"),
    ("INTEGER", "1e2"),
    ("INTEGER", "1_000"),
    ("INTEGER", ""),
    ("INTEGER", "99999999999"),
    ("INTEGER", 2**31),
    ("INTEGER", 1.5),
    ("BIGINT", float("nan")),
    ("BIGNUM", "1.5"),
    ("DECIMAL(10,2)", "1.005"),
    ("DECIMAL(10,2)", "0.001"),
    ("DECIMAL(10,2)", "1e-5"),
    ("DECIMAL(10,2)", "123456789.00"),
    ("DECIMAL(10,2)", "NaN"),
    ("DECIMAL(10,2)", 0.125),
    ("FLOAT", 0.1234567890123),
    ("FLOAT", 1e300),
    ("DOUBLE", "1e400"),
    ("DOUBLE", 2**53 + 1),
    ("BOOLEAN", 2),
    ("BLOB", 12),
    ("DATE", "2020-01-31 10:00:00"),
    ("DATE", "0000-00-00"),
    ("DATE", "2020-02-30"),
    ("DATE", "44-03-15 B.C."),
    ("DATE", ""),
    ("TIME", "10:00:00+02"),
    ("TIME", "10:00:00.1234567"),
    ("TIME", "838:59:59"),
    ("TIMETZ", "10:00:00"),
    ("TIMESTAMP", "2020-01-31 10:00:00+02"),
    ("TIMESTAMP", "2020-01-31 10:00:00Z"),
    ("TIMESTAMP", "2020-01-31 10:00:00.1234567"),
    ("TIMESTAMP", "0000-00-00 00:00:00"),
    ("TIMESTAMP_S", "2020-01-31 10:00:00.5"),
    ("TIMESTAMPTZ", "yesterday"),
    ("INTERVAL", "00:00:00.1234567"),
    ("INTERVAL", "1.5 days"),
    ("INTERVAL", ""),
    ("UUID", "xyz"),
    ("JSON", "{"),
    ("JSON", ""),
    ("ENUM('a', 'b')", "c"),
    ("BIT", "2"),
    ("INTEGER[]", "[[1]]"),
    ("INTEGER[]", "[1.5]"),
    ("INTEGER[]", '{"a": 1}'),
    ("INTEGER[]", "5"),
    ("VARCHAR[]", "[[1,2]]"),
    ("VARCHAR[]", "[1.10]"),
    ("DECIMAL(5,2)[]", "[1.005]"),
    ("STRUCT(a INTEGER)", '{"a":1,"b":2}'),
    ("VARCHAR", b"\xff\xfe"),
    ("INTEGER NOT NULL", None),
]


GOOD = {"INTEGER NOT NULL": "1"}


@pytest.mark.parametrize(("declared", "value"), REFUSED)
def test_write_refuses_what_it_would_change(db, declared, value):
    """A value that DuckDB would round, cut or guess is refused, and the transaction rolls back."""
    import pyarrow as pa

    db.query(f"CREATE TABLE t (c {declared})")
    table = table_of(db, "t")
    column = pa.array([value], pa.int64() if value is None else None)

    def batch() -> None:
        with db.transaction():
            db.query(f"INSERT INTO t VALUES ({GOOD.get(declared, 'NULL')})")
            db.write(landing_of(table), pa.table({"c0": column}))

    with pytest.raises(RefusedError) as caught:
        batch()
    assert caught.value.hint
    assert db.query("SELECT count(*) FROM t") == [(0,)]


def test_write_and_rollback_leave_nothing(db):
    """Two batches in one transaction are gone together; the next transaction works."""
    db.query(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v VARCHAR, g INTEGER GENERATED ALWAYS AS (id * 2))"
    )
    table = table_of(db, "t")
    landing = landing_of(table)

    def batches() -> None:
        with db.transaction():
            db.write(landing, payload_of(table, [(1, "a"), (2, "b")]))
            db.write(landing, payload_of(table, [(2, "c")]))

    with pytest.raises(RefusedError, match="uplicate key"):
        batches()
    assert db.query("SELECT count(*) FROM t") == [(0,)]
    with db.transaction():
        db.write(landing, payload_of(table, [(1, "a"), (2, None)]))
    assert db.query("SELECT * FROM t ORDER BY id") == [(1, "a", 2), (2, None, 4)]


def test_write_an_empty_batch_is_nothing(db):
    """A batch of which every row was filtered away writes nothing."""
    db.query("CREATE TABLE t (id INTEGER)")
    table = table_of(db, "t")
    db.write(landing_of(table), payload_of(table, []))
    assert db.query("SELECT count(*) FROM t") == [(0,)]


def test_write_is_fast_enough_for_millions(db):
    """Guarded casts of a hundred thousand rows take seconds of CPU, not minutes."""
    import time

    db.query("CREATE TABLE t (id BIGINT, d DECIMAL(15,2), ts TIMESTAMP, day DATE, v VARCHAR)")
    table = table_of(db, "t")
    row = ("1234.50", "2020-01-31 10:00:00.5", "2020-01-31", "some text")
    payload = payload_of(table, [(at, *row) for at in range(100_000)])
    before_s = time.process_time()
    db.write(landing_of(table), payload)
    assert time.process_time() - before_s < 5
    assert DIALECT.can.takes


@pytest.mark.parametrize(
    ("options", "expected"), [("", "976.5 MiB"), ("?checkpoint_threshold=8MB", "7.6 MiB")]
)
def test_large_rows_make_checkpoints_rare(duckdb_url, options, expected):
    """A checkpoint writes a whole row group once more; what the URL says about it holds."""
    with Session(DIALECT, make_url(duckdb_url + options), readonly=False) as db:
        db.query("CREATE TABLE t (c0 BLOB)")
        db.write(landing_of(table_of(db, "t")), pa.table({"c0": [b"x" * 2**20]}))

        assert db.query("SELECT current_setting('checkpoint_threshold')") == [(expected,)]
