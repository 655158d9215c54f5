"""Takes a target back by its backup: checked first, everything replaced, the state proven."""

import json
import time
from collections.abc import Generator, Iterator
from typing import Any

from datamig_pipelines.backups import (
    BackupOrder,
    Manifest,
    State,
    Store,
    bare,
    differences,
    fetched,
    observe,
    open_store,
    other_grants,
    read_manifest,
    strangers,
    write_backup,
)
from datamig_pipelines.backups.store import MANIFEST
from datamig_pipelines.errors import BackupMissingError, DatamigError, RestoreError
from datamig_pipelines.ledger import History, Ledger, RunEntry
from datamig_pipelines.running.memory import refuse_overtaken, remember_rolled_back
from datamig_pipelines.running.opening import made_by
from datamig_pipelines.running.overwriting import STAYS, Overwritten, rights_since, taken
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import STEPS, Place, StepDone
from datamig_pipelines.steps.backup import database_of, said
from datamig_pipelines.transfer import Event, Said

RESTORE = "rollback:restore"
"""The ledger's name of a restore; begun, it is the only way on."""


def kept_of(ledger: Ledger, run: RunEntry) -> dict[str, Any]:
    """Return what the ledger knows of a run's backup; {} where there is none."""
    _, detail = ledger.steps(run.run_id).get("backup", ("", ""))
    facts: dict[str, Any] = json.loads(detail or "{}")
    return facts


def restore_is_needed(ledger: Ledger, run: RunEntry) -> bool:
    """Say whether undo cannot be exact: rows went into tables of others, or a restore was begun."""
    return bool(kept_of(ledger, run).get("touched")) or restore_is_begun(ledger, run)


def restore_is_begun(ledger: Ledger, run: RunEntry) -> bool:
    """Say whether a restore of this run was begun and did not come to its end."""
    return RESTORE in ledger.steps(run.run_id)


def point_of(migration: Migration, ledger: Ledger, run: RunEntry) -> tuple[Store, Manifest]:
    """Return the store and the manifest of the state that a run can be taken back to.

    Raises:
        BackupMissingError: There was nothing to keep, or it is gone.
        BackupDamagedError: The manifest is not the one that the ledger knows.
    """
    kept, store = kept_of(ledger, run), open_store(migration)
    name = kept.get("backup")
    if name is None:
        why = kept.get("kept", "the step backup was not done")
        msg = f"there is no backup of {migration.name} to restore: {why}"
        hint = f"`datamig rollback {migration.name}` without --restore drops what the run made."
        raise BackupMissingError(msg, hint=hint)
    manifest = read_manifest(store, name, kept["manifest_sha256"])
    if manifest.what != "all":
        msg = f"the backup {name} holds some tables only, which a rollback cannot put back"
        hint = f"Restore {store.place(name)} by hand, with the engine's own tools."
        raise BackupMissingError(msg, hint=hint)
    return store, manifest


def overwritten(
    migration: Migration, place: Place, session: Session, ledger: Ledger, run: RunEntry
) -> list[Overwritten]:
    """Return every table whose rows now would be gone after a restore, and what else goes.

    Reads all tables.
    """
    _, manifest = point_of(migration, ledger, run)
    now, then = observe(database_of(place), session), manifest.state
    made = made_by(ledger, run)
    lost = [
        Overwritten(what, 0, None, made=False, since=why)
        for what, why in place.dialect.beside(session).lost
    ]
    rights = rights_since(then, now, made) if place.dialect.drops_grants else ()
    return [*taken(then, now, made), *rights, *lost]


def restore(
    migration: Migration, place: Place, session: Session, run: RunEntry, *, safety: bool
) -> Iterator[Event]:
    """Replace everything in the target by the backup, the ledger excepted, and prove it.

    Raises:
        OutOfOrderError: What another migration wrote since would be gone; nothing was touched.
        BackupMissingError, BackupDamagedError: Found before anything was touched.
        RestoreError: It was refused, or did not lead back; safe to repeat.
    """
    began = time.monotonic()
    ledger = Ledger(session)
    store, manifest = point_of(migration, ledger, run)
    begun = restore_is_begun(ledger, run)
    if not begun:
        refuse_overtaken(History(session), run)
    half = begun and not place.dialect.replaces_at_once
    kept = ""
    with fetched(store, manifest.id, manifest.files) as files:
        yield Said(f"every byte of the backup of {manifest.time} is as it was written")
        if safety and not half:
            kept = yield from _safety(migration, place, store, run)
        ledger.create(mend=True)
        ledger.end_run(run.run_id, "rolling_back")
        ledger.begin_step(run.run_id, RESTORE)
        yield Said(f"restoring {store.place(manifest.id)}")
        session.replace(files)
    yield Said("restored; comparing catalog and rows with the backup's figures")
    now = observe(database_of(place), session)
    _prove(manifest, now)
    staying = [bare(n) for n in strangers(manifest.state, now) if n.startswith(STAYS)]
    if staying:
        yield Said(f"was not there before and stays: {', '.join(staying)}")
    grants = other_grants(manifest.state, now)
    if grants:
        yield Said(f"not as before, for somebody with the rights to mend: {'; '.join(grants)}")
    remember_rolled_back(place, History(session), run)
    _close(ledger, run)
    proven = f"catalog and rows are those of the backup of {manifest.time}"
    detail = {
        "run": run.run_id,
        "proven": proven,
        "restored": store.place(manifest.id),
        "safety": kept,
        "grants that differ": grants,
        "seconds": round(time.monotonic() - began, 1),
    }
    yield StepDone("rollback", detail)


def _safety(
    migration: Migration, place: Place, store: Store, run: RunEntry
) -> Generator[Event, None, str]:
    """Keep the target as it is now, under a name that no earlier attempt has used."""
    policy = migration.backup.model_copy(update={"verify": "checksum"})
    order = BackupOrder(
        migration.model_copy(update={"backup": policy}), run.run_id, "safety", database_of(place)
    )
    while store.read(order.id, MANIFEST) is not None:
        order = order.next()
    written = yield from said(write_backup(order, store))
    yield Said(f"the target as it is now is kept in {written.place}")
    return written.place


def _prove(manifest: Manifest, now: State) -> None:
    wrong = differences(manifest.state, now)
    wrong += [
        f"{name} was not there before"
        for name in strangers(manifest.state, now)
        if not name.startswith(STAYS)
    ]
    if wrong:
        shown = "; ".join(wrong[:8]) + (" …" if len(wrong) > 8 else "")
        msg = f"the target is not as it was before: {shown}"
        hint = "Is somebody writing to it? Stop the writers and run the same rollback again."
        raise RestoreError(msg, hint=hint, where="rollback")


def _close(ledger: Ledger, run: RunEntry) -> None:
    """Write down that a run is taken back, all at once."""
    with ledger.session.transaction():
        ledger.forget_tables(run.run_id)
        steps = ledger.steps(run.run_id)
        for name in (n for n in STEPS if n in steps):
            ledger.end_step(run.run_id, name, "undone", steps[name][1])
        ledger.end_step(run.run_id, RESTORE, "done")
        ledger.end_run(run.run_id, "rolled_back")


def changed_since(migration: Migration, place: Place, session: Session, run: RunEntry) -> list[str]:
    """Return what others changed in the target since the run's backup, or why nobody can say."""
    ledger = Ledger(session)
    if "backup" not in kept_of(ledger, run):
        return []
    try:
        _, manifest = point_of(migration, ledger, run)
    except DatamigError as error:
        return [f"not compared with the backup: {error.message}"]
    return differences(manifest.state, observe(database_of(place), session))
