"""The ledger: what was done, on every engine that is a target."""

import re
from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.errors import BatchTakenError, LedgerError, LedgerOutdatedError
from datamig_pipelines.ledger import BatchEntry, Ledger, ProofEntry, Reject, RunEntry, Shard
from datamig_pipelines.ledger.entry import behind, now
from datamig_pipelines.ledger.tables import ledger_name
from datamig_pipelines.session import Session
from datamig_pipelines_tests.session.test_session import ENGINES

SHARD = Shard("r", "s.t", 1)
ENTRY = BatchEntry("r", "s.t", 1, 1, "", '["7"]', 10, 7, 2, 1, 100, "7:ff", "d", 0.5)
REJECT = Reject("s.t", 1, '["5"]', '{"a": "ž🐎\\u0000"}', "DM408", "it's 100% wrong", "mend it")
RUN = RunEntry("r", "m", "f", "running", "2026-01-01T00:00:00", who="me")


@pytest.fixture(params=ENGINES)
def ledger(request):
    """A ledger in an empty target."""
    dialect, fixture = ENGINES[request.param]
    with Session(dialect, make_url(request.getfixturevalue(fixture)), readonly=False) as session:
        made = Ledger(session)
        made.create()
        yield made


def test_ledger_that_is_not_there_is_empty(sqlite_url):
    """Before the first run there is nothing, and asking makes nothing."""
    dialect, _ = ENGINES["sqlite"]
    with Session(dialect, make_url(sqlite_url), readonly=False) as session:
        empty = Ledger(session)

        assert (empty.exists(), empty.last_run("m"), empty.rejects("r")) == (False, None, [])


def test_create_may_be_repeated(ledger):
    """A ledger that is there stays."""
    ledger.start_run(RUN)
    ledger.create()

    assert ledger.last_run("m") == RUN


def test_last_run_is_the_newest_of_its_migration(ledger):
    """Runs are told apart by migration and ordered by time."""
    later = replace(RUN, run_id="later", started_at="2026-01-02T00:00:00")
    for run in (RUN, later, replace(later, run_id="other", migration="n")):
        ledger.start_run(run)

    assert ledger.last_run("m") == later


def test_run_ends_and_goes_on(ledger):
    """A run that goes on has no end any more."""
    ledger.start_run(RUN)
    ledger.end_run("r", "failed", "because")
    failed = ledger.last_run("m")
    ledger.end_run("r", "running")
    running = ledger.last_run("m")

    assert (failed.status, failed.detail, failed.finished_at is None) == (
        "failed",
        "because",
        False,
    )
    assert (running.status, running.finished_at) == ("running", None)


def test_state_adds_up_all_batches(ledger):
    """Rows, bytes and fingerprints are summed, the last key counts."""
    second = replace(ENTRY, number=2, low_key='["7"]', high_key='["9", "x"]', written="7:1")
    ledger.add_shards([SHARD])
    ledger.add_batch(ENTRY, [])
    ledger.add_batch(second, [])

    state = ledger.table_state("r", "s.t")

    rows = (state.rows_read, state.rows_loaded, state.rows_rejected, state.rows_filtered)
    assert (state.batches, rows) == (2, (20, 14, 4, 2))
    assert (state.bytes, state.shards[0].at, state.written, state.done) == (
        200,
        '["9", "x"]',
        (14, 256),
        False,
    )


def test_state_of_another_table_is_its_own(ledger):
    """Batches belong to one table of one run."""
    ledger.add_shards([SHARD])
    ledger.add_batch(ENTRY, [])

    assert [ledger.table_state(r, t).batches for r, t in (("r", "s.u"), ("q", "s.t"))] == [0, 0]


