"""Cut points and ranges of DuckDB's keys."""

from dataclasses import replace

import pytest

from datamig_pipelines.dialects.reading import Read
from datamig_pipelines.errors import KeyUnsupportedError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, read_of, table_of

ROWS = 20_000
SPREADS = {
    "row numbers": ("k BIGINT", "i", "rowid"),
    "dense": ("k BIGINT", "i", "k"),
    "one per cent of the space": (
        "k BIGINT",
        "CASE WHEN i < 200 THEN i * 1000000 ELSE 300000000 + i END",
        "k",
    ),
    "composite": ("k INTEGER, l VARCHAR", "i % 3, CAST(i AS VARCHAR)", "k, l"),
    "text": ("k VARCHAR COLLATE NOCASE", "md5(CAST(i AS VARCHAR))", "k"),
    "uuid": ("k UUID", "CAST(md5(CAST(i AS VARCHAR)) AS UUID)", "k"),
    "date": ("k DATE", "DATE '2020-01-01' + CAST(i AS INTEGER)", "k"),
}


def sizes(db: Session, read: Read, cuts: list[tuple[str, ...]]) -> list[int]:
    bounds = zip([None, *cuts], [*cuts, None], strict=True)
    conditions = [DIALECT.in_range(read.table, read.key, a, b) for a, b in bounds]
    return [db.query(DIALECT.count("t", c))[0][0] for c in conditions]


@pytest.mark.parametrize("spread", SPREADS)
def test_parts_are_about_equal(db: Session, spread: str) -> None:
    """However keys are spread and rows were deleted, no part is twice as large as another."""
    columns, values, key = SPREADS[spread]
    db.query(f"CREATE TABLE t ({columns})")
    db.query(f"INSERT INTO t SELECT {values} FROM range({ROWS}) r(i)")
    db.query("DELETE FROM t WHERE rowid < 10000 AND rowid % 10 <> 0")
    read = read_of(table_of(db, "t"), *key.split(", "))
    for parts in (2, 8):
        cuts = DIALECT.cut_points(db, read, parts)
        found = sizes(db, read, cuts)
        assert sum(found) == 11_000
        assert len(found) == parts
        assert max(found) < 2 * min(found)
        rows = [
            row
            for a, b in zip([None, *cuts], [*cuts, None], strict=True)
            for row in db.stream(replace(read, after=a, upto=b))
        ]
        assert rows == list(db.stream(read))


def test_pages_are_refused(db: Session) -> None:
    """A range of pages is no reason to read everything twice."""
    db.query("CREATE TABLE t (a INTEGER)")
    read = read_of(table_of(db, "t"))

    assert DIALECT.page_cuts(db, read.table, 4) == []
    with pytest.raises(KeyUnsupportedError):
        DIALECT.select(replace(read, pages=(0, None)))
