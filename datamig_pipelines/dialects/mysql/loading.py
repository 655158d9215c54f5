r"""LOAD DATA LOCAL, fed from memory, and held to account for every row.

The server asks for a file by name; whatever it asks for, it gets the payload of the batch, so no
file is read or written. LOCAL makes the server forgiving: what strict mode refuses elsewhere (a
number out of range, a text too long, a second row of one key) becomes a warning, and the row is
changed or left out. Here every such warning is a refusal, and so is a row that did not arrive.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from datamig_pipelines.dialects.mysql.driver import query
from datamig_pipelines.dialects.mysql.failures import refusal
from datamig_pipelines.errors import RefusedError, StatementError

_PACKET_BYTES: Final = 512 * 1024
"""Below the smallest ``max_allowed_packet`` that a server may have been given (1 MiB)."""

_HARMLESS: Final = frozenset({1287, 1592, 1681})
"""Deprecated words, and statements that a statement-based binary log may replay otherwise."""

_OUT_OF_RANGE: Final = 1690
_ESCAPE: Final = re.compile(rb"\\[\s\S]")
_OWN_ESCAPES: Final = {rb"\f": b"\x0c", rb"\v": b"\x0b"}


def load(connection: Any, sql: str, blocks: Iterable[bytes]) -> int:
    """Send blocks of whole COPY text lines to a LOAD DATA LOCAL statement; return its count.

    Raises:
        RefusedError: The server took a row otherwise than it was sent, or not at all.
        pymysql.err.Error: Any other error of the server.
    """
    import pymysql

    sent = 0
    try:
        _ask(connection, sql)
        try:
            for block in blocks:
                sent += block.count(b"\n")
                for part in _parts(_readable(block)):
                    connection.write_packet(part)
        except RefusedError:  # of a value on its way into a block: end the file, then tell
            connection.write_packet(b"")
            with suppress(pymysql.err.Error):
                _answer(connection)
            raise
        connection.write_packet(b"")
        done = _answer(connection)
    except pymysql.err.Error as error:
        if error.args and error.args[0] == _OUT_OF_RANGE:  # raised by an expression of `landing`
            raise refusal(_OUT_OF_RANGE, "a value that its column cannot hold as it is") from error
        raise
    if done.warning_count:
        _judge(connection, int(done.warning_count))
    if done.affected_rows != sent:
        raise refusal(0, f"{sent} rows were sent, {done.affected_rows} arrived")
    return int(done.affected_rows)


def _ask(connection: Any, sql: str) -> None:
    """Send the statement and take the server's request for a file."""
    from pymysql.constants import COMMAND

    connection._execute_command(COMMAND.COM_QUERY, sql)  # noqa: SLF001 (pymysql < 2, pinned)
    packet = connection._read_packet()  # noqa: SLF001
    if not packet.is_load_local_packet():
        raise StatementError(
            "the server did not ask for the rows of LOAD DATA LOCAL",
            hint="allow it on the server: SET GLOBAL local_infile = 1.",
        )


def _answer(connection: Any) -> Any:
    from pymysql.protocol import OKPacketWrapper

    return OKPacketWrapper(connection._read_packet())  # noqa: SLF001


def _parts(block: bytes) -> Iterator[bytes]:
    if len(block) <= _PACKET_BYTES:
        yield block
        return
    view = memoryview(block)
    for at in range(0, len(block), _PACKET_BYTES):
        yield bytes(view[at : at + _PACKET_BYTES])


def _readable(block: bytes) -> bytes:
    r"""Return lines without ``\f`` and ``\v``, which LOAD DATA would read as the letters."""
    if rb"\f" not in block and rb"\v" not in block:
        return block
    return _ESCAPE.sub(lambda found: _OWN_ESCAPES.get(found[0], found[0]), block)


def _judge(connection: Any, count: int) -> None:
    """Refuse the batch for its first warning that is not harmless."""
    shown = query(connection, "SHOW WARNINGS", ())
    for _, code, message in shown:
        if code not in _HARMLESS:
            raise refusal(int(code), str(message))
    if count > len(shown):
        raise refusal(0, f"{count} warnings, of which the server shows {len(shown)}")
