"""Somebody dropped tables of the ledger: that is said, nothing is loaded twice, the way back is open."""

import pytest

from datamig_pipelines.errors import LedgerDamagedError, LedgerError, LossesError
from datamig_pipelines.ledger.tables import ledger_name
from datamig_pipelines.running import foresee, outlook, roll_back, run, status
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines_tests.running.lines import Defs

WORK = ["batch", "loaded", "reject", "proof", "shard", "snapshot"]


def dropped(migration: Migration, *names: str) -> None:
    """Drop tables of the ledger by hand."""
    place = target_place(migration)
    with place.open(readonly=False) as session:
        for name in names:
            _drop(session, name)


def _drop(session: Session, name: str) -> None:
    table = session.dialect.table(ledger_name(session.dialect, name))
    session.query(f"DROP TABLE {table}")


@pytest.mark.parametrize("name", WORK)
def test_way_back_is_open_whatever_of_the_work_was_dropped(small: Defs, name):
    """What was made is known by its steps; then the migration runs again."""
    one = small.write("one", "p")
    list(run(one))
    dropped(one, name)

    list(roll_back(one))
    gone = small.tables(one) & {"p"}
    list(run(one))

    assert (gone, small.ask(one, "SELECT count(*) FROM {p}")) == (set(), [(3,)])


def test_rollback_without_the_account_asks_before_rows_go(defs: Defs):
    """Nobody knows which rows came with the load, so somebody has to say yes."""
    one = defs.write("one", "p")
    list(run(one))
    dropped(one, "batch")

    [lost] = foresee(one).foreign
    with pytest.raises(LossesError, match="NOBODY KNOWS"):
        list(roll_back(one, lossless=True))

    assert "3 rows" in lost.told
    assert "p" in defs.tables(one)


@pytest.mark.parametrize("names", [("batch", "loaded", "shard"), ("loaded",), ("proof",)])
def test_run_refuses_a_ledger_with_gaps(small: Defs, names):
    """Made anew they would know of no row, and a table without a key would be loaded twice."""
    one = small.write("one", "p")
    list(run(one))
    dropped(one, *names)

    with pytest.raises(LedgerDamagedError, match=f"has lost .*{names[0]}"):
        list(run(one))

    assert small.ask(one, "SELECT count(*) FROM {p}") == [(3,)]


@pytest.mark.parametrize("name", ["run", "step"])
def test_ledger_that_lost_what_was_made_is_named(defs: Defs, name):
    """No statement of an engine is shown, no word of an older version; a person decides."""
    one = defs.write("one", "p")
    list(run(one))
    dropped(one, name)

    for verb in (status, outlook, lambda m: list(run(m)), lambda m: list(roll_back(m))):
        with pytest.raises(LedgerDamagedError, match=f"has lost .*{name}") as caught:
            verb(one)
    assert isinstance(caught.value, LedgerError)
    assert "yourself" in caught.value.hint
    assert "p" in defs.tables(one)


@pytest.mark.parametrize("lost", ["run.who", "step.detail", "history.plan"])
def test_ledger_that_lost_a_column_is_named_and_mended(defs: Defs, lost):
    """The statement of the hint is all that is needed; no engine's own words are shown."""
    one = defs.write("one", "p")
    list(run(one))
    dialect = target_place(one).dialect
    name, _, column = lost.partition(".")
    defs.ask(one, f"ALTER TABLE {dialect.table(ledger_name(dialect, name))} DROP COLUMN {column}")

    with pytest.raises(LedgerDamagedError, match=f"has lost the columns .*{lost}") as caught:
        list(roll_back(one))
    defs.ask(one, caught.value.hint.split("`")[1])
    list(roll_back(one))

    assert "p" not in defs.tables(one)
