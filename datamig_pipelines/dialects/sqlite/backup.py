"""Backup by SQLite's own online backup: a consistent copy while others write."""

import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.sqlite.driver import (
    LOCK_SUFFIX,
    SIDE_FILES,
    connect,
    path_of,
    translate,
)
from datamig_pipelines.errors import BackupError

PAGES: Final = 4096
"""Pages copied at a time; bounds the memory of a copy."""


def dump(url: URL, folder: Path) -> list[Path]:
    """Copy the database into a file of the folder, check the copy, and return its path.

    Raises:
        BackupError: The database cannot be read, the copy cannot be written or is damaged.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / f"{path_of(url).stem}.sqlite"
        if made.exists():
            raise FileExistsError(17, "there is a backup already", str(made))
        copy(url, url.set(database=str(made)))
    except (sqlite3.Error, OSError) as error:
        raise failed(f"backup of {url.database}", error) from error
    return [made]


def dump_tool() -> str:
    """Return the version of the library that copies."""
    return f"SQLite {sqlite3.sqlite_version} online backup"


def restore(url: URL, files: Sequence[Path]) -> None:
    """Make the database at ``url`` equal to a backup; what is in it is replaced.

    Raises:
        BackupError: The backup cannot be read, or the database cannot be written.
    """
    try:
        copy(url.set(database=str(files[0])), url)
    except (sqlite3.Error, OSError) as error:
        raise failed(f"restore of {files[0].name}", error) from error


class ScratchFile:
    """An empty scratch database: a file that is removed afterwards."""

    def __init__(self, url: URL, folder: Path, name: str = "") -> None:
        name = name or f"{path_of(url).stem}-scratch-{uuid.uuid4().hex[:8]}"
        self._path = folder / f"{name}.sqlite"
        self._url = url.set(database=str(self._path))

    def __enter__(self) -> URL:
        """Create the file and return its URL."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(exist_ok=False)
        return self._url

    def __exit__(self, *exc: object) -> None:
        """Remove the file and what SQLite keeps beside it."""
        for suffix in ("", *SIDE_FILES, LOCK_SUFFIX):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def copy(source: URL, target: URL) -> None:
    """Copy a database over another in one transaction, and check the copy."""
    with (
        closing(connect(source, readonly=True)) as reading,
        closing(connect(target, readonly=False)) as writing,
    ):
        reading.backup(writing, pages=PAGES)
        found = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"the copy is damaged: {found}")


def failed(what: str, error: Exception) -> BackupError:
    """Return what an error of a copy means."""
    meaning = translate(error)
    return BackupError(f"{what}: {meaning.message}", hint=meaning.hint)
