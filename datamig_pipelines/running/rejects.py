"""Shows the rows that the target refused, and tries them again after something was mended."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from datamig_pipelines.errors import DatamigError, LedgerError, RejectsError, SpecError, StepError
from datamig_pipelines.ledger import History, Ledger, Reject, RunEntry
from datamig_pipelines.planning import Plan
from datamig_pipelines.running.opening import current_run, opened, target_place
from datamig_pipelines.running.run import check_rejects, finish_run
from datamig_pipelines.running.watch import tell
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import STEPS, Context
from datamig_pipelines.steps.validate import judge, prove
from datamig_pipelines.transfer import Event, Said
from datamig_pipelines.transfer.events import Replayed
from datamig_pipelines.transfer.second_try import TableReplay


def rejects(migration: Migration, table: str = "") -> dict[str, Any]:
    """Return the rejects of the run that counts, and how many have which reason; only reads.

    Raises:
        LedgerError: There is no run.
    """
    place = target_place(migration)
    with place.open(readonly=True) as session:
        ledger = Ledger(session)
        run = _run(ledger, migration)
        found = [(at, r) for at, r in ledger.rejects(run.run_id) if not table or _is(r, table)]
    reasons = Counter((r.table, r.code, r.reason) for _, r in found)
    return {
        "migration": migration.name,
        "run": run.run_id,
        "total": len(found),
        "reasons": [
            {"table": t, "code": code, "reason": reason, "rows": count}
            for (t, code, reason), count in reasons.most_common()
        ],
        "rejects": [_shown(at, r) for at, r in found],
    }


def replay(migration: Migration, table: str = "") -> Iterator[Event]:
    """Read rejected rows again from the source, load those that the target takes now, prove again.

    Yields a `Replayed` per row. The plan must be the one of the run: a mend of the file that
    changes it needs a new run.

    Raises:
        LedgerError: There is no run.
        RejectsError: Rows are left that the spec does not allow.
        StepError: No row is left, but the run was stopped before its end and has to go on.
        ProofFailedError: Source and target differ.
    """
    with target_place(migration).open(readonly=True) as session:
        before = _run(Ledger(session), migration)
    with opened(migration) as (plan, session):
        ledger = Ledger(session)
        try:
            yield from _replayed(plan, session, ledger, table)
        except DatamigError as error:
            ledger.end_run(before.run_id, "failed", str(error))
            raise


def _replayed(plan: Plan, session: Session, ledger: Ledger, table: str) -> Iterator[Event]:
    context = plan.context
    found = [r for _, r in ledger.rejects(context.run_id) if not table or _is(r, table)]
    left = 0
    for event in _tried(context, session, found):
        left += isinstance(event, Replayed) and not event.loaded
        yield tell(event)
    yield tell(Said(f"{len(found) - left:,} of {len(found):,} rejected rows are loaded now"))
    touched = tuple(sorted({r.table for r in found}))
    yield from _proven(replace(context, launch=Launch(tables=touched)), session, touched)
    done = {name for name, (state, _) in ledger.steps(context.run_id).items() if state == "done"}
    if not set(STEPS) <= done:
        if left:
            msg = f"{left} of {len(found)} rows were refused again"
            raise RejectsError(msg, hint=f"`datamig rejects list {context.migration.name}`")
        raise StepError(
            "no reject is left, but the run itself is not finished",
            hint=f"`datamig run {context.migration.name}` goes on with it.",
        )
    for event in STEPS["report"].run(context, session):
        yield tell(event)
    judge(ledger, context.run_id)
    check_rejects(plan, ledger)
    finish_run(plan, History(session))


def _tried(context: Context, session: Session, found: Sequence[Reject]) -> Iterator[Event]:
    if not found:
        return
    readers, _ = open_readers(context.source.dialect, context.source.url, 1)
    try:
        for route in context.routes:
            own = [r for r in found if r.table == route.name]
            yield from TableReplay(route, context.run_id, readers[0], session).run(own)
    finally:
        for reader in readers:
            reader.close()


def _proven(context: Context, session: Session, touched: Sequence[str]) -> Iterator[Event]:
    """Take the proofs of these tables again, as far as the run has come."""
    ledger = Ledger(session)
    ready = tuple(t for t in touched if ledger.table_state(context.run_id, t).done)
    if not ready:
        return
    context = replace(context, launch=Launch(tables=ready))
    for result in prove(context, session, after_load=True):
        yield tell(result)
    if ledger.steps(context.run_id).get("validate", ("",))[0] == "done":
        for result in prove(context, session, after_load=False):
            yield tell(result)


def _run(ledger: Ledger, migration: Migration) -> RunEntry:
    run = current_run(ledger, migration.name)
    if run is None:
        msg = f"there is no run of {migration.name}, so nothing was rejected"
        raise LedgerError(msg, hint=f"`datamig status {migration.name}` shows its runs.")
    return run


def check_table(migration: Migration, table: str) -> None:
    """Raise SpecError if the run has no table of that name."""
    with target_place(migration).open(readonly=True) as session:
        ledger = Ledger(session)
        names = ledger.begun_tables(_run(ledger, migration).run_id)
    if not any(table in (name, name.rpartition(".")[2]) for name in names):
        hint = f"It has {', '.join(names) or 'none'}."
        raise SpecError(f"the run has no table {table!r}", hint=hint)


def _is(reject: Reject, table: str) -> bool:
    return table in (reject.table, reject.table.rpartition(".")[2])


def _shown(at: str, reject: Reject) -> dict[str, Any]:
    return {
        "table": reject.table,
        "key": json.loads(reject.row_key),
        "code": reject.code,
        "reason": reject.reason,
        "hint": reject.hint,
        "values": json.loads(reject.row_values),
        "at": at,
    }
