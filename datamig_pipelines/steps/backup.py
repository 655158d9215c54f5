"""Keeps the target as it was, and restores the copy to prove it."""

import re
import time
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

from typing_extensions import override

from datamig_pipelines.backups import (
    BackupOrder,
    Database,
    Manifest,
    Store,
    Written,
    expired,
    open_store,
    read_manifest,
    write_backup,
)
from datamig_pipelines.catalog import Catalog, TableName
from datamig_pipelines.dialects import Statement
from datamig_pipelines.errors import BackupDamagedError, BackupMissingError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps.base import Context, Place, Step, StepDone
from datamig_pipelines.transfer import Event, Said

T = TypeVar("T")


class Backup(Step):
    """Dumps the target with its engine's own tool; an empty target is noted as empty."""

    name = "backup"
    does = "dumps the target as it is, and restores the dump into a scratch database to prove it"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return nothing: the target is only read."""
        return []

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Write, checksum and verify a backup of the target, and of the source where asked.

        Raises:
            BackupError: It could not be written or restored, or the restored copy differs.
            PermissionDeniedError: The folder cannot be written.
            DiskFullError: The folder is full.
        """
        began = time.monotonic()
        migration, store = context.migration, open_store(context.migration)
        before = database_of(context.target).catalog(session)
        touched = _touched(context, before)
        detail: dict[str, Any] = {
            "catalog": names_of(before),
            "touched": [str(name) for name in touched],
        }
        if nothing := _nothing_to_keep(migration, before, touched):
            detail["kept"] = nothing
        else:
            only = touched if migration.backup.what == "tables" else None
            written = yield from _written(context, "target", context.target, only)
            detail |= facts_of(written)
        if migration.backup.source:
            names = tuple(r.source.name for r in context.routes)
            only = names if migration.backup.what == "tables" else None
            written = yield from _written(context, "source", context.source, only)
            detail["source"] = facts_of(written)
        detail["deleted"] = yield from _deleted(context, Ledger(session), store)
        detail["seconds"] = round(time.monotonic() - began, 1)
        yield StepDone(self.name, detail)

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Keep the backup."""
        yield StepDone(self.name)


def database_of(place: Place) -> Database:
    """Return the whole database of a place: a backup knows no smaller unit."""
    return Database(place.dialect, place.url)


def names_of(catalog: Catalog) -> list[str]:
    """Return the names of what a catalog holds, sorted: how two states of a target are compared."""
    tables = [f"table {t.name}" for t in catalog.tables]
    # What goes with a table, and what stays because others may use it by now, is not looked at.
    objects = [str(o) for o in catalog.objects if o.drop and o.kind != "extension"]
    return sorted([*tables, *(f"view {v.name}" for v in catalog.views), *objects])


def facts_of(written: Written) -> dict[str, Any]:
    """Return what the ledger and Dagster show of a backup."""
    manifest = written.manifest
    return {
        "backup": manifest.id,
        "folder": written.place,
        "bytes": manifest.size,
        "verified": manifest.verified,
        "recovery_s": manifest.recovery_s,
        "manifest_sha256": written.digest,
    }


def said(sentences: Generator[str, None, T]) -> Generator[Event, None, T]:
    """Pass on sentences as events, and what they come to."""
    while True:
        try:
            sentence = next(sentences)
        except StopIteration as end:
            value: T = end.value
            return value
        yield Said(sentence)


def manifests_of(migration: Migration, store: Store) -> list[Manifest]:
    """Return the finished backups of a migration, oldest first."""
    return looked_at(migration, store)[0]


def looked_at(migration: Migration, store: Store) -> tuple[list[Manifest], dict[str, str]]:
    """Return the finished backups of a migration, oldest first, and why the others are none."""
    found, others = [], {}
    own = re.compile(rf"{re.escape(migration.name)}-[0-9a-f]+(?:-source|-safety)?(?:-\d+)?")
    for name in filter(own.fullmatch, store.backups()):
        try:
            found.append(read_manifest(store, name))
        except BackupMissingError:
            others[name] = "it has no manifest: it is being made, or was cut off, or lost it"
        except BackupDamagedError as error:
            others[name] = error.message
    return sorted(found, key=lambda m: (m.time, m.id)), others


def _written(
    context: Context, side: str, place: Place, only: tuple[TableName, ...] | None
) -> Generator[Event, None, Written]:
    order = BackupOrder(context.migration, context.run_id, side, database_of(place), only)
    return (yield from said(write_backup(order, open_store(context.migration))))


def _touched(context: Context, before: Catalog) -> tuple[TableName, ...]:
    """Return the tables that were there before and that rows will be written to."""
    there = {t.name for t in before.tables}
    return tuple(r.target.name for r in context.routes if r.target.name in there)


def _nothing_to_keep(migration: Migration, before: Catalog, touched: tuple[TableName, ...]) -> str:
    if not (before.tables or before.views):
        return "nothing: the target was empty"
    if migration.backup.what == "tables" and not touched:
        return "nothing: none of the tables that are written to was there"
    return ""


def _deleted(context: Context, ledger: Ledger, store: Store) -> Generator[Event, None, list[str]]:
    """Delete what the policy no longer keeps, and say so."""
    migration = context.migration
    if migration.backup.keep is None and migration.backup.keep_days is None:
        return []
    ended = {"done", "rolled_back"}
    finished = {r.run_id for r in ledger.runs(migration.name) if r.status in ended}
    gone = expired(migration.backup, manifests_of(migration, store), finished - {context.run_id})
    for manifest in gone:
        store.remove(manifest.id)
        yield Said(f"deleted the backup {manifest.id} of {manifest.time}, as the policy says")
    return [m.id for m in gone]
