"""Approvals: a person's word for one plan, kept in the target's ledger."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from datamig_pipelines.errors import (
    ApprovalEndedError,
    NotApprovedError,
    NotApproverError,
    PlanOutdatedError,
)
from datamig_pipelines.ledger import ApprovalEntry, History, HistoryEntry, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.ledger.history import moment
from datamig_pipelines.planning.fingerprint import is_plan
from datamig_pipelines.planning.risks import risks
from datamig_pipelines.running.changes import listed
from datamig_pipelines.running.opening import Situation, looked, target_place
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration

_SKEW_S = 300
"""How far the clock of whoever runs may be behind that of whoever approves."""
_RULES = ("backup", "rejects", "rollback", "validate")


@dataclass(frozen=True)
class Approval:
    """Whether a plan needs an approval, why, and the one that it has.

    ``used`` says that a run was begun under it: who runs the plan again decides that by hand.
    """

    reasons: tuple[str, ...]
    entry: ApprovalEntry | None = None
    missing: str = ""
    used: bool = False

    @property
    def given(self) -> bool:
        """Say whether the plan may run as far as approvals go."""
        return not self.reasons or self.entry is not None

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON-compatible words."""
        return {
            "needed": bool(self.reasons),
            "reasons": list(self.reasons),
            "given": self.given,
            "by": self.entry.who if self.entry else None,
            "until": self.entry.valid_until if self.entry else None,
        }


def approval_of(found: Situation) -> Approval:
    """Return the approval of the plan of now.

    It counts if it has not run out, or had not when the unfinished run began under it: what is
    half done may be finished. Whoever gave it has to be one of those whom the file names now.
    """
    migration = found.plan.context.migration
    reasons = _reasons(found)
    if not reasons:
        return Approval(())
    known = found.ledger.approvals(migration.name) if found.ledger else []
    mine = [a for a in known if a.fingerprint == found.plan.fingerprint]
    if not mine:
        missing = "its plan was changed since it was approved" if known else "nobody approved it"
        return Approval(reasons, missing=missing)
    same = [a for a in mine if a.rules == rules_of(migration)]
    if not same:
        changed = ", ".join(_changed_rules(mine[-1].rules, rules_of(migration)))
        return Approval(reasons, missing=f"it was approved under other rules: {changed}")
    able = [a for a in same if _may(a.who, migration)]
    if not able:
        missing = f"it was approved by {same[-1].who}, whom the file does not name any more"
        return Approval(reasons, missing=missing)
    valid = [a for a in able if _lasts(a, moment()) or (found.run and _covers(a, found.run))]
    if not valid:
        missing = f"the approval ran out at {able[-1].valid_until} (here it is {moment()})"
        return Approval(reasons, missing=missing)
    return Approval(reasons, valid[-1], used=_is_used(valid[-1], found))


def _is_used(entry: ApprovalEntry, found: Situation) -> bool:
    """Say whether a run was begun, or ended, since the approval was given."""
    runs = found.ledger.runs(entry.migration) if found.ledger else []
    if not runs:
        return False
    last = datetime.fromisoformat(runs[-1].finished_at or runs[-1].started_at)
    return runs[-1].status == "done" or last >= _to_the_millisecond(entry.approved_at)


def refuse_unapproved(found: Situation) -> None:
    """Raise NotApprovedError unless the plan is approved, or needs no approval."""
    state = approval_of(found)
    if state.given:
        return
    plan, migration = found.plan, found.plan.context.migration
    by = ", ".join(migration.approval.by) or "anybody with access to the target"
    msg = listed(
        f"plan {plan.fingerprint} of {migration.name} needs an approval: {state.missing}",
        list(state.reasons),
    )
    hint = (
        f"{by} may approve it: `datamig approve {migration.name} --plan {plan.fingerprint}`, "
        f"in Dagster job {migration.name}_approve."
    )
    raise NotApprovedError(msg, hint=hint)


