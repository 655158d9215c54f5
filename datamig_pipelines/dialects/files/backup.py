"""Backups of a folder of ours: its ledger as DuckDB copies it, the files as they are."""

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.duckdb import backup as duckdb_backup
from datamig_pipelines.dialects.files.folder import LEDGER_FILE, OWN, path_of, remove
from datamig_pipelines.errors import BackupError


def dump(url: URL, folder: Path) -> list[Path]:
    """Copy everything in the folder into ``folder``; what the ledger does not know, too."""
    source = path_of(url)
    (folder / OWN).mkdir(parents=True)
    ledger = URL.create("duckdb", database=str(source / OWN / LEDGER_FILE))
    written = duckdb_backup.dump(ledger, folder / OWN)
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        relative = path.relative_to(source)
        if relative.parts[0] != OWN:
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            written.append(target)
    return written


def restore(url: URL, files: Sequence[Path]) -> None:
    """Put a copy in place of the empty folder at ``url``; no session may be open on it."""
    target = path_of(url)
    ledgers = [f for f in files if f.name == LEDGER_FILE and f.parent.name == OWN]
    if len(ledgers) != 1:
        hint = "Give the files that the backup wrote, all of one backup."
        raise BackupError(f"one ledger is needed, not {len(ledgers)}", hint=hint)
    if target.exists() and any(target.iterdir()):
        hint = "Restore into a new folder, or empty this one first."
        raise BackupError(f"{target} is not empty", hint=hint)
    root = ledgers[0].parent.parent
    for file in files:
        to = target / file.relative_to(root)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)


class ScratchFolder:
    """A folder with a name of its own in ``folder``, gone at the end of the block."""

    def __init__(self, folder: Path, name: str = "") -> None:
        self._path = folder / (name or f"scratch_{uuid.uuid4().hex}")

    def __enter__(self) -> URL:
        """Return the URL; the folder comes into being when it is first written to."""
        return URL.create("parquet", database=str(self._path))

    def __exit__(self, *exc: object) -> None:
        """Delete the folder."""
        remove(self._path)
