"""A plan that needs an approval does not run without one for that very plan."""

from datetime import UTC, datetime, timedelta

import pytest

from datamig_pipelines.errors import (
    ApprovalEndedError,
    NotApprovedError,
    NotApproverError,
    PlanOutdatedError,
)
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.running import (
    approval,
    approve,
    history,
    look,
    outlook,
    roll_back,
    run,
    status,
)
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
    [told] = history(spec)["approvals"]
    assert told.items() >= entry.__dict__.items()
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


def test_approval_runs_out(small, monkeypatch):
    """After its end it does not count; a new one does."""
    spec = small.write("a", **NEEDED)
    with monkeypatch.context() as patched:
        patched.setattr(approval, "datetime", _clock(-3600))
        approve(spec, by="anna", until=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(NotApprovedError, match="the approval ran out at"):
        list(run(spec))
    approve(spec, by="anna")
    list(run(spec))


def test_half_done_run_is_finished_after_the_approval_ran_out(small):
    """What began under an approval goes on: half a migration helps nobody."""
    spec = small.write("a", include=["p", "q"], **NEEDED)
    approve(spec, by="anna", until=datetime.now(UTC) + timedelta(hours=1))
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


@pytest.mark.parametrize(("engine", "user"), [("postgres", "datamig"), ("mariadb", "datamig@")])
def test_auditor_sees_who_gave_an_approval_beside_the_name(
    small, request, monkeypatch, engine, user
):
    """Anybody may write anna; machine and database know who did."""
    url = {"postgres": "pg_url2", "mariadb": "mariadb_url2"}[engine]
    monkeypatch.setenv("LINES_TARGET_URL", request.getfixturevalue(url))
    spec = small.write("a", **NEEDED)
    approve(spec, by="anna")

    [told] = history(spec)["approvals"]

    assert told["who"] == "anna"
    assert told["given_by"].startswith(f"{whoami()}, database user {user}")


def test_approval_of_somebody_who_may_not_any_more_does_not_count(small):
    """The file that a run reads says who may, not the one of the day of the approval."""
    approve(small.write("a", **NEEDED), by="anna")
    spec = small.write("a", approval={"required": True, "by": ["carl"]})

    with pytest.raises(NotApprovedError, match="anna, whom the file does not name any more"):
        list(run(spec))


def test_approval_that_ended_before_it_began_is_refused(small):
    """--until in the past would be an approval that nobody can use."""
    spec = small.write("a", **NEEDED)

    with pytest.raises(ApprovalEndedError, match="run out already"):
        approve(spec, by="anna", until=datetime.now(UTC) - timedelta(minutes=1))

    assert history(spec)["approvals"] == []


@pytest.mark.parametrize("ahead_s", [120, 86_400])
def test_approval_from_a_clock_that_is_ahead_counts(small, monkeypatch, ahead_s):
    """It is there, so it was given; only its end is compared with the clock of whoever runs."""
    spec = small.write("a", include=["p", "q"], **NEEDED)
    with monkeypatch.context() as patched:
        patched.setattr(approval, "datetime", _clock(ahead_s))
        approve(spec, by="anna")

    list(run(spec))


def test_beginning_of_a_fingerprint_has_to_name_it(small):
    """Two digits fit every 256th plan: no approval and no run by such a word."""
    spec = small.write("a", **NEEDED)
    fingerprint = look(spec).fingerprint
    with pytest.raises(PlanOutdatedError):
        approve(spec, by="anna", fingerprint=fingerprint[:2])
    approve(spec, by="anna", fingerprint=fingerprint[:8])

    with pytest.raises(PlanOutdatedError, match="at least 8 digits"):
        list(run(spec, Launch(plan=fingerprint[:2])))
    list(run(spec, Launch(plan=fingerprint[:8])))


def test_approval_is_used_by_the_run_that_was_begun_under_it(small):
    """So that a sensor launches once, and never what a person took back."""
    spec = small.write("a", **NEEDED)
    approve(spec, by="anna")
    fresh = outlook(spec).approval.used
    list(run(spec))
    applied = outlook(spec).approval.used
    list(roll_back(spec))
    taken_back = outlook(spec).approval.used
    approve(spec, by="anna")

    assert (fresh, applied, taken_back) == (False, True, True)
    assert not outlook(spec).approval.used


def _clock(ahead_s: int) -> type[datetime]:
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(seconds=ahead_s)

    return Clock
