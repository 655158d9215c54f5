"""Says what the step backup will do, in the sentences of the plan."""

from collections.abc import Iterator
from dataclasses import replace

from datamig_pipelines.backups import Database
from datamig_pipelines.catalog import Catalog
from datamig_pipelines.spec import Backup


def backup_notes(
    policy: Backup, whole: Catalog, owned: frozenset[str], target: Database
) -> Iterator[str]:
    """Yield what is kept, where, and how it is proven; nothing for a target that is empty.

    ``whole`` is what the target holds in all its schemas.
    """
    there = [t for t in whole.tables if str(t.name) not in owned]
    if there and policy.what == "all":
        count, size = len(there), target.size(replace(whole, tables=tuple(there)))
        yield f"backup of the target ({count} tables, {_mega(size)}) to {policy.to}"
        yield _proof(policy, size)
    if policy.what == "tables":
        yield (
            "backup: of the tables that are written to only; a run makes all of these itself, so "
            "nothing of the target is kept, and the only way back is undo"
        )
        if target.dialect.dumps_whole:
            yield f"backup: {target.dialect.label} is one file, so all of it is kept"
    if policy.source:
        yield f"backup of the source to {policy.to}"
    if policy.keep or policy.keep_days:
        kept = [f"the newest {policy.keep}"] if policy.keep else []
        kept += [f"those of {policy.keep_days} days"] if policy.keep_days else []
        yield f"backup: kept are {' and '.join(kept)}; older ones of finished runs are deleted"


def _proof(policy: Backup, size: int) -> str:
    if policy.verify == "restore" and size > policy.verify_restore_max_bytes:
        limit = _mega(policy.verify_restore_max_bytes)
        return (
            f"backup: verified by checksum only, NOT by a restore: {_mega(size)} are more than "
            f"verify_restore_max_bytes ({limit})"
        )
    if policy.verify == "restore":
        return "backup: verified by a restore into a scratch database"
    if policy.verify == "checksum":
        return "backup: verified by checksum only, as the spec says"
    return "backup: NOT verified, as the spec says"


def _mega(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
