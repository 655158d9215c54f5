"""A folder that this project writes: one sub-folder per table, and the ledger beside them.

``_datamig/ledger.duckdb`` holds the ledger and the list of the files that count. A file is written
before its entry is committed, so a file without an entry is what a killed or refused batch left:
it counts for nobody, and is removed by the next run.
"""

import re
import shutil
from collections import defaultdict
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.duckdb import driver as duckdb_driver
from datamig_pipelines.dialects.files import catalog_reader, parquet_reader, tables
from datamig_pipelines.dialects.files.address import parse
from datamig_pipelines.dialects.files.driver import Connection
from datamig_pipelines.dialects.files.listing import File, TableFiles
from datamig_pipelines.dialects.files.relation import Relation, quote
from datamig_pipelines.errors import NotYetError, TargetNotEmptyError

OWN = "_datamig"
LEDGER_FILE = "ledger.duckdb"
_ODD = re.compile(r"[/\\%\0]|^[._]")
_OF_THE_LEDGER = ('"datamig_', "information_schema")  # the words of statements that read no table
_WRITTEN = re.compile(r"(tmp_)?part-\d{6,}\.parquet")


def path_of(url: URL) -> Path:
    """Return the folder that a target's URL names. Raises NotYetError: it cannot be a target."""
    address = parse(url)
    if address.bucket:
        msg = "an object store cannot be a target yet"
        raise NotYetError(msg, hint="Write to a folder, prove it, and copy the files there.")
    if address.wild:
        msg = f"a target needs a plain folder, not the pattern {address.path}"
        raise NotYetError(msg, hint="Name a new or empty folder.")
    return Path(address.path)


def is_ours(url: URL) -> bool:
    """Say whether the URL names a folder that has a ledger."""
    address = parse(url)
    if address.bucket or address.wild:
        return False
    return (Path(address.path) / OWN / LEDGER_FILE).exists()


def is_new(url: URL) -> bool:
    """Say whether a target's folder is not there or empty. Raises TargetNotEmptyError."""
    path = path_of(url)
    if (path / OWN / LEDGER_FILE).exists():
        return False
    if path.exists() and not path.is_dir():
        msg = f"{path} is a file; a target of Parquet files is a folder"
        raise TargetNotEmptyError(msg, hint="Name a new or empty folder.")
    there = sorted(p.name for p in path.iterdir() if p.name != OWN) if path.exists() else []
    if there:
        shown = ", ".join(there[:5]) + (" …" if len(there) > 5 else "")
        msg = f"the folder {path} is not empty, and nothing in it is ours: {shown}"
        raise TargetNotEmptyError(msg, hint="Name a new or empty folder.")
    return True


def folder_name(table: str) -> str:
    """Return the sub-folder of a table; characters that a folder cannot begin with are coded."""
    return _ODD.sub(lambda m: "".join(f"%{ord(c):02X}" for c in m[0]), table)


