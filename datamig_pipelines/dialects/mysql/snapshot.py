"""One moment of the database for several sessions, and its place in the binary log."""

import re
from collections.abc import Sequence
from typing import Any, Final

from datamig_pipelines.dialects.mysql.driver import is_mariadb, query
from datamig_pipelines.dialects.mysql.failures import translate
from datamig_pipelines.errors import PermissionDeniedError

START: Final = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_REPLICA: Final = (
    "SELECT COUNT(*), @@log_slave_updates FROM information_schema.processlist "
    "WHERE user = 'system user' AND command LIKE 'Slave%'"
)
_LOCK: Final = "FLUSH TABLES WITH READ LOCK"


def share_snapshot(connections: Sequence[Any]) -> str:
    """Open a snapshot on every connection under a short global read lock.

    Without the privilege for the lock a single connection still reads one moment of its own.

    Returns:
        ``file:position`` of the binary log, '' where it is off, may not be seen, or does not hold
        every change.

    Raises:
        PermissionDeniedError: Several connections, but the user may not lock.
    """
    first = connections[0]
    locked = _lock(first, alone=len(connections) == 1)
    try:
        for connection in connections:
            query(connection, START, ())
        return _position(first, locked=locked) if _logs_all(first) else ""
    finally:
        if locked:
            query(first, "UNLOCK TABLES", ())


def _lock(connection: Any, *, alone: bool) -> bool:
    import pymysql

    try:
        query(connection, _LOCK, ())
    except pymysql.err.Error as error:
        denied = translate(error)
        if not isinstance(denied, PermissionDeniedError):
            raise
        if alone:
            return False
        raise PermissionDeniedError(
            f"{denied.message}: several sessions cannot share one snapshot without {_LOCK}",
            hint="GRANT RELOAD ON *.* to the user of the source, or set `workers: 1`.",
        ) from error
    return True


def _logs_all(connection: Any) -> bool:
    """Say whether every commit moves the binary log on, as far as that can be seen.

    A replica may not log what it was sent, and a log may be told to leave databases out: who may
    not ask (BINLOG MONITOR) cannot be sure. ``SET sql_log_bin = 0`` is not seen by anybody.
    """
    import pymysql

    try:
        running, logged = query(connection, _REPLICA, ())[0]
        rows = query(connection, "SHOW MASTER STATUS", ())
    except pymysql.err.Error:  # not allowed; or MySQL 8.4, whose words `_mysql_position` knows
        return not is_mariadb(connection.get_server_info())
    if running and not logged:
        return False
    return not rows or not any(rows[0][2:4])


def _position(connection: Any, *, locked: bool) -> str:
    version = connection.get_server_info()
    if is_mariadb(version):
        rows = query(connection, "SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", ())
        values = {str(name).lower(): value for name, value in rows}
        file = values.get("binlog_snapshot_file", "")
        return f"{file}:{values['binlog_snapshot_position']}" if file else ""
    return _mysql_position(connection, version) if locked else ""


def _mysql_position(connection: Any, version: str) -> str:
    """Return MySQL's position, which is the snapshot's while the lock is held."""
    import pymysql

    numbers = [int(n) for n in re.findall(r"\d+", version)[:2]]
    words = "BINARY LOG STATUS" if numbers >= [8, 2] else "MASTER STATUS"
    try:
        rows = query(connection, f"SHOW {words}", ())
    except pymysql.err.Error as error:
        if isinstance(translate(error), PermissionDeniedError):
            return ""
        raise
    return f"{rows[0][0]}:{rows[0][1]}" if rows else ""
