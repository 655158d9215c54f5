"""Writes one backup: dump, pack, store, prove, and only then the manifest that makes it one."""

from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from datamig_pipelines.backups.counters import counters_of, spanning
from datamig_pipelines.backups.database import Database
from datamig_pipelines.backups.manifest import Manifest, State, StoredFile, digest
from datamig_pipelines.backups.packing import Digested, packed
from datamig_pipelines.backups.places import scratch_url
from datamig_pipelines.backups.reading import check_files, compare, restore_into
from datamig_pipelines.backups.state import differences, observe
from datamig_pipelines.backups.store import MANIFEST, Store
from datamig_pipelines.catalog import Catalog, Table, TableName
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.errors import BackupError
from datamig_pipelines.session import open_readers
from datamig_pipelines.spec import Migration

_PARALLEL_BYTES = 256 * 1024 * 1024
"""From here on several connections dump faster than one; below, they only cost."""


@dataclass(frozen=True)
class BackupOrder:
    """What to keep: a database, whole or ``only`` some tables, on behalf of a run."""

    migration: Migration
    run: str
    side: str
    database: Database
    only: tuple[TableName, ...] | None = None
    number: int = 1

    def next(self) -> "BackupOrder":
        """Return the order of another backup of the same run and side."""
        return replace(self, number=self.number + 1)

    @property
    def id(self) -> str:
        """Return the name of the backup in its store; the same when a killed run repeats it."""
        side = "" if self.side == "target" else f"-{self.side}"
        number = f"-{self.number}" if self.number > 1 else ""
        return f"{self.migration.name}-{self.run}{side}{number}"


@dataclass(frozen=True)
class Written:
    """A finished backup; ``digest`` is the manifest's, for the ledger."""

    manifest: Manifest
    digest: str
    place: str


@dataclass(frozen=True)
class _Dumped:
    state: State
    catalog: Catalog
    files: Sequence[StoredFile]
    snapshot: str
    position: str


def write_backup(order: BackupOrder, store: Store) -> Generator[str, None, Written]:
    """Write and prove a backup; yields sentences about what happens.

    Raises:
        BackupError: It could not be written, read back or restored, or the copy differs.
        DiskFullError, PermissionDeniedError: The store's folder takes no more.
    """
    store.check(order.id)
    store.remove(order.id)
    try:
        manifest = yield from _kept(order, store)
        encoded = manifest.encoded()
        store.write(order.id, MANIFEST, encoded)
    except BaseException:
        store.remove(order.id)  # half a backup would be taken for one
        raise
    return Written(manifest, digest(encoded), store.place(order.id))


def _kept(order: BackupOrder, store: Store) -> Generator[str, None, Manifest]:
    dialect = order.database.dialect
    with store.workspace(order.id) as folder:
        dumped = _dump(order, store, folder)
    size = sum(f.bytes for f in dumped.files)
    place = store.place(order.id)
    count = len(dumped.state.tables)
    yield f"backup of {count} tables of the {order.side} in {place}: {size:,} bytes"
    manifest = Manifest(
        id=order.id,
        migration=order.migration.name,
        run=order.run,
        side=order.side,
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        datamig=version("datamig_pipelines"),
        engine=dialect.label,
        version=dumped.catalog.version,
        tool=dialect.dump_tool(order.database.url),
        what="all" if order.only is None or dialect.dumps_whole else "tables",
        moment=f"snapshot {dumped.snapshot}" if dumped.snapshot else "idle",
        position=dumped.position,
        files=tuple(dumped.files),
        state=dumped.state,
        verified=how_verified(order.migration, order.database.size(dumped.catalog)),
    )
    proven = _proven(order, store, manifest)
    if proven.recovery_s is not None:
        yield f"restored and compared: recovery takes {proven.recovery_s:.1f} s"
    return proven


def how_verified(migration: Migration, size: int) -> str:
    """Return restore, checksum or none: what is asked for, or less where the size forbids it."""
    policy = migration.backup
    too_big = size > policy.verify_restore_max_bytes
    return "checksum" if policy.verify == "restore" and too_big else policy.verify