class Folder(Connection):
    """The ledger of a folder, open; it knows the files that were written but not committed."""

    def __init__(self, inner: duckdb_driver.Connection, folder: Path) -> None:
        super().__init__(inner.raw, inner.path)
        self.folder = folder
        self.pending: list[Path] = []
        self._deep = False
        self._stale = True
        self._locked = False

    def before(self, sql: str) -> None:
        """Keep track of the transaction; look at the files again before anybody reads them.

        Once COMMIT is sent, the file may count: from then on only the ledger can tell.
        """
        word = sql.lstrip()[:8].upper()
        if word.startswith("BEGIN"):
            self._deep = True
        elif word.startswith(("COMMIT", "ROLLBACK")):
            self._deep = False
            if word.startswith("ROLLBACK"):
                for path in self.pending:
                    path.unlink(missing_ok=True)
            self._stale = True
            self.pending = []
        elif self._stale and not self._deep and not any(word in sql for word in _OF_THE_LEDGER):
            self.refresh()

    def after(self, sql: str) -> None:
        """Note that a table was made or dropped."""
        self._stale = self._stale or tables.SHAPE in sql or tables.FILES in sql

    def refresh(self) -> None:
        """Show every table as the files make it that count now and are there."""
        self._stale = False
        files = self._files()
        for (name,) in self.raw.execute(tables.SHAPES).fetchall():
            shape = tables.quoted_shape(name)
            listed = TableFiles(name, tuple(files[name]))
            if listed == self.tables.get(name):
                continue
            scan = parquet_reader.scan([f.name for f in listed.files]) if files[name] else shape
            if not files[name]:
                self.show(Relation(listed, (), "*", scan, "0"))
                continue
            columns = self.raw.execute(f"DESCRIBE {shape}").fetchall()
            cells = ", ".join(f"CAST({quote(n)} AS {t}) AS {quote(n)}" for n, t, *_ in columns)
            pairs = tuple((n, t) for n, t, *_ in columns)
            self.show(Relation(listed, pairs, cells, scan, "row_number() OVER () - 1"))

    def _files(self) -> dict[str, list[File]]:
        files: dict[str, list[File]] = defaultdict(list)
        for table, _, name, size, dropped in self.raw.execute(tables.ALL_FILES).fetchall():
            if dropped:
                continue
            path = self.folder / name
            if path.exists():  # one that is gone is missed by the proofs, and can be rolled back
                files[table].append(File(str(path), size, str(path.stat().st_mtime_ns)))
        return files

    def lock(self) -> bool:
        """Lock the folder; then what a killed run left there is removed."""
        self._locked = super().lock()
        if self._locked:
            self.sweep()
        return self._locked

    def close(self) -> None:
        """Remove what no longer counts, close, and give the lock back. Idempotent."""
        if self._locked and not self._deep:
            self._locked = False
            self.sweep()
        super().close()

    def sweep(self) -> None:
        """Remove our files without an entry, and those of dropped tables. Only under the lock."""
        kept: set[Path] = set()
        folders = {
            self.folder / folder_name(n) for (n,) in self.raw.execute(tables.SHAPES).fetchall()
        }
        for table, _, name, _, dropped in self.raw.execute(tables.ALL_FILES).fetchall():
            folders.add(self.folder / folder_name(table))
            if not dropped:
                kept.add(self.folder / name)
        for folder in folders:
            for path in folder.glob("*.parquet"):
                if path not in kept and _WRITTEN.fullmatch(path.name):
                    path.unlink(missing_ok=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        self.raw.execute(tables.FORGET_DROPPED)


def connect(url: URL, *, readonly: bool) -> Folder:
    """Open the ledger of a folder; for writing, a new or empty folder gets one.

    Raises:
        TargetNotEmptyError: There are files in the folder, and no ledger of ours.
        NotYetError: It is an object store.
    """
    path = path_of(url)
    if not readonly and is_new(url):
        (path / OWN).mkdir(parents=True, exist_ok=True)
    ledger = URL.create("duckdb", database=str(path / OWN / LEDGER_FILE))
    connection = Folder(duckdb_driver.connect(ledger, readonly=readonly), path)
    try:
        raw = connection.raw
        raw.execute(tables.OPEN if readonly else tables.CREATE)
        ours = {folder_name(name) for (name,) in raw.execute(tables.SHAPES).fetchall()}
        ours |= {Path(row[2]).parent.name for row in raw.execute(tables.ALL_FILES).fetchall()}
        for entry in sorted(path.iterdir()):
            if entry.name not in ours and not entry.name.startswith(("_", ".")):
                raw.execute(tables.ADD_OTHER, [catalog_reader.FOREIGN, entry.name])
        connection.refresh()
    except BaseException:
        connection.raw.close()
        raise
    return connection


def remove(path: Path) -> None:
    """Delete a folder of ours with everything in it."""
    shutil.rmtree(path, ignore_errors=True)
