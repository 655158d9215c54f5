"""The ledger: what was done, on every engine that is a target."""

from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import BatchEntry, Ledger, ProofEntry, Reject, RunEntry
from datamig_pipelines.session import Session
from datamig_pipelines_tests.session.test_session import ENGINES

ENTRY = BatchEntry("r", "s.t", 1, '["7"]', 10, 7, 2, 1, 100, "7:ff", 0.5)
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
    for run in (later, RUN, replace(later, run_id="other", migration="n")):
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
    second = replace(ENTRY, number=2, high_key='["9", "x"]', written="7:1")
    ledger.add_batch(ENTRY, [])
    ledger.add_batch(second, [])

    state = ledger.table_state("r", "s.t")

    rows = (state.rows_read, state.rows_loaded, state.rows_rejected, state.rows_filtered)
    assert (state.batches, rows) == (2, (20, 14, 4, 2))
    assert (state.bytes, state.high_key, state.written, state.done) == (
        200,
        ("9", "x"),
        (14, 256),
        False,
    )


def test_state_of_another_table_is_its_own(ledger):
    """Batches belong to one table of one run."""
    ledger.add_batch(ENTRY, [])

    assert [ledger.table_state(r, t).batches for r, t in (("r", "s.u"), ("q", "s.t"))] == [0, 0]


def test_finished_table_is_done(ledger):
    """A table is complete when the ledger says so, with or without batches."""
    ledger.finish_table("r", "empty", 0)

    assert (ledger.table_state("r", "empty").done, ledger.loaded_tables("r")) == (True, ["empty"])


def test_entry_that_does_not_add_up_is_refused(ledger):
    """Rows read that are neither loaded nor rejected nor filtered are a bug, not an entry."""
    with pytest.raises(LedgerError, match="read 11 rows"):
        ledger.add_batch(replace(ENTRY, rows_read=11), [])

    assert ledger.table_state("r", "s.t").batches == 0


@pytest.mark.parametrize("column", ["rows_loaded", "number"])
def test_ledger_that_was_edited_is_noticed(ledger, column):
    """A missing batch or a changed figure stops everything."""
    ledger.add_batch(ENTRY, [])
    name = ledger.dialect.table(_batch_table(ledger))
    ledger.session.query(f"UPDATE {name} SET {column} = 3")

    with pytest.raises(LedgerError, match="does not add up"):
        ledger.table_state("r", "s.t")


def _batch_table(ledger: Ledger):
    from datamig_pipelines.ledger.tables import ledger_name

    return ledger_name(ledger.dialect, "batch")


def test_reject_comes_back_as_it_was(ledger):
    """Key, values and reason keep every character."""
    ledger.add_batch(ENTRY, [REJECT])

    assert [r for _, r in ledger.rejects("r")] == [REJECT]


def test_forgotten_table_starts_over(ledger):
    """Nothing of a table's load stays when it is forgotten; other tables do."""
    other = replace(ENTRY, table="s.u")
    for entry in (ENTRY, other):
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
