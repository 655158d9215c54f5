"""Backups of a DuckDB file: a checkpoint, then a copy of the file.

``EXPORT DATABASE`` loses self references and fails on views of views, and ``COPY FROM DATABASE``
fails on foreign keys (both on 1.5.5); the file itself has everything.
"""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.duckdb import driver
from datamig_pipelines.errors import BackupError

_COPY = "import shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2])"


def dump(url: URL, folder: Path) -> list[Path]:
    """Copy the file (and its log, where it could not be merged in) into ``folder``.

    Another process makes the copy: closing a second handle on the file would drop the lock by
    which DuckDB keeps other processes away.
    """
    import duckdb

    path = driver.path_of(url)
    connection = None
    try:
        connection = driver.connect(url, readonly=False)
        connection.raw.execute("CHECKPOINT")
    except duckdb.ConnectionException:  # this process reads the file: nobody can write to it
        connection = driver.connect(url, readonly=True)
    except duckdb.Error as error:
        if connection is not None:
            connection.close()
        raise driver.translate(error) from error
    try:
        return [_copy(p, folder / p.name) for p in (path, log_of(path)) if p.exists()]
    finally:
        connection.close()


def dump_tool() -> str:
    """Return the version of the library whose file is copied."""
    import duckdb

    return f"DuckDB {duckdb.__version__} checkpoint and copy"


def log_of(path: Path) -> Path:
    """Return where DuckDB keeps the log of a file."""
    return path.with_name(path.name + ".wal")


def _copy(source: Path, target: Path) -> Path:
    command = [sys.executable, "-S", "-c", _COPY, str(source), str(target)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        hint = "Check the room and the rights in the backup's folder."
        raise BackupError(f"{source} could not be copied: {''.join(said)}", hint=hint)
    return target


def restore(url: URL, files: Sequence[Path]) -> None:
    """Put a copy in place of the empty database at ``url``; no session may be open on it."""
    path = driver.path_of(url)
    _require_empty(url, path)
    remove(path)
    put(files, path)


def put(files: Sequence[Path], path: Path) -> None:
    """Copy the files of a backup to where nothing is."""
    mains = [f for f in files if f.suffix != ".wal"]
    logs = [f for f in files if f.suffix == ".wal"]
    if len(mains) != 1:
        hint = "Give the files that the backup wrote, all of one backup."
        raise BackupError(f"one database file is needed, not {len(mains)}", hint=hint)
    for source, target in [(mains[0], path), *((log, log_of(path)) for log in logs)]:
        part = target.with_name(target.name + ".part")
        shutil.copyfile(source, part)
        part.replace(target)


def _require_empty(url: URL, path: Path) -> None:
    import duckdb

    if not path.exists():
        return
    try:
        connection = driver.connect(url, readonly=True)
        tables = connection.raw.execute("SELECT count(*) FROM duckdb_tables()").fetchall()
        connection.close()
    except duckdb.Error as error:
        raise driver.translate(error) from error
    if tables != [(0,)]:
        hint = "Restore into a new file, or remove this one first."
        raise BackupError(f"{path} is not empty", hint=hint)


def remove(path: Path) -> None:
    """Delete a database file and what lies beside it."""
    for beside in ("", ".wal", ".datamig-lock"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    shutil.rmtree(path.with_name(path.name + ".tmp"), ignore_errors=True)


class ScratchFile:
    """A database file with a name of its own in ``folder``, gone at the end of the block."""

    def __init__(self, folder: Path, name: str = "") -> None:
        self._path = folder / f"{name or f'scratch_{uuid.uuid4().hex}'}.duckdb"

    def __enter__(self) -> URL:
        """Return the URL; the file comes into being when it is first written to."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return URL.create("duckdb", database=str(self._path))

    def __exit__(self, *exc: object) -> None:
        """Delete the file."""
        remove(self._path)
