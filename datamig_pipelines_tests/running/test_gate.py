"""Nothing is built on rows that differ, on whichever way the run goes."""

from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import LedgerError, PermissionDeniedError, ProofGateError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.transfer import Event
from datamig_pipelines_tests.scenarios.conftest import going
from datamig_pipelines_tests.scenarios.journey import Journey

__all__ = ["going"]

TABLES = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)",
    "INSERT INTO p VALUES (1, 'a'), (2, 'b')",
)
TRIGGER = (
    (
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$"
    ),
    "CREATE TRIGGER shout BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION shout()",
)


@pytest.fixture
def shouting(going, tmp_path, pg_url) -> Journey:
    """A migration whose target changes every name while it is loaded."""
    journey = going(f"sqlite:///{tmp_path / 's.sqlite'}", pg_url, backup={"verify": "none"})
    journey.ask(*TABLES, side="source")
    list(running.run_step(journey.migration, None, "schema"))
    journey.ask(*TRIGGER)
    return journey


def test_constraints_do_not_begin_behind_a_difference(shouting):
    """The fingerprint differs: the run stops before constraints, with the table and the cause."""
    error = shouting.refused()

    steps = running.status(shouting.migration)["steps"]
    assert isinstance(error, ProofGateError)
    assert (error.exit_code, error.where) == (3, "constraints")
    assert "p, fingerprint: differs in name; case in name (2)" in error.message
    assert {n: steps.get(n) for n in ("load", "constraints", "report")} == {
        "load": "done",
        "constraints": None,
        "report": None,
    }
    assert shouting.catalog().tables[0].primary_key is None


@pytest.mark.parametrize("step", ["constraints", "report"])
def test_single_step_does_not_begin_either(shouting, step):
    """A step that is run alone asks the ledger, too."""
    list(running.run_step(shouting.migration, None, "load"))

    def alone(migration) -> list[Event]:
        return list(running.run_step(migration, None, step))

    assert isinstance(shouting.refused(alone), ProofGateError)


def test_run_goes_on_when_the_difference_is_mended(shouting):
    """Mended rows are proven again by the next run, which then comes to its end."""
    shouting.refused()
    (one,) = running.diff(shouting.migration)
    shouting.ask(*(s.sql for s in one.repairs))

    shouting.run()

    assert set(shouting.verdicts()) == {"equal"}


def test_run_that_could_not_write_its_report_does_not_begin(small, tmp_path, monkeypatch):
    """The target is not touched; with another folder, as the hint says, it runs."""
    one = small.write("one", "p")
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATAMIG_HOME", str(tmp_path / "file"))

    with pytest.raises(PermissionDeniedError, match="cannot be written") as caught:
        list(running.run(one))
    made = Path(target_place(one).url.database).exists()
    monkeypatch.setenv("DATAMIG_HOME", str(tmp_path / "home"))
    list(running.run(one))

    assert not made
    assert "DATAMIG_HOME" in caught.value.hint
    assert "p" in small.tables(one)


def test_run_behind_a_rollback_that_was_cut_off_says_who_ends_it(small):
    """On both faces: whoever reads the failure of a scheduled run has no command line at hand."""
    one = small.write("one", "p")
    list(running.run(one))
    with target_place(one).open(readonly=False) as session:
        Ledger(session).end_run(Ledger(session).last_run("one").run_id, "rolling_back")

    with pytest.raises(LedgerError, match="was begun and did not come to its end") as caught:
        list(running.run(one))
    list(running.roll_back(one))
    list(running.run(one))

    assert "`datamig rollback one` (in Dagster: job one_rollback)" in caught.value.hint


def test_migrations_that_know_nothing_of_each_other_go_back_in_any_order(defs):
    """What another one made, and took back itself, is not missed by the one that saw it there."""
    first, second = defs.write("first", "p"), defs.write("second", "r")
    for one in (first, second):
        list(running.run(one))

    for one in (first, second):
        list(running.roll_back(one))
    for one in (second, first):
        list(running.run(one))

    assert defs.tables(first) >= {"p", "r"}


def test_table_that_somebody_dropped_is_missed(defs):
    """Not by a rollback, but by hand: the way back says so."""
    first, second = defs.write("first", "p"), defs.write("second", "r")
    for one in (first, second):
        list(running.run(one))
    defs.ask(first, "DROP TABLE {p}")

    with pytest.raises(LedgerError, match="not as it was before"):
        list(running.roll_back(second))
