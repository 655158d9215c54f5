"""Puts a backup in the place of what is in a database; our ledger's tables stay."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName, is_ledger
from datamig_pipelines.dialects.mysql import backup, driver, failures
from datamig_pipelines.dialects.mysql.beside_reader import routine_grants
from datamig_pipelines.dialects.mysql.names import quote
from datamig_pipelines.errors import BackupError, LockTimeoutError, RestoreError

_LOCK: Final = "CONCAT('datamig restore ', LEFT(MD5(DATABASE()), 16))"
_WAIT_S: Final = 30
_KINDS: Final = {
    "VIEW": "VIEW",
    "SEQUENCE": "SEQUENCE",
    "BASE TABLE": "TABLE",
    "SYSTEM VERSIONED": "TABLE",
}
_ROUTINES: Final = (
    "SELECT routine_name FROM information_schema.routines "
    "WHERE routine_schema = DATABASE() AND routine_type = "
)
_OTHERS: Final = (
    ("EVENT", "SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE()"),
    ("PROCEDURE", f"{_ROUTINES}'PROCEDURE'"),
    ("FUNCTION", f"{_ROUTINES}'FUNCTION'"),
)
_RELATIONS: Final = (
    "SELECT table_type, table_name FROM information_schema.tables "
    "WHERE table_schema = DATABASE() ORDER BY table_type DESC, table_name"
)


def replace(connection: Any, url: URL, files: Sequence[Path]) -> None:
    """Drop everything but our ledger, then run the scripts of a backup.

    The engine commits every statement by itself: a process that dies in between leaves a part, and
    a repetition drops that and starts over.

    Raises:
        DriverMissingError: There is no client; nothing was changed.
        RestoreError: A script was refused; the target holds a part of the backup.
    """
    backup.client()
    _outwait(connection)
    rights = routine_grants(_Asking(connection)) or []
    driver.query(connection, "SET SESSION foreign_key_checks = 0", ())
    try:
        for statement in _drops(connection):
            driver.query(connection, statement, ())
    finally:
        driver.query(connection, "SET SESSION foreign_key_checks = 1", ())
    scripts = [f for f in files if f.name != backup.LEDGER_FILE]
    try:
        backup.restore(url, scripts, first=only_for(connection))
    except BackupError as error:
        msg = f"the restore stopped half-way: {error.message}"
        hint = "Mend the cause, then run the same rollback again: it starts this restore over."
        raise RestoreError(msg, hint=hint) from error
    _give(connection, rights)


def only_for(connection: Any) -> str:
    """Return what a client runs first: it stops where the session that started it has ended.

    One whose process was killed before it had connected would work off what is in its pipe, beside
    the client of the next restore. Later ones are waited for by that: see `_outwait`.
    """
    ((own,),) = driver.query(connection, "SELECT CONNECTION_ID()", ())
    there = f"EXISTS (SELECT 1 FROM information_schema.processlist WHERE id = {own})"
    only = f"GET_LOCK({_LOCK}, 0) AND {there}"
    return (
        f"SET @datamig = IF({only}, 'DO 0', 'this restore was given up');\n"
        "PREPARE datamig FROM @datamig;\nEXECUTE datamig;\nDEALLOCATE PREPARE datamig;\n"
    )


def _give(connection: Any, rights: Sequence[str]) -> None:
    """Give rights on routines again, which went with these; what is refused is told afterwards.

    A routine may be gone, and a user may not be allowed to: the states are compared for that.
    """
    import pymysql

    for statement in rights:
        with suppress(pymysql.err.Error):
            driver.query(connection, statement, ())


class _Asking:
    """A connection as the readers of the catalog see it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a small query. Raises DatamigError."""
        import pymysql

        try:
            return driver.query(self._connection, sql, parameters)
        except pymysql.err.Error as error:
            raise failures.translate(error) from error


def _outwait(connection: Any) -> None:
    """Wait for the client of a killed restore, which works off what is left in its pipe.

    Raises:
        LockTimeoutError: It does not end.
    """
    got = driver.query(connection, f"SELECT GET_LOCK({_LOCK}, {_WAIT_S})", ())
    if tuple(got[0]) != (1,):
        msg = f"the client of an earlier restore is still at work after {_WAIT_S} s"
        raise LockTimeoutError(msg, hint="End it (a `mariadb` process), then roll back again.")
    driver.query(connection, f"SELECT RELEASE_LOCK({_LOCK})", ())


def _drops(connection: Any) -> Iterator[str]:
    packages = driver.query(connection, f"{_ROUTINES}'PACKAGE'", ())
    if packages:  # no other mode knows the word
        yield "SET @datamig_mode = @@sql_mode, SESSION sql_mode = 'ORACLE'"
        yield from (f"DROP PACKAGE IF EXISTS {quote(name)}" for (name,) in packages)
        yield "SET SESSION sql_mode = @datamig_mode"
    for kind, sql in _OTHERS:
        for (name,) in driver.query(connection, sql, ()):
            yield f"DROP {kind} IF EXISTS {quote(name)}"
    for kind, name in driver.query(connection, _RELATIONS, ()):
        if kind in _KINDS and not is_ledger(TableName("", name)):
            yield f"DROP {_KINDS[kind]} IF EXISTS {quote(name)}"
