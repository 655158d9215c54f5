"""What was applied to a target, from which file and plan, by whom; and saying that it stands."""

from typing import Any

from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import History, HistoryEntry, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.planning.drift import catalog_facts
from datamig_pipelines.running.changes import changed_since, entry_of, settled
from datamig_pipelines.running.memory import drift_in
from datamig_pipelines.running.opening import current_run, looked, open_locked, target_place
from datamig_pipelines.spec import Migration
from datamig_pipelines.spec.text import spec_text, text_changes


def history(migration: Migration) -> dict[str, Any]:
    """Return every run of a migration with checksums, people, times and results; only reads.

    Rows of runs that were taken back stay. The checksums are of what the run stands for now; those
    of each time are among ``events``. ``given_by`` of an approval is who gave it, as far as machine
    and database know, beside the name in which it was given. ``edited`` are the lines of the file
    that differ from what the current run stands for; the source is not asked.
    """
    place = target_place(migration)
    found: dict[str, Any] = {"migration": migration.name, "target": str(place), "runs": []}
    found |= {"approvals": [], "edited": []}
    if place.dialect.file_missing(place.url):
        return found
    with place.open(readonly=True) as session:
        ledger = History(session)
        entries = ledger.entries(migration.name)
        found["runs"] = [_told(run, entries, ledger) for run in ledger.runs(migration.name)]
        given = {e.happened_at: e.detail for e in entries if e.event == "approved"}
        found["approvals"] = [
            {**a.__dict__, "given_by": given.get(a.approved_at, "")}
            for a in ledger.approvals(migration.name)
        ]
        run = current_run(ledger, migration.name)
        entry = ledger.accepted(run) if run else None
        if entry is not None:
            found["edited"] = text_changes(entry.spec, spec_text(migration))
    return found


def _told(run: RunEntry, entries: list[HistoryEntry], ledger: History) -> dict[str, Any]:
    own = [e for e in entries if e.run_id == run.run_id]
    said = [e for e in own if e.plan_sum]
    applied = next((e for e in own if e.event in ("applied", "baseline")), None)
    stands = settled(ledger, run)
    ended = "applied" if run.status == "done" else run.status.replace("_", " ")
    return {
        "run_id": run.run_id,
        "result": stands.event if stands else ended,
        "spec_sum": said[-1].spec_sum if said else "",
        "plan_sum": said[-1].plan_sum if said else run.fingerprint,
        "who": run.who,
        "started_at": run.started_at,
        "applied_at": applied.happened_at if applied else None,
        "seconds": applied.seconds if applied else None,
        "spec": said[-1].spec if said else "",
        "detail": run.detail,
        "events": [
            {
                "event": e.event,
                "who": e.who,
                "happened_at": e.happened_at,
                "spec_sum": e.spec_sum,
                "plan_sum": e.plan_sum,
                "detail": e.detail,
            }
            for e in own
        ],
    }


def acknowledge(migration: Migration) -> list[str]:
    """Write down that the edited file is the same migration as the one that was applied.

    What was applied stands as it is: until it is taken back, nothing is run for it any more.
    Returns what was changed.

    Raises:
        LedgerError: It is not applied, or nothing was changed.
    """
    with looked(migration) as found:
        run = found.run
        if found.ledger is None or run is None or run.status != "done":
            msg = f"{migration.name} is not applied, so there is nothing to acknowledge"
            hint = f"`datamig run {migration.name}`; a run that was only begun is taken back first."
            raise LedgerError(msg, hint=hint)
        changed = changed_since(found.plan, found.ledger, run)
        if not changed:
            msg = f"the plan of {migration.name} is the one that was applied"
            raise LedgerError(msg, hint="There is nothing to acknowledge; `--drift` is for drift.")
    with open_locked(target_place(migration)) as session:
        ledger = History(session)
        ledger.create()
        text = "\n".join(changed)
        ledger.add_entry(entry_of(found.plan, run.run_id, "acknowledged", detail=text))
    return changed


def acknowledge_drift(migration: Migration) -> list[str]:
    """Write down that the target is as it should be now; the source is not asked.

    Returns what others had changed.

    Raises:
        LedgerError: There is no drift.
    """
    place = target_place(migration)
    with open_locked(place) as session:
        ledger = History(session)
        here = place.catalog(session)
        runs = ledger.runs(migration.name)
        found = [str(d) for d in drift_in(here, place, ledger, runs)]
        kept = ledger.catalog(place.schema)
        if not found or kept is None:
            msg = "the target is as it was at the end of the last run"
            raise LedgerError(msg, hint="There is no drift to acknowledge.")
        ledger.keep_catalog(kept[0], place.schema, catalog_facts(here))
        run_id = runs[-1].run_id if runs else kept[0]
        ledger.add_entry(
            HistoryEntry(
                run_id,
                migration.name,
                "acknowledged drift",
                who=whoami(),
                detail="\n".join(found),
            )
        )
    return found
