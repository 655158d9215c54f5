"""DuckDB's driver: connections, its errors, the lock of a run."""

import fcntl
import re
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from datamig_pipelines.errors import (
    ConnectError,
    ConnectionLostError,
    DiskFullError,
    EngineError,
    LockTimeoutError,
    PermissionDeniedError,
    RefusedError,
    RunningElsewhereError,
    StatementError,
)

if TYPE_CHECKING:
    import duckdb

LOCK_SUFFIX = ".datamig-lock"
CHECKPOINT_MB = 4
"""Size of a writer's log that is worked into the file: until then its rows wait in memory."""
LARGE_CHECKPOINT_MB = 1024
"""The same where rows are large."""
ARROW_ROWS = 10_000
"""Rows of one Arrow batch."""
_CHECKPOINTS = {"checkpoint_threshold", "wal_autocheckpoint"}
_NO_OPTION = {"connect_timeout", "schema"}
_COUNTED = re.compile(r"\s*(insert|update|delete|merge|copy|create)\b", re.IGNORECASE)
_RETURNING = re.compile(r"\breturning\b", re.IGNORECASE)


class Connection:
    """DuckDB's own connection, with the file that it is open on and the lock of a run.

    The driver's object takes no attributes and lives on after ``close``; a lock has to end there.
    """

    def __init__(self, raw: "duckdb.DuckDBPyConnection", path: Path) -> None:
        self.raw = raw
        self.path = path
        self._lock: TextIOWrapper | None = None
        self.paced = False
        """The size of the log that ends in a checkpoint is ours, not the user's."""

    def checkpoint_rarely(self) -> None:
        """Let the log grow: a checkpoint writes all rows of the last row group once more.

        For small rows those are few megabytes, for large ones whatever 122,880 of them take.
        """
        if self.paced:
            self.raw.execute(f"SET checkpoint_threshold = '{LARGE_CHECKPOINT_MB}MB'")
            self.paced = False

    def close(self) -> None:
        """Close the connection and give the lock back. Idempotent."""
        self.raw.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def lock(self) -> bool:
        """Lock ``<file>.datamig-lock`` until `close`; False if somebody else has it."""
        if self._lock is not None:
            return True
        self._lock = _locked(self.path)
        return self._lock is not None


def _locked(path: Path) -> TextIOWrapper | None:
    """Return ``<file>.datamig-lock``, open and locked; None if another process has locked it."""
    file = path.with_name(path.name + LOCK_SUFFIX).open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def path_of(url: URL) -> Path:
    """Return the file that a URL names.

    Raises:
        ConnectError: It names none: every session would get a database of its own.
    """
    if not url.database or url.database.startswith(":memory:"):
        raise ConnectError(
            "a DuckDB database in memory cannot be shared by the sessions of a migration",
            hint="Name a file: duckdb:////absolute/path.duckdb",
        )
    return Path(url.database)


def connect(url: URL, *, readonly: bool) -> Connection:
    """Open a file in autocommit and UTC.

    Several connections of one process share the file; DuckDB refuses to mix read-only and
    read-write ones there, so a read-only connection becomes a read-write one where this process
    already writes to the same file. Other options of the URL are settings of DuckDB.
    """
    import duckdb

    path = path_of(url)
    if readonly and not path.exists():
        raise ConnectError(f"there is no file {path}", hint="Check the path in the URL.")
    config: dict[str, str | bool | int | float | list[str]] = {
        k: str(v) for k, v in url.query.items() if k not in _NO_OPTION
    }
    try:
        raw = duckdb.connect(str(path), read_only=readonly, config=config)
    except duckdb.ConnectionException:
        if not readonly:
            raise
        raw = duckdb.connect(str(path), config=config)
    except (duckdb.IOException, duckdb.InternalException) as error:
        _check_no_run(path, error)
        if "replaying WAL" not in str(error):
            raise
        _replay(path)
        raw = duckdb.connect(str(path), read_only=readonly, config=config)
    raw.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    opened = Connection(raw, path)
    if not readonly and not _CHECKPOINTS & set(config):
        raw.execute(f"SET checkpoint_threshold = '{CHECKPOINT_MB}MB'")
        opened.paced = True
    return opened


