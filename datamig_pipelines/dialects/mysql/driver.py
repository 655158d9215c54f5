"""pymysql: connections in autocommit, UTC, utf8mb4 and a known sql_mode."""

from collections.abc import Callable, Sequence
from functools import cache
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any, Final

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.base import RUN_LOCK
from datamig_pipelines.errors import ConnectError, DriverMissingError, SpecError

CONNECT_TIMEOUT_S: Final = 10
_RUN_WAIT_S: Final = 2
SQL_MODE: Final = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO"
"""No ANSI_QUOTES, PIPES_AS_CONCAT, NO_BACKSLASH_ESCAPES, NO_ZERO_DATE, PAD_CHAR_TO_FULL_LENGTH."""

PACKET_BYTES: Final = 1024**3

_SESSION: Final = (
    "SET SESSION time_zone = '+00:00', lock_wait_timeout = 30",
    "SET SESSION net_write_timeout = 86400, net_read_timeout = 3600, wait_timeout = 86400",
    "SET SESSION sql_select_limit = 18446744073709551615",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
)
"""A slow target must not make the server hang up, nor a pause within a day; a server's default
limits must not cut a read."""

_READER: Final = (
    # A key that was stored as 2020-02-31 must be a value where a range ends with it, and not NULL.
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',ALLOW_INVALID_DATES')",
    # By default a sort looks at 1,024 bytes only: longer texts would come in any order. No index
    # holds more than 3,072 bytes, nor their weights in a collation more than this.
    "SET SESSION max_sort_length = 16384",
    "SET SESSION sort_buffer_size = GREATEST(@@sort_buffer_size, 4194304)",
    "SET SESSION TRANSACTION READ ONLY",
)
"""What a source's sessions need besides, so that a stream comes in the order of its key."""

_WRITER: Final = (
    "SET SESSION unique_checks = 1, foreign_key_checks = 1",
    "SET SESSION sql_notes = 1, max_error_count = 1024",  # a warning is how LOAD DATA refuses
)
"""What a target's sessions need besides: `loading` reads every warning."""

_MARIADB: Final = ("SET SESSION max_statement_time = 0",)
_MYSQL: Final = (
    "SET SESSION max_execution_time = 0",
    "SET SESSION information_schema_stats_expiry = 0",  # else AUTO_INCREMENT may be a day old
)


def _flag(text: str) -> bool:
    return text.lower() in ("1", "true", "yes", "on")


_OPTIONS: Final[dict[str, Callable[[str], object]]] = {
    "connect_timeout": float,
    "read_timeout": float,
    "write_timeout": float,
    "unix_socket": str,
    "bind_address": str,
    "ssl_ca": str,
    "ssl_cert": str,
    "ssl_key": str,
    "ssl_disabled": _flag,
    "ssl_verify_cert": _flag,
    "ssl_verify_identity": _flag,
}


def options(url: URL) -> dict[str, Any]:
    """Return pymysql's keyword arguments for a URL.

    Raises:
        SpecError: The URL has an option that is not known here.
        ConnectError: The URL names no database.
    """
    if not url.database:
        raise ConnectError(
            "the URL names no database",
            hint="write mysql://user@host:3306/database.",
        )
    made: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S}
    for name, value in url.query.items():
        if name == "charset":  # always utf8mb4, which holds every other character set
            continue
        if name not in _OPTIONS:
            known = ", ".join(sorted(_OPTIONS))
            raise SpecError(f"unknown option {name} in the URL", hint=f"MySQL knows: {known}.")
        made[name] = _OPTIONS[name](value if isinstance(value, str) else value[-1])
    return made | {
        "host": url.host or "localhost",
        "port": url.port or 3306,
        "user": url.username or "",
        "password": (url.password or "").encode(),
        "database": url.database,
        "charset": "utf8mb4",
        "autocommit": True,
        "sql_mode": SQL_MODE,
        "max_allowed_packet": PACKET_BYTES,
    }


def connect(url: URL, *, readonly: bool) -> Any:
    """Open a connection; ``readonly`` makes every transaction of the session READ ONLY.

    A session that may write can be asked for the rows of a LOAD DATA LOCAL; `loading` answers from
    memory. pymysql itself would answer with any file that the server names, so it may not.
    """
    arguments = options(url)
    connection = _open(arguments if readonly else arguments | {"local_infile": True})
    connection._local_infile = False  # noqa: SLF001 (pymysql < 2, pinned)
    try:
        flavour = _MARIADB if is_mariadb(connection.get_server_info()) else _MYSQL
        for statement in (*_SESSION, *flavour):
            query(connection, statement, ())
        if readonly:
            for statement in _READER:
                query(connection, statement, ())
        else:
            _prepare_writer(connection)
    except BaseException:
        connection.close()
        raise
    connection.datamig_options = arguments  # for `stop_query`, which needs a second connection
    return connection


def _prepare_writer(connection: Any) -> None:
    """Set what a target's session needs; without locks on gaps, workers do not wait for each other.

    A server whose binary log holds statements only refuses to log those of READ COMMITTED.
    """
    for statement in _WRITER:
        query(connection, statement, ())
    logged, form = query(connection, "SELECT @@log_bin, @@binlog_format", ())[0]
    if not logged or form != "STATEMENT":
        query(connection, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", ())


def lock_run(connection: Any, name: str) -> bool:
    """Take the lock of that name on this database; False if another session has it.

    A session that ended just now, or whose process was killed, may hold it for a moment longer.
    """
    wanted = "LEFT(CONCAT(%s, ':', SHA1(DATABASE())), 64)"  # MySQL keeps 64 characters
    wait_s = _RUN_WAIT_S if name == RUN_LOCK else 1
    return bool(query(connection, f"SELECT GET_LOCK({wanted}, {wait_s})", (name,))[0][0])


@cache
def _preferred_tls() -> SSLContext:
    """Return what pymysql tries where the URL says nothing of TLS: encrypted, nobody verified.

    pymysql itself would read every CA certificate of the system for each connection, in 20 ms.
    """
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = CERT_NONE
    return context


def _open(arguments: dict[str, Any]) -> Any:
    import pymysql

    tls = any(name.startswith("ssl") for name in arguments)
    arguments = arguments if tls else arguments | {"ssl_disabled": True}
    try:
        connection: Any = pymysql.connect(**arguments, defer_connect=True)
        if not tls:
            connection.ssl, connection.ctx = True, _preferred_tls()
        connection.connect()
    except RuntimeError as error:  # caching_sha2_password without TLS
        if "cryptography" not in str(error):
            raise
        raise DriverMissingError(
            f"pymysql cannot log in without TLS: {error}",
            hint="pip install cryptography, or connect with TLS (ssl_ca=... in the URL).",
        ) from error
    return connection


def is_mariadb(version: str) -> bool:
    """Say whether a server's version string is MariaDB's; everything else counts as MySQL."""
    return "mariadb" in version.lower()


def query(connection: Any, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """Run one statement and return its rows. Without parameters ``%`` means itself."""
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(parameters) or None)
        return list(cursor.fetchall())


def stop_query(connection: Any) -> bool:
    """Make the server end the statement that ``connection`` runs; its transaction goes on.

    Returns:
        False if no second connection can be had: then the first one can only be given up.
    """
    import pymysql

    try:
        with _open(connection.datamig_options) as killer, killer.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(connection.thread_id())}")
    except pymysql.err.Error:
        return False
    return True