def _proven(order: BackupOrder, store: Store, manifest: Manifest) -> Manifest:
    """Return the manifest; a restore tells how long it took and where the dump's counters stand."""
    if manifest.verified == "checksum":
        check_files(store, manifest.id, manifest.files)
    if manifest.verified == "restore":
        beside = scratch_url(order.migration, order.database)
        found, seconds = restore_into(store, manifest.id, manifest.files, order.database, beside)
        compare(store, manifest.id, manifest.state, found)
        stand = {n: found.counters.get(n, span) for n, span in manifest.state.counters.items()}
        state = replace(manifest.state, counters=stand)
        return replace(manifest, state=state, recovery_s=round(seconds, 3))
    return manifest


def _dump(order: BackupOrder, store: Store, folder: Path) -> _Dumped:
    """Dump, store, and take the figures at one moment, or find out that it was not one."""
    database = order.database
    readers, position = open_readers(database.dialect, database.url, 1)
    try:
        catalog = database.catalog(readers[0])
        only = None if order.only is None else with_parents(catalog, order.only)
        state = observe(database, readers[0], only)
        snapshot = database.dialect.export_snapshot(readers[0])
        wanted = DumpOrder(only, _others(catalog, only), snapshot, _jobs(order, catalog))
        about_bytes = sum(t.bytes for t in catalog.tables)
        files = _stored(order, store, wanted, about_bytes, folder / "dump")
    finally:
        for reader in readers:
            reader.close()
    with database.open() as session:
        later = counters_of(database.catalog(session), only)
    state = replace(state, counters=spanning(state.counters, later))
    if not snapshot and how_verified(order.migration, database.size(catalog)) == "checksum":
        _check_idle(database, state, only)
    return _Dumped(state, catalog, files, snapshot, position)


def _check_idle(database: Database, before: State, only: Collection[TableName] | None) -> None:
    """Raise BackupError if somebody wrote while a dump without our snapshot was made."""
    with database.open() as session:
        wrong = differences(before, observe(database, session, only))
    if wrong:
        msg = f"the database was written to during the backup: {'; '.join(wrong[:8])}"
        raise BackupError(msg, hint="Stop its writers, then run again.", where="backup")


def _stored(
    order: BackupOrder, store: Store, wanted: DumpOrder, about_bytes: int, folder: Path
) -> list[StoredFile]:
    """Dump into the store: as a stream while it is made, or by way of files in ``folder``."""
    dialect, url = order.database.dialect, order.database.url
    stream = dialect.dump_stream
    entries = []
    if stream and not (stream.parallel and store.on_disk and wanted.jobs > 1):
        for name, blocks in stream.dumps(url, wanted):
            with closing(blocks):
                digested = Digested(blocks)
                store.put_stream(order.id, name, iter(digested), about_bytes)
            entries.append(StoredFile(name, digested.size, digested.sha256.hexdigest()))
        return entries
    folder.mkdir()
    for path in dialect.dump(url, "", folder, wanted):
        smaller, entry = packed(path, folder)
        store.put(order.id, entry.name, smaller)
        entries.append(entry)
    return entries


def with_parents(catalog: Catalog, names: Collection[TableName]) -> tuple[TableName, ...]:
    """Return tables and all that they refer to: without these no copy could be restored."""
    tables = {t.name: t for t in catalog.tables}
    found: dict[TableName, Table] = {}
    todo = [n for n in names if n in tables]
    while todo:
        name = todo.pop()
        if name in tables and name not in found:
            found[name] = tables[name]
            todo += [k.target for k in tables[name].foreign_keys]
    return tuple(sorted(found))


def _others(catalog: Catalog, only: Collection[TableName] | None) -> tuple[TableName, ...]:
    if only is None:
        return ()
    tables = [t.name for t in catalog.tables if t.name not in only]
    return (*tables, *(v.name for v in catalog.views))


def _jobs(order: BackupOrder, catalog: Catalog) -> int:
    if sum(t.bytes for t in catalog.tables) < _PARALLEL_BYTES:
        return 1
    return order.migration.workers
