"""Where the file asks for it, nothing runs forward before the way back was rehearsed."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import IrreversibleError, NotRehearsedError
from datamig_pipelines.ledger import History, RehearsalEntry
from datamig_pipelines.ledger.history import moment
from datamig_pipelines.running.approval import rules_of
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.running.proven import proven_of
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import StepDone
from datamig_pipelines.steps.schema import Schema
from datamig_pipelines_tests.running.lines import Defs
from datamig_pipelines_tests.running.rehearsals import rehearsed

NEEDED = {"rehearsal": {"required": True}}


def entry(migration: Migration, **other: Any) -> RehearsalEntry:
    """Return what a green rehearsal of the plan of now leaves in the ledger."""
    plan = running.look(migration).fingerprint
    green = RehearsalEntry(
        migration.name, plan, rules_of(migration), "", "lossless", "", 2.0, 1.5, "me", moment()
    )
    return replace(green, **other)


def remember(migration: Migration, **other: Any) -> None:
    """Write it into the target's ledger."""
    with target_place(migration).open(readonly=False) as session:
        ledger = History(session)
        ledger.create()
        ledger.add_rehearsal(entry(migration, **other))


def refusal(migration: Migration) -> NotRehearsedError:
    with pytest.raises(NotRehearsedError) as caught:
        list(running.run(migration))
    return caught.value


def test_run_waits_for_a_rehearsal(defs: Defs) -> None:
    """Refused before anything is touched; rehearsed, it runs, also from another machine."""
    migration = defs.write("one", **NEEDED)

    error = refusal(migration)
    assert "nobody rehearsed it" in error.message
    assert "datamig rehearse one" in error.hint
    assert running.status(migration)["runs"] == []

    found, _, failed = rehearsed(migration, "50%")
    assert failed is None
    shutil.rmtree(migration.home)
    last = running.outlook(migration).as_dict()["rehearsal"]["last"]
    assert (last["class"], last["sample"], last["error"]) == ("lossless", "50%", "")
    assert last["back seconds"] == found["back"]["seconds"]
    list(running.run(migration))
    assert len(defs.ask(migration, "SELECT id FROM {p}")) == 3


def test_red_rehearsal_holds_the_run(small: Defs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one before it was green: the last one counts."""
    migration = small.write("one", **NEEDED)
    remember(migration)
    with monkeypatch.context() as patch:
        patch.setattr(Schema, "undo", lambda *_: iter([StepDone("schema")]))
        _, _, error = rehearsed(migration)

    assert isinstance(error, IrreversibleError)
    assert "was red (DM351)" in refusal(migration).message


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"fingerprint": "abc"}, "its plan was changed since it was rehearsed"),
        ({"rules": "{}"}, "the rules of its safety changed"),
        ({"error": "DM408"}, "was red (DM408)"),
        ({"sample": "5%"}, "was of a sample (5%)"),
        ({"rehearsed_at": moment(datetime.now(UTC) - timedelta(hours=3))}, "is too old"),
    ],
)
def test_rehearsal_that_does_not_count_is_told(small: Defs, other: Any, why: str) -> None:
    """Each with its reason; the target gets no run."""
    rules = {"required": True, "all_rows": True, "valid_hours": 2}
    migration = small.write("one", rehearsal=rules)
    remember(migration, **other)

    assert why in refusal(migration).message


def test_run_that_began_goes_on(small: Defs) -> None:
    """It cannot be rehearsed any more, so no later rehearsal or date holds it."""
    migration = small.write("one", **NEEDED)
    remember(migration)
    list(running.run_step(migration, None, "backup"))
    remember(migration, error="DM408")

    list(running.run(migration))
    assert small.tables(migration) == {"p"}


def test_risky_asks_only_for_plans_with_a_risk(small: Defs) -> None:
    """The same risks as those of approvals; a plain plan runs."""
    risky = small.write("one", rehearsal={"required": "risky"}, rejects={"allow": ["*"]})
    assert "rejected rows are allowed" in refusal(risky).message

    list(running.run(small.write("two", rehearsal={"required": "risky"})))


def test_rehearsal_is_told_where_none_is_required(small: Defs) -> None:
    """By the file of this machine: the target's ledger gets no entry that nobody asked for."""
    migration = small.write("one")
    rehearsed(migration)

    told = running.outlook(migration).as_dict()["rehearsal"]
    assert (told["needed"], told["given"], told["last"]["class"]) == (False, True, "lossless")
    with running.opening.looked(migration) as found:
        assert found.ledger is None or not found.ledger.rehearsals("one")
        assert str(proven_of(found)).startswith("rehearsed ")
