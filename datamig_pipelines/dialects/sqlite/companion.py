"""A second, columnar reader of the file: the ADBC driver, which brings a SQLite of its own.

Two copies of SQLite in one process know nothing of each other, and POSIX gives a process one set of
locks per file: a copy that unlocks, or only closes the file, drops the locks of the other one
(https://www.sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application).
So the companion never locks (``immutable=1``) and relies on the lock of the session's own
connection, which no writer of pages can pass; and it is closed only when this process has no
connection to the file any more.

In WAL mode the same holds as long as the log was empty when the snapshot began: the snapshot is the
file itself then, and no checkpoint may write to it. A log with content cannot be seen without
locks: such a snapshot has no companion.
"""

import threading
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa

Place = tuple[int, int]
"""The device and the inode of a file."""

_BATCH_ROWS: Final = "adbc.sqlite.query.batch_rows"

_lock: Final = threading.Lock()
_connections: Final[dict[Place, int]] = defaultdict(int)
_retired: Final[dict[Place, list[Any]]] = defaultdict(list)


def place_of(path: Path) -> Place:
    """Return which file a path names."""
    found = path.stat()
    return found.st_dev, found.st_ino


def enter(place: Place) -> None:
    """Count one connection of this process to a file."""
    with _lock:
        _connections[place] += 1


def leave(place: Place, companion: Any = None) -> None:
    """Count one connection less; the last one closes all companions of the file."""
    with _lock:
        if companion is not None:
            _retired[place].append(companion)
        _connections[place] -= 1
        if _connections[place] > 0:
            return
        del _connections[place]
        over = _retired.pop(place, [])
    for each in over:
        each.close()


def settled(path: Path) -> bool:
    """Say whether a snapshot that has begun is the file alone, without a write-ahead log."""
    log = path.with_name(path.name + "-wal")
    return not log.exists() or log.stat().st_size == 0


class Companion:
    """The columnar reader of one file."""

    def __init__(self, path: Path) -> None:
        """Open the file without any lock; the caller holds one until `leave`."""
        import adbc_driver_manager
        import adbc_driver_sqlite

        self._database = adbc_driver_sqlite.connect(f"{path.as_uri()}?mode=ro&immutable=1")
        self._connection = adbc_driver_manager.AdbcConnection(self._database)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        self._database.close()

    def batches(self, sql: str, rows: int) -> "Generator[pa.RecordBatch, None, None]":
        """Yield the result of a SELECT, ``rows`` at a time; the first batch decides the types.

        Raises `errors` where a later value has another type than its column.
        """
        import adbc_driver_manager
        import pyarrow as pa

        with adbc_driver_manager.AdbcStatement(self._connection) as statement:
            statement.set_options(**{_BATCH_ROWS: str(rows)})
            statement.set_sql_query(sql)
            stream, _ = statement.execute_query()
            with pa.RecordBatchReader._import_from_c(stream.address) as reader:  # noqa: SLF001 (the way that pyarrow documents for a stream's address)
                yield from reader

    def strict(self) -> bool:
        """Say whether the driver refuses what is no integer, or no number, in the midst of some."""
        return all(map(self._refuses, ("1, 1.5", "1, 'x'", "1, x'78'", "1.5, 'x'", "1.5, x'78'")))

    def _refuses(self, values: str) -> bool:
        good, bad = values.split(", ")
        try:
            for _ in self.batches(f"SELECT {good} UNION ALL SELECT {bad}", 1):
                pass
        except errors():
            return True
        return False


def open_beside(path: Path) -> Companion | None:
    """Return a companion, None if its driver would change values in silence."""
    made = Companion(path)
    return made if made.strict() else None


def errors() -> tuple[type[BaseException], ...]:
    """Return what a companion raises when it cannot read on."""
    from adbc_driver_manager import Error

    return (Error, OSError)  # a value that does not fit its column comes as OSError
