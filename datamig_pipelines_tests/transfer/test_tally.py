"""Counting and waiting: what the workers of a table share, and how long a lost server may be away."""

from dataclasses import replace

import pytest

from datamig_pipelines.ledger import BatchEntry, TableState
from datamig_pipelines.spec import Rejects
from datamig_pipelines.transfer.isolating import failing_alone, failing_together
from datamig_pipelines.transfer.retrying import Patience
from datamig_pipelines.transfer.tally import Tally
from datamig_pipelines_tests.transfer.streams import INTEGER, route

ENTRY = BatchEntry("r", "t", 1, 1, "", "[]", 10, 8, 2, 0, 100, "", "d", 0.1)


def sized(rows: int, where: str = ""):
    made = route(INTEGER)
    return replace(made, source=replace(made.source, rows=rows), where=where)


def test_tally_adds_to_what_the_ledger_says():
    """Progress is the table's, whoever loaded its rows, and says what was there before."""
    tally = Tally(sized(15), TableState(rows_read=20, rows_rejected=1, bytes=5), [1, 2])
    tally.add(ENTRY)

    progress = tally.progress()
    assert (progress.rows, progress.rejected, progress.bytes) == (30, 3, 105)
    assert (progress.expected, progress.resumed, tally.commits) == (30, 20, 1)


def test_last_shard_finishes_the_table():
    """One worker finishes, also if it has to try again; the others do not."""
    tally = Tally(sized(0), TableState(), [1, 2, 3])

    closed = [tally.close(n) for n in (2, 2, 1, 3, 3, 1)]

    assert closed == [False, False, False, True, True, False]


@pytest.mark.parametrize(
    ("rows", "where", "limit", "over"),
    [
        (0, "", "19%", True),
        (0, "", "20%", False),
        (1000, "", "1%", False),
        (1000, "v > 1", "1%", True),
        (1000, "", "1", True),
        (1000, "v > 1", "2", False),
    ],
)
def test_limit_is_of_the_estimate_or_of_what_was_read(rows, where, limit, over):
    """A share is of the rows expected; a filter makes the estimate worthless."""
    tally = Tally(sized(rows, where), TableState(), [1])
    tally.add(ENTRY)

    assert tally.exceeds(Rejects(abort_above=limit)) is over


def test_patience_lasts_half_a_minute_and_ends():
    """Five tries wait 30 seconds or more in all; the sixth failure is the error itself."""
    patience, error = Patience(5), ConnectionError("gone")
    waits = [patience.wait_s(error) for _ in range(5)]

    assert sum(waits) >= 30
    assert waits == sorted(waits)
    with pytest.raises(ConnectionError, match="gone"):
        patience.wait_s(error)
    patience.renew()
    assert patience.wait_s(error) < 2


@pytest.mark.parametrize("bad", [[], [0], [99], [3, 4, 50], list(range(100))])
def test_failing_places_are_found(bad):
    """Those that fail alone are found, in few attempts; nothing else is."""
    attempts = []

    def failure(places):
        attempts.append(len(places))
        return next((f"bad {p}" for p in places if p in bad), None)

    found: dict[int, str] = {}
    failing_alone(100, failure, found)

    assert found == {p: f"bad {p}" for p in bad}
    assert len(attempts) <= max(1, 15 * len(bad))
    assert failing_together(100, failure, found) == [p for p in range(100) if p not in bad]


def test_places_that_fail_together_lose_the_last_of_them():
    """Of two that exclude each other the first stays."""
    found: dict[int, str] = {}

    good = failing_together(10, lambda p: "both" if {2, 7} <= set(p) else None, found)

    assert (good, found) == ([0, 1, 2, 3, 4, 5, 6, 8, 9], {7: "both"})
