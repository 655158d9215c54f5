"""What is checked before a run touches anything: plan, order, drift, approval."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import Any

from datamig_pipelines.errors import (
    DatamigError,
    DriftError,
    OutOfOrderError,
    PermissionDeniedError,
    PlanOutdatedError,
)
from datamig_pipelines.ledger import History
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.differences import Difference
from datamig_pipelines.planning.drift import is_own
from datamig_pipelines.planning.fingerprint import SHORTEST, is_plan
from datamig_pipelines.planning.saved import saved_plan
from datamig_pipelines.running.approval import Approval, approval_of, refuse_unapproved
from datamig_pipelines.running.changes import changed_since, changes, listed, refuse_changed
from datamig_pipelines.running.memory import drift_in, expected
from datamig_pipelines.running.opening import Situation, current_run, looked
from datamig_pipelines.running.proven import Proven, proven_of, refuse_unproven
from datamig_pipelines.spec import Launch, Migration


@dataclass(frozen=True)
class Outlook:
    """The plan, and what would happen to a run of it now.

    ``refusal`` is why it would be refused, but for a missing rehearsal (``unproven``) or approval
    (``unapproved``).
    ``changed`` says how the plan differs from the one that was applied, ``drift`` what others
    changed in the target. ``settled`` says that nothing would be run.
    """

    plan: Plan
    refusal: DatamigError | None
    unproven: DatamigError | None
    unapproved: DatamigError | None
    proven: Proven
    approval: Approval
    changed: list[str]
    drift: list[Difference]
    settled: bool

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON-compatible words."""
        refusal = self.refusal or self.unproven or self.unapproved
        return {
            "rehearsal": self.proven.as_dict(),
            "refusal": None
            if refusal is None
            else {"code": refusal.code, "message": refusal.message, "hint": refusal.hint},
            "approval": self.approval.as_dict(),
            "changed": self.changed,
            "drift": [str(d) for d in self.drift],
            "settled": self.settled,
        }


def outlook(migration: Migration, launch: Launch | None = None) -> Outlook:
    """Return what a run would find and whether it would be let in; only reads.

    Raises:
        SpecError, PlanError, EngineError: There is no plan.
    """
    with looked(migration, launch) as found:
        changed = (
            changed_since(found.plan, found.ledger, found.run) if found.ledger and found.run else []
        )
        return Outlook(
            _with_notes(found),
            _refusal(found, (_check_changed, *_CHECKS)),
            None if found.settled else _refusal(found, (refuse_unproven,)),
            None if found.settled else _refusal(found, (refuse_unapproved,)),
            proven_of(found),
            approval_of(found),
            changed,
            drift_of(found),
            found.settled,
        )


def admit(found: Situation) -> None:
    """Raise why a run may not begin or go on; nothing was touched.

    Raises:
        PlanOutdatedError, OutOfOrderError, DriftError, NotRehearsedError, NotApprovedError: See
            their docstrings.
        PermissionDeniedError: The folder of the run's files cannot be written.
    """
    if found.settled:
        return
    for check in (*_CHECKS, refuse_unproven, refuse_unapproved, _check_folder):
        check(found)


def drift_of(found: Situation) -> list[Difference]:
    """Return what somebody else changed in the target since the last run there ended."""
    if found.ledger is None:
        return []
    runs = found.ledger.runs(found.plan.context.migration.name)
    return drift_in(found.here, found.plan.context.target, found.ledger, runs)


def _refusal(
    found: Situation, checks: tuple[Callable[[Situation], None], ...]
) -> DatamigError | None:
    try:
        for check in checks:
            check(found)
    except DatamigError as error:
        return error
    return None


def _check_changed(found: Situation) -> None:
    if found.ledger and found.run:
        refuse_changed(found.plan, found.ledger, found.run)


def _check_asked(found: Situation) -> None:
    """Refuse a run of another plan than the one that was asked for."""
    plan, migration = found.plan, found.plan.context.migration
    asked = plan.context.launch.plan
    if is_plan(plan.fingerprint, asked):
        return
    hint = f"Look at it: `datamig plan {migration.name} --save`, then run that plan."
    if len(asked) < SHORTEST:
        msg = f"{asked} names no plan: at least {SHORTEST} digits of a fingerprint do"
        raise PlanOutdatedError(msg, hint=hint)
    msg = f"plan {asked} was asked for, but a run would do plan {plan.fingerprint} now"
    saved = saved_plan(migration, asked)
    if saved is None:
        msg += f"; what was changed is not known, for plan {asked} was not saved here"
        found_changes = []
    else:
        found_changes = changes((saved["spec"], saved["facts"]), plan)
    raise PlanOutdatedError(listed(msg, found_changes), hint=hint)


def refuse_order(found: Situation) -> None:
    """Refuse a run while the migration that it comes after is not applied."""
    migration = found.plan.context.migration
    before = migration.after
    if not before or (found.run is not None and found.run.status == "done"):
        return
    run = current_run(found.ledger, before) if found.ledger else None
    if run is not None and run.status == "done":
        return
    state = "not applied" if run is None else run.status.replace("_", " ")
    msg = f"{migration.name} comes after {before}, which is {state}"
    hint = f"First `datamig run {before}` (in Dagster: job {before}), or `--direction latest`."
    raise OutOfOrderError(msg, hint=hint)


def _check_drift(found: Situation) -> None:
    """Refuse a run where somebody changed or dropped what migrations made."""
    migration = found.plan.context.migration
    if migration.drift != "refuse" or found.ledger is None:
        return
    ours = grave(drift_of(found), found.ledger)
    if not ours:
        return
    msg = f"the target was changed since the last migration: {len(ours)} differences"
    hint = (
        f"Put it back, or if it is meant: `datamig acknowledge {migration.name} --drift`. "
        "`drift: report` in the file tells it only."
    )
    raise DriftError(listed(msg, [str(d) for d in ours]), hint=hint)


def grave(found: list[Difference], ledger: History) -> list[Difference]:
    """Return the differences in what migrations made; what others add or own is only told."""
    names = expected(ledger)
    return [d for d in found if is_own(d.thing, names)]


def _check_folder(found: Situation) -> None:
    """Refuse a run that would do its work and then could not write its report."""
    home = found.plan.context.migration.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=home):
            pass
    except OSError as error:
        msg = f"the folder of plans and reports {home} cannot be written: {error.strerror}"
        hint = "Make it writable, or name another: export DATAMIG_HOME=/a/folder."
        raise PermissionDeniedError(msg, hint=hint) from error


def _with_notes(found: Situation) -> Plan:
    """Return the plan with a note for each difference, so that its report shows them as well."""
    context = found.plan.context
    notes = tuple(f"drift: {d}" for d in drift_of(found))
    return replace(found.plan, context=replace(context, notes=(*context.notes, *notes)))


_CHECKS: tuple[Callable[[Situation], None], ...] = (_check_asked, refuse_order, _check_drift)
