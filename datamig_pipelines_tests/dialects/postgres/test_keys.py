"""Keys and pages: cut points, ranges by the index, one order for what has no key."""

from dataclasses import replace

import pytest
from sqlalchemy.engine import URL

from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.postgres.cutting import page_cuts
from datamig_pipelines.dialects.reading import Read
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines_tests.dialects.postgres.moving import reading

ROWS = 20_000
SPREADS = {
    "dense": ("k bigint", "k", "i"),
    "one per cent of the space": (
        "k bigint", "k", "CASE WHEN i <= 200 THEN i * 1000000 ELSE 300000000 + i END",
    ),
    "huge gaps": ("k bigint", "k", "(i % 10) * 100000000000000::bigint + i"),
    "in front": ("k int, l int", "k, l", "i / 7, i"),
    "two values in front": ("k int, l text", "k, l", "i % 2, i::text"),
    "text": ("k text", "k", "md5(i::text)"),
    "text with all in it": ("k text", "k", "i || '\"{},\\ ''ž NULL'"),
    "char": ("k char(40)", "k", "md5(i::text)"),
    "uuid": ("k uuid", "k", "md5(i::text)::uuid"),
    "numeric": ("k numeric", "k", "i ^ 7.5::numeric"),
    "date": ("k date", "k", "'2020-01-01'::date + i"),
    "moment": ("k timestamptz", "k", "'2020-01-01'::timestamptz + i * i * interval '1 ms'"),
    "money": ("k money", "k", "(i * 3)::money"),
}  # fmt: skip


def filled(session: Session, columns: str, key: str, values: str, rows: int = ROWS) -> Read:
    """Make the table ``t`` and return the read of it in order of its key, if it has one."""
    primary = f", PRIMARY KEY ({key})" if key else ""
    session.query(f"CREATE TABLE t ({columns}, v text{primary})")
    session.query(
        f"INSERT INTO t SELECT {values}, 'so many bytes of' FROM generate_series(1, {rows}) i"
    )
    return reading(session.dialect.read_catalog(session, "").tables[0], Wire.COPY_TEXT)


def sizes(session: Session, read: Read, cuts: list[tuple[str, ...]]) -> list[int]:
    bounds = zip([None, *cuts], [*cuts, None], strict=True)
    speak = session.dialect
    conditions = [speak.in_range(read.table, read.key, a, b) for a, b in bounds]
    return [session.query(speak.count("t", c))[0][0] for c in conditions]


@pytest.mark.parametrize("spread", SPREADS)
def test_parts_are_about_equal(scratch: Session, spread: str) -> None:
    """However keys are spread, no part is twice as large as another, with or without ANALYZE."""
    read = filled(scratch, *SPREADS[spread])
    for analysed in (False, True):
        if analysed:
            scratch.query("ANALYZE t")
        for parts in (2, 16, 40):
            cuts = scratch.dialect.cut_points(scratch, read, parts)
            found = sizes(scratch, read, cuts)
            assert sum(found) == ROWS
            assert len(found) == parts
            assert max(found) < 2 * min(found)


def test_statistics_of_other_rows_are_not_believed(scratch: Session) -> None:
    """A table that grew since ANALYZE is sampled, so that the last part is not most of it."""
    read = filled(scratch, "k int", "k", "i", 1000)
    scratch.query("ANALYZE t")
    scratch.query("INSERT INTO t SELECT 1000 + i, 'v' FROM generate_series(1, 19000) i")

    found = sizes(scratch, read, scratch.dialect.cut_points(scratch, read, 8))

    assert max(found) < 2 * min(found)


