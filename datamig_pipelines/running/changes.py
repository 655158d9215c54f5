"""Tells whether a run may go on with the plan of now, and if not, what was changed."""

import json
from typing import Any

from datamig_pipelines.errors import LedgerError, PlanChangedError
from datamig_pipelines.ledger import History, HistoryEntry, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.differences import Facts, differences
from datamig_pipelines.planning.fingerprint import without_code
from datamig_pipelines.spec.text import spec_sum, spec_text, text_changes

_SHOWN = 20  # lines of changes in a message
_STANDS = ("baseline", "acknowledged")


def entry_of(plan: Plan, run_id: str, event: str, **more: Any) -> HistoryEntry:
    """Return what is remembered of a plan and of the file that it was made from."""
    migration = plan.context.migration
    text = spec_text(migration)
    return HistoryEntry(
        run_id,
        migration.name,
        event,
        spec_sum(text),
        text,
        plan.fingerprint,
        json.dumps(plan.facts),
        more.pop("who", whoami()),
        **more,
    )


def settled(ledger: History, run: RunEntry | None) -> HistoryEntry | None:
    """Return why nothing is to be run: a baseline or an acknowledgement; None if all is open."""
    if run is None or run.status != "done":
        return None
    own = [e for e in ledger.entries(run.migration) if e.run_id == run.run_id]
    return next((e for e in reversed(own) if e.event in _STANDS), None)


def changes(before: tuple[str, Facts], plan: Plan) -> list[str]:
    """Return what was changed since ``before``: lines of the file, then parts of the plan."""
    text, facts = before
    lines = text_changes(text, spec_text(plan.context.migration))
    return [f"file: {line}" for line in lines] + [
        f"plan: {difference}" for difference in differences(facts, plan.facts)
    ]


def changed_since(plan: Plan, ledger: History, run: RunEntry) -> list[str]:
    """Return what was changed since the run was accepted; [] also where the plan is the same.

    A function that was mended may go on with an unfinished run: that is how one gets past the row
    on which it failed. The history notes it; an applied run is not touched by another function.
    """
    entry = ledger.accepted(run)
    if (entry.plan_sum if entry else run.fingerprint) == plan.fingerprint:
        return []
    if entry is None:
        return ["the ledger does not know what the plan was: an older version wrote it"]
    facts: Facts = json.loads(entry.plan)
    if run.status != "done" and without_code(facts) == without_code(plan.facts):
        return []
    return changes((entry.spec, facts), plan) or ["plan: an order was changed"]


def refuse_changed(plan: Plan, ledger: History, run: RunEntry) -> None:
    """Raise PlanChangedError, or LedgerError where the run is half taken back."""
    name = run.migration
    if run.status == "rolling_back":
        msg = f"a rollback of {name} was begun and did not come to its end"
        hint = f"`datamig rollback {name}` (in Dagster: job {name}_rollback) finishes it; "
        hint += "then run again."
        raise LedgerError(msg, hint=hint)
    found = changed_since(plan, ledger, run)
    if not found:
        return
    entry = ledger.accepted(run)
    msg = (
        f"{name} was {'applied' if run.status == 'done' else 'begun'} on {run.started_at} "
        f"with plan {entry.plan_sum if entry else run.fingerprint}; the plan is "
        f"{plan.fingerprint} now"
    )
    hint = f"Put it back, or `datamig rollback {name}` first and run again."
    if run.status == "done":
        hint += f" If what was applied stands: `datamig acknowledge {name}`."
    raise PlanChangedError(listed(msg, found), hint=hint)


def listed(message: str, found: list[str]) -> str:
    """Return a message with a line per change, the first of them only where there are many."""
    more = [f"… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "\n  ".join([message, *found[:_SHOWN], *more])


def note_edit(plan: Plan, ledger: History, run: RunEntry) -> None:
    """Remember that the file, or a function of an unfinished run, was edited."""
    entry = ledger.accepted(run)
    if entry is None:
        return
    found = changes((entry.spec, json.loads(entry.plan)), plan)
    if found:
        ledger.add_entry(entry_of(plan, run.run_id, "edited", detail="\n".join(found)))
