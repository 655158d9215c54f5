"""The connection: how it is opened, how text is read, what an error means."""

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy.engine import URL
from typing_extensions import override

from datamig_pipelines.dialects.fetching import fetched
from datamig_pipelines.dialects.sqlite import companion
from datamig_pipelines.dialects.sqlite.functions import register
from datamig_pipelines.errors import (
    ConnectError,
    DiskFullError,
    EngineError,
    LockTimeoutError,
    PermissionDeniedError,
    RefusedError,
    StatementError,
)

TIMEOUT_S: Final = 10.0
CACHE_KIB: Final = 32_000
FETCH: Final = 1000
"""Most rows fetched at a time."""
SIDE_FILES: Final = ("-journal", "-wal", "-shm")
LOCK_SUFFIX: Final = ".datamig-lock"


class Undecodable(bytes):
    """The bytes of a TEXT value that is no valid UTF-8: never replaced, never guessed."""

    __slots__ = ()


class Connection(sqlite3.Connection):
    """A connection that may hold the lock of a run, and lets go of it when it closes."""

    run_lock: IO[str] | None = None
    place: companion.Place | None = None
    _companion: companion.Companion | None = None

    def companion(self) -> companion.Companion | None:
        """Return a columnar reader of this connection's snapshot; None if there can be none.

        Only inside a transaction: its lock is what keeps the file as it is.
        """
        if self._companion is None and self.in_transaction:
            path = Path(self.execute("PRAGMA database_list").fetchone()[2])
            self.execute("SELECT count(*) FROM sqlite_master").fetchone()  # locks at last
            if self.place == companion.place_of(path) and companion.settled(path):
                self._companion = companion.open_beside(path)
        return self._companion

    @override
    def close(self) -> None:
        """Close the connection and release the lock. Idempotent."""
        super().close()
        if self.place is not None:
            companion.leave(self.place, self._companion)
            self.place = None
        if self.run_lock is not None:
            self.run_lock.close()
            self.run_lock = None


def path_of(url: URL) -> Path:
    """Return the file that a URL names. Raises FileNotFoundError where it names none."""
    if not url.database or url.database == ":memory:":
        raise FileNotFoundError(errno.ENOENT, "a database in a file is needed", str(url.database))
    return Path(url.database).expanduser().absolute()


def connect(url: URL, *, readonly: bool) -> Connection:
    """Open the file; a source must exist, a target is created.

    The file's own journal mode is kept (DELETE or WAL: both survive a killed process) and every
    commit waits for the disk. What a killed writer left half done is rolled back for readers, too.

    Raises:
        OSError: There is no such file or folder.
        sqlite3.Error: It is no database, or it cannot be opened.
    """
    path = path_of(url)
    if readonly and not path.exists():
        raise FileNotFoundError(errno.ENOENT, "no such database file", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(path.parent))
    try:
        return _open(path, url, readonly=readonly)
    except sqlite3.OperationalError as error:
        if not readonly or getattr(error, "sqlite_errorname", "") != "SQLITE_READONLY_ROLLBACK":
            raise
    _open(path, url, readonly=False).close()  # rolls back what a killed writer left behind
    return _open(path, url, readonly=True)


def _open(path: Path, url: URL, *, readonly: bool) -> Connection:
    timeout = url.query.get("timeout", url.query.get("connect_timeout", TIMEOUT_S))
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'ro' if readonly else 'rwc'}",
        uri=True,
        timeout=float(timeout if not isinstance(timeout, tuple) else timeout[0]),
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    try:
        _prepare(connection, readonly=readonly)
        connection.place = companion.place_of(path)
        companion.enter(connection.place)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: Connection, *, readonly: bool) -> None:
    register(connection)
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the file at last
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    if readonly:
        connection.execute("PRAGMA query_only = ON")