def test_large_table_is_sampled(scratch: Session) -> None:
    """Of thousands of pages some are read; the parts are about equal nevertheless."""
    read = filled(scratch, "k int, l int, w char(1500)", "k, l", "i / 3, i, 'w'")
    found = sizes(scratch, read, scratch.dialect.cut_points(scratch, read, 8))

    assert len(found) == 8
    assert len(set(found)) > 1
    assert max(found) < 2 * min(found)
    few = replace(read, where="l % 1000 = 0")
    cuts = scratch.dialect.cut_points(scratch, few, 4)
    assert [int(k) * 3 // 1000 in range(21) for k, _ in cuts] == [True] * len(cuts)


def test_partitions_and_heirs_are_cut(scratch: Session) -> None:
    """A partitioned table is cut by all of its rows, a parent by its own; neither by pages."""
    scratch.query(
        "CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE p2 PARTITION OF p DEFAULT; INSERT INTO p SELECT generate_series(0, 399);"
        "CREATE TABLE q (k int PRIMARY KEY); CREATE TABLE q1 () INHERITS (q);"
        "INSERT INTO q SELECT generate_series(0, 99); INSERT INTO q1 SELECT generate_series(0, 999)"
    )
    tables = scratch.dialect.read_catalog(scratch, "").tables
    reads = {t.name.name: reading(t, Wire.COPY_TEXT) for t in tables if t.primary_key}

    cuts = {n: scratch.dialect.cut_points(scratch, r, 2) for n, r in reads.items()}

    assert cuts == {"p": [("199",)], "q": [("49",)]}
    assert [page_cuts(scratch, r.table, 2) for r in reads.values()] == [[], []]


@pytest.mark.parametrize("spread", ["dense", "in front", "date", "text"])
def test_range_is_read_by_the_index(scratch: Session, spread: str) -> None:
    """A range enters the index where it begins and leaves it where it ends; nothing is sorted.

    For keys that lie all over a small table the planner would rather sort: it is told not to.
    """
    read = filled(scratch, *SPREADS[spread])
    scratch.query("ANALYZE t")
    cuts = scratch.dialect.cut_points(scratch, read, 20)
    with scratch.transaction():
        if spread in ("in front", "text"):
            scratch.query("SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        for after, upto in ((cuts[-1], None), (None, cuts[0]), cuts[9:11]):
            select = scratch.dialect.select(replace(read, after=after, upto=upto))
            plan = "\n".join(r for (r,) in scratch.query(f"EXPLAIN {select}"))
            assert plan.startswith("Index Scan using t_pkey"), plan
            condition = next(line for line in plan.splitlines() if "Index Cond" in line)
            assert condition.count(" > ") == (after is not None)
            assert condition.count(" <= ") == (upto is not None)
            assert "Filter" not in plan


# ---- pages


def test_pages_give_every_row_once_in_one_order(scratch: Session) -> None:
    """Ranges of pages, one behind the other, are the stream of a table without a key."""
    read = filled(scratch, "k int", "", "i")
    scratch.query("DELETE FROM t WHERE k % 7 = 0; CREATE INDEX ON t (k DESC); ANALYZE t")
    whole = list(scratch.stream(read))

    for parts in (2, 3, 8):
        cuts = scratch.dialect.page_cuts(scratch, read.table, parts)
        assert len(cuts) == parts - 1
        bounds = zip([0, *cuts], [*cuts, None], strict=True)
        found = [list(scratch.stream(replace(read, pages=b))) for b in bounds]
        assert [row for rows in found for row in rows] == whole
        assert max(map(len, found)) < 2 * min(map(len, found))
    select = scratch.dialect.select(replace(read, pages=(3, 5)))
    assert "Tid Range Scan" in scratch.query(f"EXPLAIN {select}")[0][0]
    assert scratch.dialect.page_cuts(scratch, read.table, 1) == []


def test_table_without_a_key_has_one_order(url: URL, session: Session) -> None:
    """Every reader has the rows as they lie: no index, no workers, no scan from the middle."""
    read = filled(session, "k int", "", "i", 300_000)
    session.query("CREATE INDEX ON t (k DESC) INCLUDE (v)")
    session.query("VACUUM ANALYZE t")
    forced = (
        "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0;"
        "SET parallel_tuple_cost = 0; SET enable_seqscan = off; SET max_parallel_workers = 8"
    )
    readers, _ = open_readers(session.dialect, url, 2)
    try:
        for reader in readers:
            reader.query(forced)
            rows = reader.stream(read)
            assert [int(next(rows).split(b"\t")[0]) for _ in range(9)] == [*range(1, 10)]
            rows.close()
            workers = reader.query("SHOW max_parallel_workers_per_gather")[0][0]
            assert workers != "0", "what is read next may use them"
            assert [int(r.split(b"\t")[0]) for r in reader.stream(read)] == [*range(1, 300_001)]
            assert reader.query("SHOW enable_indexscan") == [("on",)]
    finally:
        for reader in readers:
            reader.close()
    session.query(forced)
    assert [int(r.split(b"\t")[0]) for r in session.stream(read)] == [*range(1, 300_001)]
    assert session.query("SHOW enable_indexscan") == [("on",)]


# ---- positions


def test_position_is_equal_only_without_a_commit(
    url: URL, session: Session, dialect: Postgres
) -> None:
    """Positions of two moments are equal if nothing was committed in between, and only then."""

    def position() -> str:
        readers, found = open_readers(dialect, url, 2)
        for reader in readers:
            reader.close()
        return found

    session.query("CREATE TABLE t (k int)")
    session.query("CHECKPOINT")
    with Session(dialect, url, readonly=False) as other:
        other.query("BEGIN; INSERT INTO t VALUES (1)")
        other.query("SELECT pg_switch_wal()")
        before = position()
        assert before == position()
        log = before.partition(" ")[0]
        other.query("SET LOCAL synchronous_commit = off; COMMIT")
        after = position()
    assert after != before
    assert after.partition(" ")[2] != before.partition(" ")[2], f"the log alone says {log}"
