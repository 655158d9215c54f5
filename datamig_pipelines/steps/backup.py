"""Keeps the target as it was, and restores the copy to prove it."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from typing_extensions import override

from datamig_pipelines.catalog import Catalog, Table
from datamig_pipelines.dialects import Statement
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.reading import Compared, Fingerprint
from datamig_pipelines.errors import BackupError, DatamigError, DiskFullError, PermissionDeniedError
from datamig_pipelines.session import Session
from datamig_pipelines.steps.base import Context, Place, Step, StepDone
from datamig_pipelines.transfer import Event, Said

_NO_SPACE = 28  # errno ENOSPC


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
        """Write, checksum and verify a backup of the target.

        Raises:
            BackupError: It could not be written or restored, or the restored copy differs.
            PermissionDeniedError: The folder cannot be written.
            DiskFullError: The folder is full.
        """
        place = _everything(context.target)
        before = place.catalog(session)
        if not (before.tables or before.views):
            yield StepDone(
                self.name, {"kept": "nothing: the target was empty", "catalog": names_of(before)}
            )
            return
        folder = _folder(context)
        began = time.monotonic()
        files = _written(folder, lambda: place.dialect.dump(place.url, place.schema, folder))
        fingerprints = _fingerprints(session, before)
        sums = {str(f.relative_to(folder)): _sha256(f) for f in files}
        manifest = {
            "engine": before.engine,
            "version": before.version,
            "files": sums,
            "tables": fingerprints,
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
        yield Said(f"backup of {len(before.tables)} tables in {folder}")
        _check_files(folder, sums, context.migration.backup.verify)
        restored_s = None
        if context.migration.backup.verify == "restore":
            restored_s = _verify(place, folder, files, fingerprints)
            yield Said(f"restored and compared in {restored_s:.1f} s")
        yield StepDone(
            self.name,
            {
                "folder": str(folder),
                "seconds": round(time.monotonic() - began, 1),
                "restored_s": restored_s,
                "verified": context.migration.backup.verify,
                "catalog": names_of(before),
            },
        )

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Keep the backup."""
        yield StepDone(self.name)


def _folder(context: Context) -> Path:
    """Return where this run's backup goes."""
    migration = context.migration
    return migration.path(migration.backup.to) / f"{migration.name}-{context.run_id}"


def names_of(catalog: Catalog) -> list[str]:
    """Return the names of what a catalog holds, sorted: how two states of a target are compared."""
    tables = [f"table {t.name}" for t in catalog.tables]
    # What goes with a table, and what stays because others may use it by now, is not looked at.
    objects = [str(o) for o in catalog.objects if o.drop and o.kind != "extension"]
    return sorted([*tables, *(f"view {v.name}" for v in catalog.views), *objects])


def _everything(target: Place) -> Place:
    return Place(target.dialect, target.url, "*" if target.dialect.can.schemas else "")


def _written(folder: Path, dump: Callable[[], list[Path]]) -> list[Path]:
    """Return the files of a dump; what a killed or failed one leaves there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        return dump()
    except DatamigError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        kind = DiskFullError if error.errno == _NO_SPACE else PermissionDeniedError
        msg = f"the backup folder {folder} cannot be written: {error.strerror}"
        raise kind(msg, hint="Name another folder in backup.to, or make room there.") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _check_files(folder: Path, sums: dict[str, str], verify: str) -> None:
    """Read the files back. Raises BackupError if one is not what was written."""
    broken = [n for n, digest in sums.items() if verify != "none" and _sha256(folder / n) != digest]
    if broken:
        msg = f"the backup files {', '.join(broken)} cannot be read back as they were written"
        raise BackupError(
            msg, hint=f"Look at the disk below {folder}, and run again.", where="backup"
        )


def _fingerprints(session: Session, catalog: Catalog) -> dict[str, dict[str, int]]:
    return {str(t.name): asdict(_fingerprint(session, t)) for t in catalog.tables}


def _fingerprint(session: Session, table: Table) -> Fingerprint:
    columns = [
        Compared(session.dialect.quote(c.name), c.type, family(c.type)) for c in table.columns
    ]
    return session.fingerprint(session.dialect.table(table.name), columns)


def _verify(
    place: Place, folder: Path, files: list[Path], expected: dict[str, dict[str, int]]
) -> float:
    began = time.monotonic()
    with place.dialect.scratch(place.url, folder) as url:
        place.dialect.restore(url, files)
        scratch = Place(place.dialect, url, place.schema)
        with scratch.open(readonly=True) as session:
            found = _fingerprints(session, scratch.catalog(session))
    if found != expected:
        wrong = sorted({n for n in {*found, *expected} if found.get(n) != expected.get(n)})
        msg = f"the restored backup differs from the target in {', '.join(wrong)}"
        hint = (
            f"Do not rely on {folder}. Was the target written to meanwhile? "
            "Stop its writers, run again."
        )
        raise BackupError(msg, hint=hint, where="backup")
    return time.monotonic() - began
