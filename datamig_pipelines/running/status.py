"""Tells what the ledger of a target knows about a migration; only reads, never asks the source."""

from dataclasses import asdict
from typing import Any

from datamig_pipelines.errors import SpecError
from datamig_pipelines.expectations import docs_index, verdicts
from datamig_pipelines.ledger import History, TableState
from datamig_pipelines.running.line import standing, without_file
from datamig_pipelines.running.memory import drift_in
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.running.proven import last_rehearsal, unreadable
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps.report import causes, left_out
from datamig_pipelines.transfer.pace import control_of


def status(migration: Migration) -> dict[str, Any]:
    """Return runs, steps, tables, proofs and rejects of a migration, JSON-compatible."""
    place = target_place(migration)
    found: dict[str, Any] = {"migration": migration.name, "target": str(place), "runs": []}
    found |= _line(migration)
    found |= _suites(migration)
    found["unreadable"] = unreadable(migration)
    if place.dialect.file_missing(place.url):
        return found | {"rehearsal": last_rehearsal(migration, None)}
    with place.open(readonly=True) as session:
        ledger = History(session)
        runs = ledger.runs(migration.name)
        found["rehearsal"] = last_rehearsal(migration, ledger)
        found["runs"] = [r.__dict__ for r in runs]
        found["without_file"] = [v.__dict__ for v in without_file(migration, ledger)]
        found["drift"] = [str(d) for d in drift_in(place.catalog(session), place, ledger, runs)]
        if not runs:
            return found
        word = control_of(migration, place.dialect, session).last()
        found["paused"] = {"who": word.who, "at": word.at} if word and word.paused else None
        run_id = runs[-1].run_id
        found["left_out"] = left_out(ledger.steps(run_id))
        found["steps"] = {n: s for n, (s, _) in ledger.steps(run_id).items() if ":" not in n}
        states = ledger.table_states(run_id, ledger.begun_tables(run_id))
        found["tables"] = {name: _state(state) for name, state in states.items()}
        found["proofs"] = [p.__dict__ for p in ledger.proofs(run_id)]
        found["causes"] = causes(ledger, run_id)
        found["rejects"] = [r.__dict__ for _, r in ledger.rejects(run_id)]
    return found


def _line(migration: Migration) -> dict[str, Any]:
    """Return the line of the migration; a file of it that is wrong does not hide the rest."""
    try:
        return {"line": [v.__dict__ for v in standing(migration)]}
    except SpecError as error:
        return {"line": [], "line_error": str(error)}


def _suites(migration: Migration) -> dict[str, Any]:
    """Return the newest verdict of each suite, also of those that let no run begin."""
    index = docs_index(migration)
    return {
        "suites": [asdict(v) for v in verdicts(migration)],
        "data_docs": str(index) if index else None,
    }


def _state(state: TableState) -> dict[str, Any]:
    return {
        "done": state.done,
        "batches": state.batches,
        "read": state.rows_read,
        "loaded": state.rows_loaded,
        "rejected": state.rows_rejected,
        "filtered": state.rows_filtered,
    }
