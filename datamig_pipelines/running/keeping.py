"""Looks at the backups of a migration; needs the store, and for a proof a place to restore."""

import json
from typing import Any

from datamig_pipelines.backups import Manifest, open_store, read_manifest, verify_backup
from datamig_pipelines.backups.places import scratch_url
from datamig_pipelines.errors import BackupMissingError, DatamigError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import source_place, target_place
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps.backup import database_of, looked_at, manifests_of


def list_backups(migration: Migration) -> list[dict[str, Any]]:
    """Return the finished backups of a migration, oldest first, JSON-compatible."""
    store = open_store(migration)
    return [_facts(m, store.place(m.id)) for m in manifests_of(migration, store)]


def unreadable_backups(migration: Migration) -> list[dict[str, Any]]:
    """Return what lies among the backups of a migration and is none, and why, JSON-compatible."""
    store = open_store(migration)
    _, others = looked_at(migration, store)
    return [{"id": n, "unreadable": why, "place": store.place(n)} for n, why in others.items()]


def verify_again(migration: Migration, backup: str = "") -> dict[str, Any]:
    """Prove a backup (the newest of the target if none is named) as if it had just been written.

    Raises:
        BackupMissingError: There is no such backup.
        BackupDamagedError: It is not what was written, or does not restore to what it says.
    """
    store = open_store(migration)
    if not backup:
        own = [m.id for m in manifests_of(migration, store) if m.side == "target"]
        if not own:
            msg = f"there is no backup of {migration.name} in {migration.backup.to}"
            raise BackupMissingError(msg, hint=f"`datamig run {migration.name}` makes one.")
        backup = own[-1]
    manifest = read_manifest(store, backup, _digest_of(migration, backup))
    place = source_place(migration) if manifest.side == "source" else target_place(migration)
    database = database_of(place)
    seconds = verify_backup(store, manifest, database, scratch_url(migration, database))
    return _facts(manifest, store.place(backup)) | {"recovery_s": round(seconds, 3)}


def _digest_of(migration: Migration, backup: str) -> str:
    """Return the digest that the ledger keeps of a manifest; '' where nobody can say."""
    place = target_place(migration)
    if place.dialect.file_missing(place.url):
        return ""
    try:
        with place.open(readonly=True) as session:
            ledger = Ledger(session)
            for run in ledger.runs(migration.name):
                detail = json.loads(ledger.steps(run.run_id).get("backup", ("", ""))[1] or "{}")
                for kept in (detail, detail.get("source", {})):
                    if kept.get("backup") == backup:
                        return str(kept["manifest_sha256"])
    except DatamigError:
        return ""  # the target is gone: that is when backups are looked at
    return ""


def _facts(manifest: Manifest, place: str) -> dict[str, Any]:
    return {
        "id": manifest.id,
        "run": manifest.run,
        "side": manifest.side,
        "time": manifest.time,
        "bytes": manifest.size,
        "tables": len(manifest.state.tables),
        "verified": manifest.verified,
        "recovery_s": manifest.recovery_s,
        "tool": manifest.tool,
        "place": place,
    }
