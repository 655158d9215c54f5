"""Reads a backup back: checks every byte, restores it into a scratch database, compares."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.backups.database import Database
from datamig_pipelines.backups.manifest import Manifest, State, StoredFile, decoded, digest
from datamig_pipelines.backups.packing import Digested, unpacked
from datamig_pipelines.backups.state import differences, observe, strangers
from datamig_pipelines.backups.store import MANIFEST, Store
from datamig_pipelines.dialects.dumping import DumpStream
from datamig_pipelines.errors import BackupDamagedError, BackupMissingError, DatamigError


def read_manifest(store: Store, backup: str, expected: str = "") -> Manifest:
    """Return the manifest of a backup; ``expected`` is the digest that the ledger keeps.

    Raises:
        BackupMissingError: There is no such backup, or it was never finished.
        BackupDamagedError: It is not what was written.
    """
    data = store.read(backup, MANIFEST)
    place = store.place(backup)
    if data is None:
        msg = f"there is no backup at {place}"
        raise BackupMissingError(msg, hint="`datamig backups` lists what there is.")
    if expected and digest(data) != expected:
        msg = f"the manifest of {place} was tampered with: its digest is not the ledger's"
        raise BackupDamagedError(msg, hint="Do not restore it; look for an untouched copy.")
    return decoded(data, place)


@contextmanager
def fetched(store: Store, backup: str, files: Sequence[StoredFile]) -> Iterator[list[Path]]:
    """Yield the files of a backup as its dialect wrote them, every byte of them checked.

    Raises:
        BackupDamagedError: A file is missing or is not what was written.
    """
    with store.workspace(f"{backup}-fetched") as folder:
        yield [_fetch(store, backup, file, folder) for file in files]


def _fetch(store: Store, backup: str, file: StoredFile, folder: Path) -> Path:
    here = store.local(backup, file.name)
    path = here or folder / "stored" / file.name
    try:
        found = store.sha256(backup, file.name, None if here else path)
    except FileNotFoundError as error:
        raise _damaged(store, backup, f"{file.name} is missing") from error
    if found != file.sha256:
        raise _damaged(store, backup, f"{file.name} is not what was written (SHA-256)")
    if not file.packed:
        return path
    plain = unpacked(path, folder / "plain", file.name)
    if here is None:
        path.unlink()
    return plain


def _damaged(store: Store, backup: str, what: str) -> BackupDamagedError:
    msg = f"the backup at {store.place(backup)} is damaged: {what}"
    return BackupDamagedError(msg, hint="Do not rely on it; use another one, or run again.")


def check_files(store: Store, backup: str, files: Sequence[StoredFile]) -> None:
    """Read every byte back. Raises BackupDamagedError if one is not what was written."""
    for file in files:
        try:
            found = store.sha256(backup, file.name)
        except FileNotFoundError as error:
            raise _damaged(store, backup, f"{file.name} is missing") from error
        if found != file.sha256:
            raise _damaged(store, backup, f"{file.name} is not what was written (SHA-256)")


def restore_into(
    store: Store, backup: str, files: Sequence[StoredFile], database: Database, beside: URL
) -> tuple[State, float]:
    """Restore a backup into a scratch database beside a URL and drop it again.

    Returns:
        What the scratch database held, and the seconds until it did, fetching included.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(store.workspace(f"{backup}-scratch"))
        scratch = Database(database.dialect, _scratch(stack, database, beside, folder))
        _restore(store, backup, files, scratch)
        seconds = time.monotonic() - began
        with scratch.open() as session:
            return observe(scratch, session), seconds


def _scratch(stack: ExitStack, database: Database, beside: URL, folder: Path) -> URL:
    """Make a scratch database that goes with ``stack``; an error says where it was wanted."""
    try:
        return stack.enter_context(
            database.dialect.scratch(beside, folder, like=database.url),
        )
    except DatamigError as error:
        place = beside.render_as_string(hide_password=True)
        error.message = f"no scratch database can be made beside {place}: {error.message}"
        error.hint += " backup.scratch_env may name another server for it."
        raise


def _restore(store: Store, backup: str, files: Sequence[StoredFile], scratch: Database) -> None:
    stream = scratch.dialect.dump_stream
    if stream and all(f.name in stream.names for f in files):
        for file in files:
            _restore_stream(store, backup, file, stream, scratch.url)
    else:
        with fetched(store, backup, files) as paths:
            scratch.dialect.restore(scratch.url, paths)


def _restore_stream(
    store: Store, backup: str, file: StoredFile, stream: DumpStream, url: URL
) -> None:
    """Restore a file while it is read: its digest is known at the end only, so not for a target."""
    refused: DatamigError | None = None
    blocks = Digested(store.blocks(backup, file.name))
    try:
        stream.restore(url, iter(blocks))
    except FileNotFoundError as error:
        raise _damaged(store, backup, f"{file.name} is missing") from error
    except DatamigError as error:
        refused = error
    for _ in blocks:  # what the program did not ask for any more
        pass
    if blocks.sha256.hexdigest() != file.sha256:
        msg = f"{file.name} is not what was written (SHA-256)"
        raise _damaged(store, backup, msg) from refused
    if refused:
        raise refused


def compare(store: Store, backup: str, expected: State, found: State) -> None:
    """Raise BackupDamagedError if a restored copy is not the state that the manifest holds.

    A copy may hold more than the figures speak of: a backup of some tables of a file is the file.
    """
    wrong = differences(expected, found)
    if wrong:
        shown = "; ".join(wrong[:8]) + (" …" if len(wrong) > 8 else "")
        msg = f"the restored backup differs from the database: {shown}"
        hint = (
            f"Do not rely on {store.place(backup)}. Was the database written to meanwhile? "
            "Stop its writers, run again."
        )
        raise BackupDamagedError(msg, hint=hint, where="backup")


def verify_backup(store: Store, manifest: Manifest, database: Database, beside: URL) -> float:
    """Prove a finished backup again: every byte, a restore, the comparison. Returns its seconds.

    Raises:
        BackupDamagedError: It is not what was written, or does not restore to what it says.
    """
    found, seconds = restore_into(store, manifest.id, manifest.files, database, beside)
    compare(store, manifest.id, manifest.state, found)
    more = strangers(manifest.state, found) if manifest.what == "all" else []
    if more:
        raise _damaged(store, manifest.id, f"it holds {', '.join(more[:8])} that nobody dumped")
    return seconds
