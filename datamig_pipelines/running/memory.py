"""Keeps what a run leaves behind: its entry in the history, and what the target held at its end."""

import json
from datetime import UTC, datetime

from datamig_pipelines.catalog import Catalog
from datamig_pipelines.errors import OutOfOrderError
from datamig_pipelines.ledger import History, HistoryEntry, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.differences import Difference
from datamig_pipelines.planning.drift import catalog_facts, drift, merged, without
from datamig_pipelines.running.changes import entry_of, settled
from datamig_pipelines.running.opening import THERE, current_run, made_by
from datamig_pipelines.spec.text import read_text
from datamig_pipelines.steps import Place


def remember_applied(plan: Plan, ledger: History) -> None:
    """Remember that a run came to its end and how long it took."""
    run = current_run(ledger, plan.context.migration.name)
    if run is not None:
        ledger.add_entry(entry_of(plan, run.run_id, "applied", seconds=_since(run.started_at)))


def remember_made(plan: Plan, ledger: History) -> None:
    """Remember what the target holds at the end of a run."""
    run = current_run(ledger, plan.context.migration.name)
    if run is not None:
        keep_catalog(plan.context.target, ledger, run.run_id, made_by(ledger, run))


def keep_catalog(place: Place, ledger: History, run_id: str, own: frozenset[str]) -> None:
    """Remember the objects of a run as they are; those of others stay as they were remembered."""
    before = ledger.catalog(place.schema)
    now = catalog_facts(place.catalog(ledger.session))
    facts = merged(before[1] if before else None, now, own, _there(ledger, run_id))
    ledger.keep_catalog(run_id, place.schema, facts)


def _there(ledger: History, run_id: str) -> list[str]:
    _, detail = ledger.steps(run_id).get(THERE, ("", ""))
    return list(json.loads(detail or "[]"))


def remember_rolled_back(place: Place, ledger: History, run: RunEntry) -> None:
    """Remember that a run was taken back; its objects are not expected in the target any more."""
    before = ledger.catalog(place.schema)
    if before:
        own = without(before[1], made_by(ledger, run))
        ledger.keep_catalog(run.run_id, place.schema, own)
    ledger.create()  # an older version may have made this ledger without a history
    told = [e for e in ledger.entries(run.migration) if e.run_id == run.run_id]
    if not any(e.event == "rolled back" for e in told):  # else it was killed right behind it
        ledger.add_entry(HistoryEntry(run.run_id, run.migration, "rolled back", who=whoami()))


def drift_in(
    here: Catalog, place: Place, ledger: History, runs: list[RunEntry]
) -> list[Difference]:
    """Return what others changed in the target since what was remembered last.

    What a run that is under way made so far is its own affair; ``runs`` are the migration's.
    """
    kept = ledger.catalog(place.schema)
    if kept is None:
        return []
    run_id, facts = kept
    own: frozenset[str] = frozenset()
    if runs and runs[-1].run_id != run_id and runs[-1].status not in ("done", "rolled_back"):
        own = made_by(ledger, runs[-1])
    return drift(facts, catalog_facts(here), own)


def expected(ledger: History) -> frozenset[str]:
    """Return the tables and views of the target that migrations made, or found by a baseline."""
    names: set[str] = set()
    for migration in {run.migration for run in ledger.all_runs()}:
        run = current_run(ledger, migration)
        if run is None:
            continue
        names |= made_by(ledger, run)
        entry = settled(ledger, run)
        if entry is not None and entry.event == "baseline":
            names |= set(entry.detail.split("\n"))
    return frozenset(names)


def refuse_followed(ledger: History, migration: str) -> None:
    """Raise OutOfOrderError if a migration that comes after this one is applied or begun."""
    for name in sorted({run.migration for run in ledger.all_runs()} - {migration}):
        run = current_run(ledger, name)
        entry = ledger.accepted(run) if run else None
        if entry is not None and read_text(entry.spec).get("after") == migration:
            msg = f"{name} comes after {migration} and is in the target"
            hint = f"Take it back first: `datamig rollback {name}`, in Dagster job {name}_rollback."
            raise OutOfOrderError(msg, hint=hint)


def refuse_overtaken(ledger: History, run: RunEntry) -> None:
    """Raise OutOfOrderError if another migration wrote to the target since a run's backup.

    A restore would take its tables away, and the ledger would go on calling it applied.
    """
    for name in sorted({r.migration for r in ledger.all_runs()} - {run.migration}):
        other = current_run(ledger, name)
        if other is None or (other.finished_at and other.finished_at < run.started_at):
            continue
        msg = f"{name} wrote to the target since {run.migration} began: a restore would undo it too"
        hint = f"Take it back first: `datamig rollback {name}`, in Dagster job {name}_rollback."
        raise OutOfOrderError(msg, hint=hint)


def _since(started_at: str) -> float:
    began = datetime.fromisoformat(started_at)
    return max(0.0, round((datetime.now(UTC) - began).total_seconds(), 3))
