"""A plan that needs an approval does not run without one for that very plan."""

from datetime import UTC, datetime, timedelta

import pytest

from datamig_pipelines.errors import NotApprovedError, NotApproverError, PlanOutdatedError
from datamig_pipelines.running import approve, history, look, outlook, run, status
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.spec import Launch

NEEDED = {"approval": {"required": True, "by": ["anna", "ben@ops"]}}


def test_run_without_approval_touches_nothing(defs):
    """The error says who may approve and how; the target has no table and no run."""
    spec = defs.write("a", **NEEDED)

    with pytest.raises(NotApprovedError) as caught:
        list(run(spec))

    assert f"datamig approve a --plan {look(spec).fingerprint}" in caught.value.hint
    assert "anna, ben@ops may approve" in caught.value.hint
    place = target_place(spec)
    if place.dialect.file_missing(place.url):
        return
    assert status(spec)["runs"] == []
    assert (
        defs.ask(spec, "SELECT 1 FROM information_schema.schemata WHERE schema_name = 'datamig'")
        == []
    )


def test_approved_plan_runs(defs):
    """The approval is kept in the target, with its person and its end, and the history shows it."""
    spec = defs.write("a", **NEEDED)
    entry = approve(spec, by="anna")

    list(run(spec))

    assert defs.tables(spec) == {"p"}
    assert history(spec)["approvals"] == [entry.__dict__]
    until = datetime.fromisoformat(entry.valid_until)
    assert until - datetime.fromisoformat(entry.approved_at) == timedelta(hours=72)


def test_only_those_named_may_approve(small):
    """user or user@host is compared with the file; nobody named is anybody."""
    spec = small.write("a", **NEEDED)
    with pytest.raises(NotApproverError, match="carl may not approve"):
        approve(spec, by="carl")
    with pytest.raises(NotApproverError):
        approve(spec, by="ben@elsewhere")

    assert approve(spec, by="ben@ops").who == "ben@ops"
    assert approve(spec, by="anna@anywhere").who == "anna@anywhere"
    approve(small.write("a", approval={"required": True}))


def test_approval_is_for_one_plan(small):
    """Another filter is another plan: what was approved does not cover it."""
    approve(small.write("a", **NEEDED), by="anna")
    other = small.write("a", **NEEDED, tables=[{"name": "p", "where": "id > 1"}])

    with pytest.raises(NotApprovedError, match="changed since it was approved"):
        list(run(other))
    with pytest.raises(PlanOutdatedError):
        approve(other, by="anna", fingerprint=look(small.write("a", **NEEDED)).fingerprint)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"backup": {"verify": "none"}}, "backup.verify restore → none"),
        ({"rejects": {"allow": ["*"]}}, "rejects.allow"),
        ({"validate": {"proofs": []}}, "validate.proofs"),
        ({"rollback": {"on_failure": "undo"}}, "rollback.on_failure keep → undo"),
    ],
)
def test_approval_is_for_its_safety_rules(small, rule, said):
    """Who approved a run with a proven backup did not approve one without."""
    approve(small.write("a", **NEEDED), by="anna")

    with pytest.raises(NotApprovedError) as caught:
        list(run(small.write("a", **NEEDED, **rule)))

    assert f"under other rules: {said}" in caught.value.message


def test_approval_runs_out(small):
    """After its end it does not count; a new one does."""
    spec = small.write("a", **NEEDED)
    approve(spec, by="anna", until=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(NotApprovedError, match="the approval ran out at"):
        list(run(spec))
    approve(spec, by="anna")
    list(run(spec))


def test_half_done_run_is_finished_after_the_approval_ran_out(small):
    """What began under an approval goes on: half a migration helps nobody."""
    spec = small.write("a", include=["p", "q"], **NEEDED)
    approve(spec, by="anna", until=datetime.now(UTC) + timedelta(seconds=30))
    list(run(spec, Launch(tables=("p",))))
    _age(spec)
    assert outlook(spec).approval.given

    list(run(spec))

    assert small.tables(spec) == {"p", "q"}


def test_run_that_was_begun_without_an_approval_needs_one(small):
    """The file asks for it since the run was begun: it is not let on without."""
    list(run(small.write("a", include=["p", "q"]), Launch(tables=("p",))))
    spec = small.write("a", include=["p", "q"], **NEEDED)

    with pytest.raises(NotApprovedError, match="nobody approved it"):
        list(run(spec))


def test_risky_plan_needs_an_approval_and_a_safe_one_does_not(small):
    """required: risky asks where the plan leaves something behind, and says what."""
    rule = {"approval": {"required": "risky"}}
    list(run(small.write("safe", "r", **rule)))

    with pytest.raises(NotApprovedError) as caught:
        list(run(small.write("risky", **rule, tables=[{"name": "p", "where": "id > 1"}])))

    assert "p: only rows with id > 1" in caught.value.message


def _age(spec) -> None:
    """Move the approval's end to just after the run's begin, which is in the past."""
    from datamig_pipelines.ledger import History

    with target_place(spec).open(readonly=False) as session:
        ledger = History(session)
        [begun] = ledger.runs(spec.name)
        end = datetime.fromisoformat(begun.started_at) + timedelta(milliseconds=1)
        ledger._update("approval", ("valid_until",), (end.isoformat(),), migration=spec.name)
