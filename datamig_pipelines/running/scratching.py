"""Where rehearsals take place: a scratch database of our own, filled with a copy of the target."""

import fcntl
import json
import secrets
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.backups import (
    BackupOrder,
    Database,
    State,
    fetched,
    observe,
    open_store,
    write_backup,
)
from datamig_pipelines.backups.reading import compare
from datamig_pipelines.dialects.keeping import Scratch
from datamig_pipelines.errors import (
    DatamigError,
    PermissionDeniedError,
    RunningElsewhereError,
    ScratchDeniedError,
)
from datamig_pipelines.planning.rehearsed import rehearsals_folder
from datamig_pipelines.spec import Migration
from datamig_pipelines.spec.connection import address
from datamig_pipelines.steps.backup import said
from datamig_pipelines.transfer import Event, Said

PREFIX = "datamig_rehearsal_"
_MARK = ".scratch"
_HINT = (
    "Let the user make databases, or name a database of a server where it may in "
    "backup.scratch_env (docs/rehearsal.md)."
)


@dataclass
class Site:
    """A scratch database and a folder of ours; with ``keep`` both outlive the rehearsal."""

    url: URL
    folder: Path
    keep: bool = False


@dataclass(frozen=True)
class Copied:
    """What the scratch database holds before the rehearsal; no seconds: there was nothing."""

    state: State
    seconds: float | None = None


@contextmanager
def alone(migration: Migration) -> Iterator[None]:
    """Let one rehearsal of a migration take place at a time; so whatever is left over is nobody's.

    Raises:
        RunningElsewhereError: Another process rehearses it.
        PermissionDeniedError: The folder cannot be written.
    """
    folder = rehearsals_folder(migration)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("a", encoding="utf-8")
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror}"
        raise PermissionDeniedError(msg, hint="Make it writable, rehearse again.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"another process rehearses {migration.name}"
            raise RunningElsewhereError(msg, hint="Wait for it, or stop it.") from error
        yield


def drop_leftovers(migration: Migration, database: Database, beside: URL) -> Iterator[Event]:
    """Drop what killed rehearsals of this migration left, by the marks that they wrote before.

    A database without a mark of ours is left alone, whatever it is called. Call it `alone`.
    """
    folder = rehearsals_folder(migration)
    for mark in sorted(folder.glob(f"{PREFIX}*{_MARK}")):
        name, there = mark.stem, json.loads(mark.read_text(encoding="utf-8") or "null")
        if there is not None and there != _server(beside):
            yield Said(f"{name}, left by a killed rehearsal, is on another server: drop it there")
            continue
        try:
            _drop(database, beside, folder / name)
        except DatamigError as error:
            yield Said(f"{name}, left by a killed rehearsal, cannot be dropped: {error.message}")
            continue
        yield Said(f"dropped {name}, left by a killed rehearsal")


@contextmanager
def scratch_site(migration: Migration, database: Database, beside: URL) -> Iterator[Site]:
    """Make a scratch database; a mark that tells what will be made is written before.

    Raises:
        ScratchDeniedError: The user may not make one.
    """
    folder = rehearsals_folder(migration) / f"{PREFIX}{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    mark = folder.with_suffix(_MARK)
    mark.write_text(json.dumps(_server(beside)), encoding="utf-8")
    made = database.dialect.scratch(beside, folder, folder.name, like=database.url)
    site = Site(beside, folder)
    try:
        site.url = _made(made, folder, beside)
        yield site
    finally:
        if site.keep:
            mark.unlink()  # it belongs to those who wanted it
        elif mark.exists():
            _drop(database, beside, folder)


def _made(scratch: Scratch, folder: Path, beside: URL) -> URL:
    """Make the scratch database and return its URL; refused, nothing of it is left."""
    try:
        return scratch.__enter__()
    except PermissionDeniedError as error:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(_MARK).unlink()
        user, host = beside.username or "the user", beside.host or "this machine"
        msg = f"{user} may not make a scratch database on {host}: {error.message}"
        raise ScratchDeniedError(msg, hint=_HINT) from error


def _drop(database: Database, beside: URL, folder: Path) -> None:
    """Drop a scratch database, its folder, and last its mark: killed in between, it is repeated."""
    database.dialect.scratch(beside, folder, folder.name).__exit__(None, None, None)
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(_MARK).unlink(missing_ok=True)


def _server(url: URL) -> list[object]:
    return list(address(url)[:3])


def state_of(database: Database) -> State:
    """Return what a database holds now; a file that is not there holds nothing."""
    if database.dialect.file_missing(database.url):
        return State({}, {})
    with database.open() as session:
        return observe(database, session)


def copy_target(
    migration: Migration, target: Database, scratch: Database
) -> Generator[Event, None, Copied]:
    """Restore a backup of the target into the scratch database, and prove that it is the same.

    ``migration`` says where the backup goes meanwhile.

    Raises:
        BackupError: The target could not be dumped or restored.
        BackupDamagedError: The copy differs: somebody writes to the target.
    """
    if _empty(target):
        yield Said("the target is empty, and so is the scratch database")
        return Copied(state_of(scratch))
    began = time.monotonic()
    policy = migration.backup.model_copy(update={"verify": "none"})  # proven below, by ourselves
    unproven = migration.model_copy(update={"backup": policy})
    store = open_store(unproven)
    order = BackupOrder(unproven, "copy", "target", target)
    written = yield from said(write_backup(order, store))
    manifest = written.manifest
    with fetched(store, manifest.id, manifest.files) as files:
        target.dialect.restore(scratch.url, files)
    store.remove(manifest.id)
    state = state_of(scratch)
    compare(store, manifest.id, manifest.state, state)
    yield Said(f"the scratch database holds a copy of the target: {len(state.tables)} tables")
    return Copied(state, time.monotonic() - began)


def _empty(database: Database) -> bool:
    if database.dialect.file_missing(database.url):
        return True
    with database.open() as session:
        held = database.catalog(session)
    return not (held.tables or held.views or held.objects or held.others)
