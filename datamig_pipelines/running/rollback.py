"""Takes a migration back, by the ledger and the target's catalog; the source is not asked."""

import json
from collections.abc import Callable, Iterator

from datamig_pipelines.catalog import Table, View
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.errors import DatamigError, LedgerError
from datamig_pipelines.ledger import History, Ledger, RunEntry
from datamig_pipelines.planning.order import parents_first
from datamig_pipelines.running.foreseeing import (
    Foreseen,
    Loss,
    Prospect,
    losses_of,
    made_tables,
    prospect_of,
    refuse,
)
from datamig_pipelines.running.memory import refuse_followed, remember_rolled_back
from datamig_pipelines.running.opening import (
    current_run,
    everything,
    made_by,
    open_locked,
    target_place,
)
from datamig_pipelines.running.overwriting import Overwritten
from datamig_pipelines.running.restoring import (
    changed_since,
    overwritten,
    restore,
    restore_is_begun,
    restore_is_needed,
)
from datamig_pipelines.running.watch import tell
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import STEPS, Context, Place, StepDone
from datamig_pipelines.steps.backup import names_of
from datamig_pipelines.transfer import Event, Route, Said

Witness = Callable[[str, Session], None]
"""Called with each step that was undone, and the session that sees the target as it is then."""


def losses(migration: Migration) -> list[Loss]:
    """Return what a rollback would remove. Raises LedgerError if there is nothing to take back."""
    place = target_place(migration)
    with place.open(readonly=True) as session:
        run = _run(Ledger(session), migration)
        return losses_of(place, session, run, values=True)


def foresee(migration: Migration, *, by_restore: bool = False) -> Prospect:
    """Return what a rollback will do, and what it takes. Raises what `roll_back` raises."""
    place = target_place(migration)
    with place.open(readonly=True) as session:
        run = _run(Ledger(session), migration)
        return prospect_of(migration, place, session, run, by_restore=by_restore)


def overwrites(migration: Migration) -> list[Overwritten]:
    """Return what a restore would overwrite. Raises LedgerError, BackupError as `roll_back`."""
    place = target_place(migration)
    with place.open(readonly=True) as session:
        ledger = Ledger(session)
        return overwritten(migration, place, session, ledger, _run(ledger, migration))


def needs_restore(migration: Migration) -> bool:
    """Say whether a rollback has to restore the backup, because undo would not be exact."""
    with target_place(migration).open(readonly=True) as session:
        ledger = Ledger(session)
        return restore_is_needed(ledger, _run(ledger, migration))


def roll_back(
    migration: Migration,
    *,
    by_restore: bool = False,
    fallback: bool = False,
    safety: bool = True,
    lossless: bool = False,
    witness: Witness | None = None,
) -> Iterator[Event]:
    """Take the last run of a migration back, prove the original state, and say so.

    Undo, newest step first, where that is exact; else, or with ``by_restore``, the backup is
    restored over everything in the target but the ledger. ``fallback`` restores as well where undo
    fails. ``safety`` keeps the target as it is before a restore. With ``lossless`` nothing is done
    if something would go that the run did not bring. Safe to repeat: a rollback that was killed
    goes on. ``witness`` looks on where nothing is restored.

    Raises:
        LossesError: ``lossless``, and something would go; nothing was touched.
        LedgerError: There is nothing to take back, or the original state is not reached.
        BackupError: A restore is needed, and there is no whole backup, or it is refused.
    """
    place = target_place(migration)
    with open_locked(place) as session:
        ledger = Ledger(session)
        run = _run(ledger, migration)
        half = restore_is_begun(ledger, run) and not place.dialect.replaces_at_once
        if lossless and not half:  # of a restore that was begun there is nothing left to lose
            found = prospect_of(migration, place, session, run, by_restore=by_restore)
            yield tell(Foreseen(found))
            refuse(migration, found)
        if by_restore or restore_is_needed(ledger, run):
            events = restore(migration, place, session, run, safety=safety)
        elif fallback:
            events = _undone_or_restored(migration, place, session, run)
        else:
            events = _undone(migration, place, session, run, witness)
        for event in events:
            yield tell(event)