def _check_no_run(path: Path, error: Exception) -> None:
    """Raise RunningElsewhereError if the file cannot be opened because a run writes to it.

    DuckDB lets one process in: a second run fails before it comes to ask for the run's lock.
    """
    if "Could not set lock on file" not in str(error):
        return
    lock = _locked(path)
    if lock is not None:
        lock.close()
        return
    hint = "Wait for it, or stop it; DuckDB lets nobody look into the file meanwhile."
    raise RunningElsewhereError(f"another run is working on {path}", hint=hint) from error


def _replay(path: Path) -> None:
    """Work the log of a killed writer into its file.

    DuckDB 1.5.5 cannot do this on opening: a reader may not write, and a key that was added to a
    table whose default is a function finds no database to look the function up in (duckdb#18259).
    Attached to another database, both work.
    """
    import duckdb

    quoted = str(path).replace("'", "''")
    with duckdb.connect() as helper:
        helper.execute(f"ATTACH '{quoted}' AS unplayed")
        helper.execute("CHECKPOINT unplayed")
        helper.execute("DETACH unplayed")


def query(connection: Connection, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows; the count that DuckDB gives for DML is no row."""
    rows = connection.raw.execute(sql, list(parameters)).fetchall()
    return [] if _COUNTED.match(sql) and not _RETURNING.search(sql) else rows


_NEWER = (
    "The file was written by a newer DuckDB, which this one (1.5) cannot read. Let that version "
    "write it again: ATTACH 'new.duckdb' (STORAGE_VERSION 'v1.5.0'), then COPY FROM DATABASE."
)
_WORDS: tuple[tuple[str, type[EngineError], str], ...] = (
    (
        r"can only read versions between|created with an? newer version",
        ConnectError,
        _NEWER,
    ),
    (
        r"Could not set lock on file",
        ConnectError,
        "Another process has the file open (one may write, or many read). Close it there.",
    ),
    (
        r"different configuration than existing connections",
        ConnectError,
        "This process has the file open with other settings (read-only?): close that first.",
    ),
    (
        r"No space left|max_temp_directory_size|File too large|quota exceeded",
        DiskFullError,
        "Make room (or lift the limit on the size of files), then resume.",
    ),
    (
        r"read-only mode(?!: database does not)|Permission denied|Read-only file system",
        PermissionDeniedError,
        "Check the rights on the file and its folder, and that it was opened for writing.",
    ),
    (
        r"Cannot open (file|database)|not a valid DuckDB database|Corrupt database",
        ConnectError,
        "Check the path in the URL, and that the file is a DuckDB database.",
    ),
    (
        r"already closed|has been invalidated|been closed",
        ConnectionLostError,
        "Run again; it resumes after the last committed batch.",
    ),
    (
        r"^TransactionContext Error: (Conflict|Failed to commit.*[Cc]onflict)|write-write conflict",
        LockTimeoutError,
        "Somebody else in this process wrote the same rows; try again.",
    ),
    (
        r"were not provided for|Cannot execute statement|storage version|[Ee]xcess parameters",
        StatementError,
        "Read the statement in the plan; it does not fit this database.",
    ),
    (
        r"failed to (allocate|pin|offload)|Out of Memory",
        StatementError,
        "Give it more memory (memory_limit) or a temp_directory with room, as options of the URL.",
    ),
)


def translate(error: BaseException) -> EngineError:
    """Return what one of DuckDB's exceptions means; its words decide where the class does not."""
    import duckdb

    said = str(error)
    message = said.splitlines()[0] if said else type(error).__name__
    for words, kind, hint in _WORDS:
        if re.search(words, said):
            return kind(message, hint=hint)
    rows = (
        duckdb.ConversionException,
        duckdb.ConstraintException,
        duckdb.InvalidInputException,
        duckdb.OutOfRangeException,
        duckdb.TypeMismatchException,
    )
    if isinstance(error, rows):
        hint = "Correct the row in the source, give the column a cast, or let it be rejected."
        return RefusedError(message, hint=hint)
    if isinstance(error, duckdb.FatalException | duckdb.InternalException):
        hint = "DuckDB gave the file up; run again, and restore the backup if it does not open."
        return ConnectionLostError(message, hint=hint)
    return StatementError(message, hint="Run the statement by hand to see what DuckDB means.")


def record_batches(connection: Connection, sql: str) -> Iterator[Any]:
    """Yield the rows of a SELECT as Arrow record batches."""
    yield from connection.raw.execute(sql).to_arrow_reader(ARROW_ROWS)