def tolerant(value: bytes) -> str | bytes:
    """Return the text of a TEXT value, or its bytes where they are no UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return Undecodable(value)


def is_undecodable(error: sqlite3.Error) -> bool:
    """Say whether reading failed on a TEXT value that is no UTF-8."""
    return str(error).startswith("Could not decode")


def query(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[object]
) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows; text that is no UTF-8 comes as bytes."""
    kept = connection.text_factory
    connection.text_factory = tolerant
    try:
        return connection.execute(sql, tuple(parameters)).fetchall()
    finally:
        connection.text_factory = kept


def batches(connection: sqlite3.Connection, sql: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a SELECT, up to FETCH at a time.

    Text is read the fast way until a value turns out to be no UTF-8; then the statement starts anew
    with the careful way, behind the rows already yielded (it must be read in one snapshot).
    """
    done = 0
    try:
        for rows in fetched(connection.execute(sql).fetchmany, FETCH):
            done += len(rows)
            yield rows
    except sqlite3.OperationalError as error:
        if not is_undecodable(error):
            raise
    else:
        return
    connection.text_factory = tolerant
    rest = connection.execute(sql)
    while done:
        done -= len(rest.fetchmany(min(done, 16)))
    yield from fetched(rest.fetchmany, FETCH)


def lock_run(connection: Connection, name: str) -> bool:
    """Take the lock of the one run on this file, a lock file beside it; False if it is taken.

    The lock belongs to the open file: it ends with the connection, or with the process.
    """
    import fcntl

    if connection.run_lock is not None:
        return True
    files = query(connection, "SELECT file FROM pragma_database_list WHERE name = 'main'", ())
    place = Path(os.path.realpath(files[0][0]) + LOCK_SUFFIX)
    lock = place.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    lock.seek(0)
    lock.truncate()
    lock.write(f"{name} {os.getpid()}\n")
    lock.flush()
    connection.run_lock = lock
    return True


_MEANINGS: Final = (
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        LockTimeoutError,
        "Another process uses the file; end it, or add ?timeout=60 to the URL.",
    ),
    (("SQLITE_FULL",), DiskFullError, "Make room on the disk of the file, then run again."),
    (
        ("SQLITE_IOERR_WRITE",),
        DiskFullError,
        "The disk takes no more: look for a quota, a limit on the size of files, or a broken disk.",
    ),
    (
        ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"),
        PermissionDeniedError,
        "Check who may write the file and its folder, and that it is not the source.",
    ),
    (
        ("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG"),
        RefusedError,
        "Look at the row: its value breaks a constraint of the table.",
    ),
    (
        ("SQLITE_CANTOPEN",),
        ConnectError,
        "Check the path; a file in WAL mode also needs a folder that may be written.",
    ),
    (("SQLITE_NOTADB",), ConnectError, "Is it a SQLite 3 file, and not encrypted?"),
    (
        ("SQLITE_CORRUPT", "SQLITE_IOERR"),
        StatementError,
        "Run PRAGMA integrity_check; restore the file from a backup if it is damaged.",
    ),
)


def translate(error: BaseException) -> EngineError:
    """Return what an error of sqlite3 or of the file system means."""
    if isinstance(error, OSError):
        return _of_file_system(error)
    code = getattr(error, "sqlite_errorname", "") or ""
    message = str(error).strip() or type(error).__name__
    for codes, meaning, hint in _MEANINGS:
        if code.startswith(codes):
            return meaning(message, hint=hint)
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError):
        return RefusedError(message, hint="Look at the row: SQLite cannot hold its value.")
    return StatementError(message, hint="Read the statement that the plan shows for this place.")


def _of_file_system(error: OSError) -> EngineError:
    message = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    if error.errno == errno.ENOSPC:
        return DiskFullError(message, hint="Make room on the disk of the file, then run again.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return PermissionDeniedError(message, hint="Check who may use the file and its folder.")
    return ConnectError(message, hint="Check the path in the URL: sqlite:////absolute/path.sqlite")