def approve(
    migration: Migration, *, by: str = "", fingerprint: str = "", until: datetime | None = None
) -> ApprovalEntry:
    """Approve the plan of now, under the rules of now, and return what was remembered.

    The ledger is made where there is none yet: an approval is the first entry of a target. Nobody
    is authenticated here: whoever may write to the target's ledger may approve. Who that was, as
    far as the machine and the database know, goes into the history beside the given name.

    Args:
        migration: The migration.
        by: Who approves; nobody named: the user of this process.
        fingerprint: Beginning of the only plan that is meant; '' is the plan of now.
        until: When the approval runs out; None is after ``approval.valid_hours``.

    Raises:
        NotApproverError: The file does not name this person.
        ApprovalEndedError: ``until`` is over.
        PlanOutdatedError: The plan of now is another one.
    """
    person = by or whoami()
    if not _may(person, migration):
        msg = f"{person} may not approve {migration.name}"
        hint = f"Those who may are {', '.join(migration.approval.by)}."
        raise NotApproverError(msg, hint=hint)
    begin = datetime.now(UTC)
    end = until or begin + timedelta(hours=migration.approval.valid_hours)
    if end.astimezone(UTC) <= begin:
        msg = f"an approval until {moment(end)} would have run out already; it is {moment(begin)}"
        raise ApprovalEndedError(msg, hint="Give a later end. A time without a zone is local.")
    with looked(migration) as found:
        plan = found.plan
    if not is_plan(plan.fingerprint, fingerprint):
        msg = f"plan {fingerprint} is to be approved, but the plan is {plan.fingerprint} now"
        raise PlanOutdatedError(msg, hint=f"Look at it again: `datamig plan {migration.name}`.")
    entry = ApprovalEntry(
        migration.name,
        plan.fingerprint,
        rules_of(migration),
        person,
        moment(begin),
        moment(end),
    )
    with target_place(migration).open(readonly=False) as session:
        ledger = History(session)
        ledger.create()
        with session.transaction():
            ledger.add_approval(entry)
            ledger.add_entry(
                HistoryEntry(
                    *("", migration.name, "approved"),
                    plan_sum=plan.fingerprint,
                    who=person,
                    happened_at=entry.approved_at,
                    detail=f"{whoami()}{_database_user(session)}",
                )
            )
    return entry


def _database_user(session: Session) -> str:
    query = session.dialect.can.whose_session
    return f", database user {session.query(query)[0][0]}" if query else ""


def _may(person: str, migration: Migration) -> bool:
    allowed = migration.approval.by
    return not allowed or bool({person, person.partition("@")[0]} & set(allowed))


def rules_of(migration: Migration) -> str:
    """Return the rules that an approval is given under, besides the plan: how safe a run is."""
    said = migration.model_dump(mode="json", by_alias=True, include=_named(_RULES))
    return json.dumps(said, sort_keys=True)


def _named(words: tuple[str, ...]) -> set[str]:
    fields = Migration.model_fields
    return {name for name, field in fields.items() if (field.alias or name) in words}


def _changed_rules(before: str, after: str) -> list[str]:
    one, two = json.loads(before), json.loads(after)
    return [
        f"{rule}.{key} {was} → {now}"
        for rule in two
        for key, now in two[rule].items()
        if (was := one.get(rule, {}).get(key)) != now
    ]


def _lasts(entry: ApprovalEntry, at: str) -> bool:
    """Say whether an approval had not run out; when it began is not asked: it is there."""
    return datetime.fromisoformat(at) <= datetime.fromisoformat(entry.valid_until)


def _covers(entry: ApprovalEntry, run: RunEntry) -> bool:
    """Say whether a run was begun under an approval, though their machines' clocks may differ."""
    began = _to_the_millisecond(entry.approved_at) - timedelta(seconds=_SKEW_S)
    return began <= datetime.fromisoformat(run.started_at) and _lasts(entry, run.started_at)


def _to_the_millisecond(at: str) -> datetime:
    """Return a time as exactly as those of runs are."""
    exact = datetime.fromisoformat(at)
    return exact - timedelta(microseconds=exact.microsecond % 1000)


def _reasons(found: Situation) -> tuple[str, ...]:
    required = found.plan.context.migration.approval.required
    if required == "risky":
        return tuple(risks(found.plan))
    return ("the file asks for one (approval.required)",) if required else ()