def _undone_or_restored(
    migration: Migration, place: Place, session: Session, run: RunEntry
) -> Iterator[Event]:
    try:
        yield from _undone(migration, place, session, run)
    except DatamigError as error:
        yield Said(f"undo stopped ({error.message}), so the backup is restored")
        for one in overwritten(migration, place, session, Ledger(session), run):
            yield Said(f"the restore overwrites {one.table}: {one.told}")
        yield from restore(migration, place, session, run, safety=True)


def _undone(
    migration: Migration,
    place: Place,
    session: Session,
    run: RunEntry,
    witness: Witness | None = None,
) -> Iterator[Event]:
    ledger = Ledger(session)
    ledger.create(mend=True)
    ledger.end_run(run.run_id, "rolling_back")
    context = _context(migration, place, session, ledger, run)
    for name in reversed(STEPS):
        if ledger.steps(run.run_id).get(name):
            yield from _undo(name, context, session)
            ledger.end_step(run.run_id, name, "undone", ledger.steps(run.run_id)[name][1])
            if witness:
                witness(name, session)
    since = _prove(place, session, ledger, run)
    changed = changed_since(migration, place, session, run)
    remember_rolled_back(place, History(session), run)
    with session.transaction():
        ledger.forget_tables(run.run_id)
        ledger.end_run(run.run_id, "rolled_back")
    detail = {
        "run": run.run_id,
        "proven": "what the run made is gone, what was there before is there",
        "made by others since": since,
        "changed by others since": changed,
    }
    yield StepDone("rollback", detail)


def _undo(name: str, context: Context, session: Session) -> Iterator[Event]:
    try:
        yield from STEPS[name].undo(context, session)
    except DatamigError as error:
        if not error.retryable:
            error.hint += (
                f" Or bring the backup back: `datamig rollback {context.migration.name} --restore`."
            )
        raise error.at(f"rollback/{name}")  # noqa: B904 (the same error)


def _run(ledger: Ledger, migration: Migration) -> RunEntry:
    run = current_run(ledger, migration.name)
    if run is None:
        msg = f"there is no run of {migration.name} to take back"
        raise LedgerError(msg, hint=f"`datamig history {migration.name}` tells what was.")
    refuse_followed(History(ledger.session), migration.name)
    return run


def _context(
    migration: Migration, place: Place, session: Session, ledger: Ledger, run: RunEntry
) -> Context:
    tables = {t.name: t for t in made_tables(place, session, ledger, run)}
    parents = {name: [k.target for k in t.foreign_keys] for name, t in tables.items()}
    order, _ = parents_first(list(tables), parents)
    made = made_by(ledger, run)
    catalog = everything(place).catalog(session)
    views = [v for v in catalog.views if str(v.name) in made]
    return Context(
        migration,
        Launch(),
        run.run_id,
        place,
        place,
        tuple(_route(tables[n]) for n in order),
        tuple(View(v.name, v.sql, v.materialized) for v in views),
        objects=tuple(o for o in catalog.objects if str(o) in made),
    )


def _route(table: Table) -> Route:
    return Route(table, table, (), Wire.CELLS, Wire.CELLS, (), (), "", 1)


def _taken_back_since(ledger: Ledger, run: RunEntry) -> set[str]:
    """Return what other runs had made, and rollbacks of theirs removed since this run began."""
    others = [r for r in ledger.all_runs() if r.status == "rolled_back"]
    since = [r for r in others if (r.finished_at or "") > run.started_at]
    return {name for other in since for name in made_by(ledger, other)}


def _prove(place: Place, session: Session, ledger: Ledger, run: RunEntry) -> list[str]:
    """Return what others made since the run began. Raises LedgerError if the way back has a gap."""
    _, detail = ledger.steps(run.run_id).get("backup", ("", ""))
    before = json.loads(detail or "{}").get("catalog")
    if before is None:
        return []
    after = names_of(everything(place).catalog(session))
    made = made_by(ledger, run)
    new = [name for name in after if name not in before]
    left = [name for name in new if {name, name.partition(" ")[2]} & made]
    went = _taken_back_since(ledger, run)
    gone = [name for name in before if name not in after]
    missing = [name for name in gone if not {name, name.partition(" ")[2]} & went]
    if left or missing:
        msg = f"the target is not as it was before: {', '.join([*left, *missing])}"
        hint = "Somebody else changed it meanwhile, or a drop was refused. Look at these objects."
        raise LedgerError(msg, hint=hint, where="rollback")
    return [name for name in new if name not in left]