def test_states_of_many_tables_are_those_of_each(ledger):
    """Read at once they are the same, in the order asked for, and of this run alone."""
    for run, table in (("r", "s.t"), ("r", "empty"), ("q", "s.u")):
        ledger.add_shards([replace(SHARD, run_id=run, table=table)])
    ledger.add_batch(replace(ENTRY, number=2, low_key='["7"]', high_key='["9", "x"]'), [])
    ledger.add_batch(ENTRY, [])
    ledger.add_batch(replace(ENTRY, run_id="q", table="s.u"), [])
    ledger.end_shard(replace(SHARD, table="empty"))
    ledger.finish_table("r", "empty", 0)

    states = ledger.table_states("r", ["s.u", "s.t", "empty"])

    assert list(states.items()) == [(t, ledger.table_state("r", t)) for t in states]
    assert [(s.batches, s.done) for s in states.values()] == [(0, False), (2, False), (0, True)]


def test_finished_table_is_done(ledger):
    """A table is complete when all its shards are and the ledger says so; batches need not be."""
    empty = replace(SHARD, table="empty")
    ledger.add_shards([empty])
    ledger.end_shard(empty)
    before = ledger.table_state("r", "empty").done
    ledger.finish_table("r", "empty", 0)

    assert not before

    assert (ledger.table_state("r", "empty").done, ledger.loaded_tables("r")) == (True, ["empty"])


def test_entry_that_does_not_add_up_is_refused(ledger):
    """Rows read that are neither loaded nor rejected nor filtered are a bug, not an entry."""
    with pytest.raises(LedgerError, match="read 11 rows"):
        ledger.add_batch(replace(ENTRY, rows_read=11), [])

    assert ledger.table_state("r", "s.t").batches == 0


@pytest.mark.parametrize("column", ["rows_loaded", "number", "low_key"])
def test_ledger_that_was_edited_is_noticed(ledger, column):
    """A missing batch or a changed figure stops everything."""
    ledger.add_shards([SHARD])
    ledger.add_batch(ENTRY, [])
    name = ledger.dialect.table(_batch_table(ledger))
    ledger.session.query(f"UPDATE {name} SET {column} = '3'")

    with pytest.raises(LedgerError, match="does not add up"):
        ledger.table_state("r", "s.t")


def _batch_table(ledger: Ledger):
    return ledger_name(ledger.dialect, "batch")


def test_reject_comes_back_as_it_was(ledger):
    """Key, values and reason keep every character."""
    ledger.add_batch(ENTRY, [REJECT])

    assert [r for _, r in ledger.rejects("r")] == [REJECT]


def test_forgotten_table_starts_over(ledger):
    """Nothing of a table's load stays when it is forgotten; other tables do."""
    other = replace(ENTRY, table="s.u")
    for entry in (ENTRY, other):
        ledger.add_shards([replace(SHARD, table=entry.table)])
        ledger.add_batch(entry, [replace(REJECT, table=entry.table)])
        ledger.finish_table("r", entry.table, 7)
    ledger.forget_table("r", "s.t")

    assert (ledger.begun_tables("r"), [r.table for _, r in ledger.rejects("r")]) == (
        ["s.u"],
        ["s.u"],
    )


def test_batch_rolls_back_with_its_transaction(ledger):
    """An entry belongs to the caller's transaction."""
    with pytest.raises(ValueError, match="no"), ledger.session.transaction():  # noqa: PT012
        ledger.add_batch(ENTRY, [REJECT])
        raise ValueError("no")

    assert (ledger.table_state("r", "s.t").batches, ledger.rejects("r")) == (0, [])


def test_steps_keep_their_last_word(ledger):
    """A step that begins again is running again; one that ended keeps its detail."""
    for step in ("schema", "load"):
        ledger.begin_step("r", step)
    ledger.end_step("r", "schema", "done", "{}")
    ledger.begin_step("r", "load")

    assert ledger.steps("r") == {"schema": ("done", "{}"), "load": ("running", "")}


def test_proof_replaces_the_older_one(ledger):
    """Of one proof of one table the last verdict counts."""
    first = ProofEntry("r", "t", "row_count", "different", "1", "2", "")
    second = replace(first, verdict="equal", target="1")
    for proof in (first, second, replace(first, proof="schema")):
        ledger.add_proof(proof)

    assert [(p.proof, p.verdict) for p in ledger.proofs("r")] == [
        ("row_count", "equal"), ("schema", "different"),
    ]  # fmt: skip


