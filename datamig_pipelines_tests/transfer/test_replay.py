"""A stream is read once more: by number of rows, against digests, and given up at any point."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.reading import KeyPart, Projection, Read
from datamig_pipelines.errors import StreamChangedError
from datamig_pipelines.ledger import BatchEntry
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.transfer.replay import Replay, behind

LISTS = [[1, 2, 3], [4], [5, 6], [7, 8, 9]]
WHOLE = Type(Kind.INTEGER, bits=32, native="integer")


def digest(rows) -> str:
    return "-".join(map(str, rows))


def entry(number: int, *rows: int) -> BatchEntry:
    count = len(rows)
    return BatchEntry("r", "t", 1, number, "", "[]", count, count, 0, 0, 1, "", digest(rows), 0.1)


@pytest.mark.parametrize("counts", [[2, 2, 2, 3], [9], [1] * 9, [4, 9], [10], [3, 1, 0, 5]])
def test_rows_are_taken_by_number(counts):
    """Whatever lists they came in, rows come in order, and fewer at the end."""
    replay = Replay(iter(LISTS))

    taken = [row for count in counts for row in replay.take(count)]

    assert (taken, replay.take(1)) == (list(range(1, 10)), [])


@pytest.mark.parametrize("loaded", [0, 1, 3, 4, 8, 9])
def test_rows_behind_equal_batches_are_the_rest(loaded):
    """What was loaded is not yielded again, and nothing behind it is missing."""
    rows = list(range(1, loaded + 1))
    entries = [entry(1, *rows[: loaded // 2]), entry(2, *rows[loaded // 2 :])]

    rest = [row for rows in behind(iter(LISTS), entries, digest) for row in rows]

    assert rest == list(range(loaded + 1, 10))


@pytest.mark.parametrize(
    "entries", [[entry(1, 1, 9)], [entry(1, 1, 2), entry(2, 4)], [entry(1, *range(1, 11))]]
)
def test_rows_that_do_not_come_again_are_noticed(entries):
    """A changed, missing or moved row stops it before anything is yielded."""
    with pytest.raises(StreamChangedError, match=f"batch {entries[-1].number} of t"):
        next(behind(iter(LISTS), entries, digest))


@pytest.mark.parametrize("wire", [Wire.COPY_TEXT, Wire.COPY_BINARY])
@pytest.mark.parametrize("rows", [1, 3, 100_000])
@pytest.mark.parametrize("taken", [0, 1, 3])
def test_replay_that_is_given_up_leaves_the_session_usable(pg_url, rows, taken, wire):
    """Closed behind any row, the last one too, the session reads on in its snapshot."""
    url = make_url(pg_url)
    column = Projection("k", '"k"', WHOLE, WHOLE, Kind.INTEGER)
    read = Read(TableName("public", "t"), (column,), wire, (KeyPart('"k"', WHOLE),))
    with Session(Postgres(), url, readonly=False) as session:
        session.query("CREATE TABLE t (k int PRIMARY KEY)")
        session.query(f"INSERT INTO t SELECT generate_series(1, {rows})")
        readers, _ = open_readers(Postgres(), url, 1)
        with readers[0] as reader:
            replay = Replay(reader.stream_lists(read))
            replay.take(taken)
            replay.close()
            session.query("DELETE FROM t")

            assert reader.query("SELECT count(*) FROM t") == [(rows,)]
            assert len(Replay(reader.stream_lists(read)).take(10**6)) == rows
