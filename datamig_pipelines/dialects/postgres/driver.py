"""psycopg: connections, statements, snapshots."""

import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.base import RUN_LOCK

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_TIMEOUT_S: Final = 10
_RUN_WAIT_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05
_OURS: Final = {"schema"}  # options of a URL that libpq does not know

_SETTINGS: Final = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "xmloption": "content",
    "client_min_messages": "warning",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "synchronize_seqscans": "off",  # else a scan may begin in the middle of the table
    "row_security": "off",  # an error is better than rows left out in silence
}
_SEEN: Final = "SELECT left(md5(pg_current_snapshot()::text), 16)"
_SEARCH: Final = """
SELECT set_config('search_path', concat_ws(', ', 'public', (
  SELECT string_agg(quote_ident(s), ', ') FROM unnest(current_schemas(false)) s
  WHERE s NOT IN ('public', 'datamig', current_user))), false)"""
"""Bare names mean ``public`` first. ``"$user"`` must not: for a user called as the ledger's schema,
a table without a schema would be the ledger's neighbour."""

_TOKEN: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|%s""", re.DOTALL)


def libpq_parameters(url: URL) -> dict[str, str]:
    """Return the connection parameters of a URL, the password left out."""
    query = {k: v if isinstance(v, str) else ",".join(v) for k, v in url.query.items()}
    parameters = {k: v for k, v in query.items() if k not in _OURS}
    named = {"host": url.host, "user": url.username, "dbname": url.database}
    parameters |= {k: v for k, v in named.items() if v}
    if url.port:
        parameters["port"] = str(url.port)
    return parameters


def connect(url: URL, *, readonly: bool) -> "Connection[tuple[Any, ...]]":
    """Open a connection in autocommit, in UTC and ISO formats.

    ``readonly`` makes every transaction of the session read only.
    """
    import psycopg

    parameters: dict[str, Any] = {
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "application_name": "datamig",
        **libpq_parameters(url),
        "client_encoding": "UTF8",
    }
    if url.password:
        parameters["password"] = str(url.password)
    connection = psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
    settings = _SETTINGS | ({"default_transaction_read_only": "on"} if readonly else {})
    connection.execute(
        "; ".join(f"SET {name} = '{value}'" for name, value in settings.items()).encode()
    )
    connection.execute(_SEARCH.encode())
    return connection


def query(
    connection: "Connection[tuple[Any, ...]]", sql: str, parameters: Sequence[object]
) -> list[tuple[Any, ...]]:
    """Run SQL and return the rows of its last statement, [] where it has none.

    Values are bound by the server, so that a percent sign in a name is only a percent sign.
    Several statements in one text are one transaction; they take no parameters.
    """
    from psycopg import RawCursor

    with RawCursor(connection) as cursor:
        if parameters:
            cursor.execute(_numbered(sql).encode(), tuple(parameters))
        else:
            cursor.execute(sql.encode())
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        while cursor.nextset():
            rows = cursor.fetchall() if cursor.description else []
        return rows


def stream_select(
    connection: "Connection[tuple[Any, ...]]", sql: str
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a SELECT as the server sends them, one at a time."""
    from psycopg import RawCursor

    with RawCursor(connection) as cursor:
        for row in cursor.stream(sql.encode()):
            yield [row]


def _numbered(sql: str) -> str:
    """Return SQL with ``$1``, ``$2``, … for each ``%s`` that stands outside of quotes."""
    count = 0

    def mark(token: re.Match[str]) -> str:
        nonlocal count
        if token[0] != "%s":
            return token[0]
        count += 1
        return f"${count}"

    return _TOKEN.sub(mark, sql)


def share_snapshot(connections: Sequence["Connection[tuple[Any, ...]]"]) -> str:
    """Open a repeatable read on every connection, all of one snapshot.

    Returns:
        The position in the write-ahead log just before it, and a digest of the snapshot:
        ``16/B374D848 0123456789abcdef``. Nothing committed later than the position is missed by
        reading on from there, and equal positions saw the same commits: a transaction may be in
        the log and not be seen yet, which the log alone does not tell. '' where the user may not
        ask.
    """
    first = connections[0]
    position = _position(first)
    query(first, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
    seen = query(first, _SEEN, ())[0][0]  # the first statement takes the snapshot
    snapshot = query(first, "SELECT pg_export_snapshot()", ())[0][0] if connections[1:] else ""
    for connection in connections[1:]:
        query(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        query(connection, f"SET TRANSACTION SNAPSHOT '{snapshot}'", ())
    return f"{position} {seen}" if position else ""


def _position(connection: "Connection[tuple[Any, ...]]") -> str:
    asked = (
        "SELECT f FROM (SELECT CASE WHEN pg_is_in_recovery() THEN 'pg_last_wal_replay_lsn()' "
        "ELSE 'pg_current_wal_lsn()' END AS f) q WHERE has_function_privilege(f, 'EXECUTE')"
    )
    allowed = query(connection, asked, ())
    if not allowed:
        return ""
    return str(query(connection, f"SELECT {allowed[0][0]}::text", ())[0][0] or "")


def lock_run(connection: "Connection[tuple[Any, ...]]", name: str) -> bool:
    """Take the session's advisory lock of that name; False if another session has it.

    A session whose process was killed just now holds it until the server has seen that: the run's
    lock is waited for so long.
    """
    ends_at = time.monotonic() + (_RUN_WAIT_S if name == RUN_LOCK else 0.0)
    while True:
        rows = query(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,))
        if rows[0][0] or time.monotonic() >= ends_at:
            return bool(rows[0][0])
        time.sleep(_LOOK_EVERY_S)