def test_position_of_the_source_is_kept(ledger):
    """The source's position stands beside the run."""
    ledger.start_run(RUN)
    ledger.set_position("r", "0/16B3748")

    assert ledger.last_run("m").position == "0/16B3748"


def test_positions_of_all_snapshots_are_kept(ledger):
    """The newest position is the run's; older ones stay."""
    ledger.start_run(RUN)
    for position in ("a", "", "b"):
        ledger.set_position("r", position)

    assert (ledger.positions("r"), ledger.position("r")) == (["a", "", "b"], "b")
    assert ledger.position("other") == ""


def test_loaded_table_with_an_open_shard_is_noticed(ledger):
    """A table is not called loaded as long as a shard of its manifest is not."""
    ledger.add_shards([SHARD])
    ledger.finish_table("r", "s.t", 0)

    with pytest.raises(LedgerError, match="not all of its shards"):
        ledger.table_state("r", "s.t")


def test_batch_is_entered_once(ledger):
    """A second entry of one number is refused, whoever writes it."""
    ledger.add_shards([SHARD])
    ledger.add_batch(ENTRY, [])

    with pytest.raises(BatchTakenError):
        ledger.add_batch(ENTRY, [])


def test_batch_that_is_taken_back_leaves_its_range_to_a_shard(ledger):
    """Its rows and rejects are gone, the chain is whole, and the table is not loaded any more."""
    second = replace(ENTRY, number=2, low_key='["7"]', high_key='["9"]')
    ledger.add_shards([SHARD])
    for entry in (ENTRY, second):
        ledger.add_batch(entry, [replace(REJECT, batch=entry.number)])
    ledger.end_shard(SHARD)
    ledger.finish_table("r", "s.t", 14)
    ledger.add_proof(ProofEntry("r", "s.t", "row_count", "equal", "1", "1", ""))

    with ledger.session.transaction():
        again = ledger.take_back(second, 2)

    state = ledger.table_state("r", "s.t")
    assert (again.low_key, again.high_key, again.number) == ('["7"]', '["9"]', 2)
    assert (state.done, [s.shard for s in state.open_shards]) == (False, [again])
    assert (state.batches, state.rows_loaded, ledger.proofs("r")) == (2, 7, [])
    assert [r.batch for _, r in ledger.rejects("r")] == [1]


@pytest.mark.parametrize("last", ["9999", "9999-12-31T23:59:59.999+00:00"])
def test_time_that_is_none_is_said(last: str) -> None:
    """Where somebody wrote a time into the ledger that none follows, nothing is guessed."""
    with pytest.raises(LedgerError, match=re.escape(last)):
        behind(now(), last)


def test_shard_goes_on_behind_its_last_batch(ledger):
    """A shard knows its own batches only."""
    ends = [replace(SHARD, high_key='["7"]'), replace(SHARD, number=2, low_key='["7"]')]
    ledger.add_shards(ends)
    ledger.add_batch(ENTRY, [])

    first, second = (ledger.shard_state("r", "s.t", n) for n in (1, 2))

    assert (first.next_number, first.at, first.rows_read) == (2, '["7"]', 10)
    assert (second.next_number, second.at, second.rows_read) == (1, '["7"]', 0)
    with pytest.raises(LedgerError, match="no shard 3"):
        ledger.shard_state("r", "s.t", 3)


def test_ledger_of_an_older_version_is_refused(ledger):
    """A ledger without shards is no ledger to go on with: nothing is read from it or written."""
    for name in ("shard", "snapshot"):
        table = ledger.dialect.table(ledger_name(ledger.dialect, name))
        ledger.session.query(f"DROP TABLE {table}")
    old = Ledger(ledger.session)

    for ask in (old.create, lambda: old.last_run("m"), lambda: old.table_state("r", "s.t")):
        with pytest.raises(LedgerOutdatedError, match="older version"):
            ask()


def test_every_table_of_the_ledger_is_known_as_such() -> None:
    """A catalog leaves the ledger's tables out, so it has to know all of their names."""
    from datamig_pipelines.catalog import names
    from datamig_pipelines.ledger import tables

    assert set(tables._COLUMNS) <= set(names.LEDGER_TABLES)
