"""Approvals: a person's word for one plan, kept in the target's ledger."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from datamig_pipelines.errors import (
    NotApprovedError,
    NotApproverError,
    PlanOutdatedError,
)
from datamig_pipelines.ledger import ApprovalEntry, History
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.ledger.history import moment
from datamig_pipelines.planning.risks import risks
from datamig_pipelines.running.changes import listed
from datamig_pipelines.running.opening import Situation, looked, target_place
from datamig_pipelines.spec import Migration

_RULES = ("backup", "rejects", "rollback", "validate")


@dataclass(frozen=True)
class Approval:
    """Whether a plan needs an approval, why, and the one that it has."""

    reasons: tuple[str, ...]
    entry: ApprovalEntry | None = None
    missing: str = ""

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

    It counts if it is valid now, or was when the unfinished run began: what is half done may be
    finished.
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
    times = [moment(), *([found.run.started_at] if found.run else [])]
    valid = [a for a in same if any(_covers(a, at) for at in times)]
    if not valid:
        return Approval(reasons, missing=f"the approval ran out at {same[-1].valid_until}")
    return Approval(reasons, valid[-1])


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
    is authenticated here: whoever may write to the target's ledger may approve.

    Args:
        migration: The migration.
        by: Who approves; nobody named: the user of this process.
        fingerprint: Beginning of the only plan that is meant; '' is the plan of now.
        until: When the approval runs out; None is after ``approval.valid_hours``.

    Raises:
        NotApproverError: The file does not name this person.
        PlanOutdatedError: The plan of now is another one.
    """
    person = by or whoami()
    allowed = migration.approval.by
    if allowed and not {person, person.partition("@")[0]} & set(allowed):
        msg = f"{person} may not approve {migration.name}"
        raise NotApproverError(msg, hint=f"Those who may are {', '.join(allowed)}.")
    with looked(migration) as found:
        plan = found.plan
    if not plan.fingerprint.startswith(fingerprint):
        msg = f"plan {fingerprint} is to be approved, but the plan is {plan.fingerprint} now"
        raise PlanOutdatedError(msg, hint=f"Look at it again: `datamig plan {migration.name}`.")
    begin = datetime.now(UTC)
    end = until or begin + timedelta(hours=migration.approval.valid_hours)
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
        ledger.add_approval(entry)
    return entry


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


def _covers(entry: ApprovalEntry, at: str) -> bool:
    began = datetime.fromisoformat(entry.approved_at)
    began -= timedelta(microseconds=began.microsecond % 1000)  # a run's start has milliseconds
    return began <= datetime.fromisoformat(at) <= datetime.fromisoformat(entry.valid_until)


def _reasons(found: Situation) -> tuple[str, ...]:
    required = found.plan.context.migration.approval.required
    if required == "risky":
        return tuple(risks(found.plan))
    return ("the file asks for one (approval.required)",) if required else ()
