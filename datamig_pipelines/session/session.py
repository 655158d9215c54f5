"""An open connection to a source or a target."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.base import Dialect
from datamig_pipelines.dialects.documents import has_documents, in_buckets, rows_sql
from datamig_pipelines.dialects.reading import Compared, Fingerprint, Landing, Read, Row
from datamig_pipelines.dialects.statement import COMMIT, ROLLBACK, Statement
from datamig_pipelines.errors import (
    ConnectionLostError,
    DatamigError,
    DriverMissingError,
    RunningElsewhereError,
)


class Session:
    """One connection, used by one thread at a time.

    Every driver error that passes through leaves as an `EngineError`.
    """

    def __init__(self, dialect: Dialect, url: URL, *, readonly: bool) -> None:
        """Connect. Raises ConnectError, LoginError, DriverMissingError."""
        self.dialect = dialect
        self.url = url
        self.readonly = readonly
        self.lost = False
        """The connection broke while it was in use; `reopen` makes a new one."""
        self._locks: list[str] = []
        self._found: set[TableName] = set()
        with self._translated():
            self._connection = dialect.connect(url, readonly=readonly)

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connection; what was not committed is gone."""
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._connection.close()

    def reopen(self) -> None:
        """Connect anew, in place of a lost connection, and take the locks again that it had.

        Raises:
            ConnectError: The server does not answer (yet).
            RunningElsewhereError: Another process took the lock meanwhile.
        """
        with suppress(*self.dialect.driver_errors()):
            self.close()
        with self._translated():
            self._connection = self.dialect.connect(self.url, readonly=self.readonly)
            self.lost = False
        self._found.clear()
        if not all(self._takes(name) for name in self._locks):
            msg = "the connection that held the run's lock was lost, and another process has it now"
            hint = "`datamig status` shows what it does; run again when it has ended."
            raise RunningElsewhereError(msg, hint=hint)

    def check(self) -> None:
        """Ask the server for a sign of life. Raises ConnectionLostError."""
        with self.transaction():
            pass

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a small statement, [] where it has none."""
        with self._translated():
            return self.dialect.query(self._connection, sql, parameters)

    def has_table(self, name: TableName) -> bool:
        """Say whether a table is there; one that was found is not looked for again.

        For tables that nobody drops while the session is open: those of the ledger. A rollback, a
        restore and a new connection forget what was found.
        """
        if name not in self._found and self.dialect.has_table(self, name):
            self._found.add(name)
        return name in self._found

    def run(self, *statements: Statement) -> None:
        """Send statements one by one."""
        for statement in statements:
            self.query(statement.sql, statement.parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done in the block, or roll it back and pass the error on."""
        self.query(self.dialect.begin())
        try:
            yield
            self.query(COMMIT)  # may be refused as well: a deferred constraint, a busy file
        except BaseException:
            self._rollback()
            raise

    def stream(self, read: Read) -> Iterator[Row]:
        """Yield the rows of a read, one at a time."""
        with self._translated():
            yield from self.dialect.stream(self._connection, read)

    def stream_lists(self, read: Read) -> Iterator[list[Row]]:
        """Yield the rows of a read in lists, as they come off the wire."""
        with self._translated():
            yield from self.dialect.stream_lists(self._connection, read)

    def record_batches(self, sql: str) -> Iterator[Any]:
        """Yield the rows of a SELECT as Arrow record batches, where the engine hands them out."""
        with self._translated():
            yield from self.dialect.record_batches(self._connection, sql)

    def write(self, landing: Landing, payload: Any) -> int:
        """Write one encoded batch inside the open transaction; return the rows that arrived.

        Raises RefusedError for bad rows.
        """
        with self._translated():
            return self.dialect.write(self._connection, landing, payload)

    def fingerprint(self, table: str, columns: Sequence[Compared], where: str = "") -> Fingerprint:
        """Return the portable checksum of a table (quoted name) or of a part of it."""
        if has_documents(columns):
            return sum(self._by_documents(table, columns, "", where).values(), Fingerprint(0, 0))
        return self.dialect.fingerprint(self, table, columns, where)

    def fingerprints(
        self, table: str, columns: Sequence[Compared], bucket: str, where: str = ""
    ) -> dict[int | None, Fingerprint]:
        """Return the portable checksum of every bucket of a table; ``bucket`` is SQL."""
        if has_documents(columns):
            return self._by_documents(table, columns, bucket, where)
        return self.dialect.fingerprints(self, table, columns, bucket, where)

    def _by_documents(
        self, table: str, columns: Sequence[Compared], bucket: str, where: str
    ) -> dict[int | None, Fingerprint]:
        sql = rows_sql(self.dialect, table, columns, bucket, where)
        with self._translated():
            lists = self.dialect.stream_select(self._connection, sql)
            return in_buckets(row for rows in lists for row in rows)

    def lock_run(self, name: str) -> bool:
        """Take a lock that one session of a target may hold until it ends; False: another has it.

        Taken twice, it is held once.
        """
        if name in self._locks:
            return True
        if self._takes(name):
            self._locks.append(name)
            return True
        return False

    def replace(self, files: Sequence[Path]) -> None:
        """Put a backup in the place of everything in the database but our ledger."""
        self._found.clear()
        with self._translated():
            self.dialect.replace(self._connection, self.url, files)

    def _takes(self, lock: str) -> bool:
        with self._translated():
            return self.dialect.lock_run(self._connection, lock)

    def _rollback(self) -> None:
        self._found.clear()  # it may have been made in this very transaction
        try:
            self.query(ROLLBACK)
        except DatamigError:
            # The connection is gone, and with it the transaction: the first error tells why.
            return

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            drivers = self.dialect.driver_errors()
        except ImportError as error:
            msg = f"the Python driver of {self.dialect.label} is not installed: {error}"
            hint = f"pip install {error.name or 'it'}, then run again."
            raise DriverMissingError(msg, hint=hint) from error
        try:
            yield
        except drivers as error:
            meaning = self.dialect.translate(error)
            self.lost = self.lost or isinstance(meaning, ConnectionLostError)
            raise meaning from error


def open_readers(dialect: Dialect, url: URL, count: int) -> tuple[list[Session], str]:
    """Open up to ``count`` sessions that all see one moment of the source.

    Returns:
        The sessions, each inside a read transaction (one only where the engine cannot share a
        snapshot), and the source's position at that moment ('' where it has none).
    """
    sessions: list[Session] = []
    try:
        for _ in range(count if dialect.can.shared_snapshot else 1):
            sessions.append(Session(dialect, url, readonly=True))  # noqa: PERF401 (closed one by one)
        with sessions[0]._translated():  # noqa: SLF001 (a function of this class's own module)
            position = dialect.share_snapshot([s._connection for s in sessions])  # noqa: SLF001
    except BaseException:
        for session in sessions:
            session.close()
        raise
    return sessions, position


__all__ = ["Session", "open_readers"]
