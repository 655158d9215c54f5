"""Cutting and reading ahead: nothing is lost, nothing is left running."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datamig_pipelines.transfer import batches as subject
from datamig_pipelines.transfer.batches import Batch, ahead, cut


def never() -> bool:
    return False


def readers() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "datamig-reader"]


def numbered(count: int):
    return (Batch([(i,)], 8) for i in range(count))


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_cut_loses_and_turns_nothing(rows, size):
    """The batches one behind the other are the stream."""
    assert [r for b in cut(iter([rows[:3], rows[3:]]), size) for r in b.rows] == rows


@given(st.lists(st.tuples(st.integers()), max_size=50), st.integers(1, 7))
def test_cut_fills_every_batch_but_the_last(rows, size):
    """No batch is empty or larger than asked; only the last may be smaller."""
    sizes = [len(b.rows) for b in cut(iter([rows[:3], rows[3:]]), size)]

    assert sizes == [size] * (len(rows) // size) + ([len(rows) % size] if len(rows) % size else [])


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_cut_counts_bytes(rows, size):
    """The bytes of all batches are those of all rows."""
    assert sum(b.bytes for b in cut(iter([rows[:3], rows[3:]]), size)) == sum(map(len, rows))


def test_cut_ends_a_batch_of_many_bytes(monkeypatch):
    """A batch over the limit of bytes ends with the row that passed it."""
    monkeypatch.setattr(subject, "MAX_BATCH_BYTES", 10)

    assert [len(b.rows) for b in cut(iter([[b"12345"]] * 5), 100)] == [2, 2, 1]


def test_cut_closes_the_stream_it_read():
    """Closed before the end, it closes the stream at once."""
    closed = []

    def stream():
        try:
            yield from [[b"1"], [b"2"]]
        finally:
            closed.append(True)

    source = stream()
    cutting = cut(source, 1)
    next(cutting)
    cutting.close()

    assert closed == [True]


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_ahead_gives_every_batch_in_order(count):
    """Reading ahead changes nothing."""
    assert [b.rows[0][0] for b in ahead(numbered(count), never)] == list(range(count))


def test_ahead_raises_the_readers_error_behind_its_batches():
    """What was read before the error is still handed over."""

    def failing():
        yield from numbered(2)
        raise ValueError("the source is gone")

    seen = []
    with pytest.raises(ValueError, match="the source is gone"):
        seen.extend(b.rows[0][0] for b in ahead(failing(), never))

    assert readers() == []


def test_ahead_ends_its_reader_when_the_consumer_leaves():
    """Closing early joins the thread and closes the stream in it, without a deadlock."""
    where = []

    def stream():
        try:
            yield from numbered(1000)
        finally:
            where.append(threading.current_thread().name)

    batches = ahead(stream(), never)
    next(batches)
    batches.close()

    assert (where, readers()) == (["datamig-reader"], [])


def test_ahead_survives_a_stream_that_cannot_be_closed():
    """An error while closing is nobody's business once the consumer has left."""

    def stream():
        try:
            yield from numbered(1000)
        finally:
            raise OSError("the connection is lost")

    batches = ahead(stream(), never)
    next(batches)
    batches.close()

    assert readers() == []


def test_ahead_stops_when_it_is_told():
    """Told to stop, it ends without an error and leaves no thread."""
    stop = threading.Event()
    seen = []
    for batch in ahead(numbered(1000), stop.is_set):
        seen.append(batch)
        stop.set()

    assert (len(seen), readers()) == (1, [])


def test_ahead_reads_at_most_two_batches_in_advance():
    """One batch waits, one is in the reader's hand: memory is bounded."""
    read = []

    def stream():
        for batch in numbered(100):
            read.append(batch)
            yield batch

    batches = ahead(stream(), never)
    next(batches)
    time.sleep(0.3)
    count = len(read)
    batches.close()

    assert count <= 3
