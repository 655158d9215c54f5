"""Rows as the server frames them, without decoding: the cheapest way to read one column of bytes.

The protocol sends a row as packets of ``length (3 bytes, little endian) · sequence (1) · payload``,
a payload of 0xFFFFFF bytes being continued by the next packet; each column is a length-encoded
string. pymysql spends several calls per packet on this; here a block of the socket is cut at once.
"""

from binascii import hexlify
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

from datamig_pipelines.dialects.mysql.driver import stop_query
from datamig_pipelines.dialects.mysql.rendering import BYTEA, bytea
from datamig_pipelines.dialects.reading import Cell
from datamig_pipelines.errors import StatementError

Decoder = Callable[[bytes], Cell]
PieceDecoder = Callable[[bytes], bytes]

_BLOCK: Final = 256 * 1024
_LARGE: Final = 1 << 20
_LONGEST: Final = 0xFFFFFF
_EOF: Final = 0xFE
_ERROR: Final = 0xFF
_NULL: Final = 0xFB
_LOST: Final = 2013
_INTERRUPTED: Final = 1317
_SIZES: Final = {0xFC: 2, 0xFD: 3, 0xFE: 8}


class Result:
    """The rows of one statement, read once, in order, while the connection does nothing else."""

    def __init__(self, connection: Any, sql: str) -> None:
        """Send ``sql``; raises what the server says about it."""
        self._connection = connection
        self._rest = b""
        self._finished = False
        connection.query(sql, unbuffered=True)
        self.columns = int(connection._result.field_count)  # noqa: SLF001 (pymysql < 2, pinned)

    def payloads(self) -> Generator[bytes, None, None]:
        """Yield the payload of every row packet.

        Raises:
            pymysql.err.Error: The server's error in the middle of the rows, or a lost connection.
        """
        stream = self._connection._rfile  # noqa: SLF001
        buffer, at, parts = self._rest, 0, b""
        try:
            while True:
                end = len(buffer)
                missing = 4
                while end - at >= 4:
                    size = int.from_bytes(buffer[at : at + 3], "little")
                    stop = at + 4 + size
                    if stop > end and size < _LARGE:
                        missing = stop - end
                        break
                    if stop > end:
                        payload = self._read(stream, buffer[at + 4 :], size)
                        buffer, at, end = b"", 0, 0
                    else:
                        payload = buffer[at + 4 : stop]
                        at = stop
                    if size == _LONGEST:
                        parts += payload
                        continue
                    payload, parts = parts + payload, b""  # copies nothing where one is empty
                    if payload[0] >= _EOF and self._ends(payload):
                        return
                    yield payload
                    payload = b""
                chunk = stream.read(missing) if missing > _BLOCK else stream.read1(_BLOCK)
                if not chunk:
                    self._lost()
                buffer, at = buffer[at:] + chunk, 0
        finally:
            self._rest = buffer[at:]

    def close(self) -> None:
        """Stop the statement if rows are left, and make the connection ready for the next one."""
        import pymysql

        if self._finished:
            return
        if not stop_query(self._connection):
            self._give_up()
            return
        try:
            for _ in self.payloads():
                pass
        except pymysql.err.Error as error:
            if error.args[0] not in (_INTERRUPTED, _LOST):
                raise

    def _read(self, stream: Any, head: bytes, size: int) -> bytes:
        """Read the rest of a large payload into its place."""
        payload = bytearray(size)
        payload[: len(head)] = head
        view, at = memoryview(payload), len(head)
        while at < size:
            count = stream.readinto(view[at:])
            if not count:
                self._lost()
            at += count
        return bytes(payload)

    def _ends(self, payload: bytes) -> bool:
        """Say whether a payload is the end of the rows. Raises the server's error if it is one."""
        from pymysql.err import raise_mysql_exception

        if payload[0] == _ERROR:
            self._finish()
            raise_mysql_exception(payload)
        if len(payload) < 9:
            self._finish()
            return True
        return False

    def _finish(self) -> None:
        self._finished = True
        result = self._connection._result  # noqa: SLF001
        result.unbuffered_active = False
        result.connection = None
        self._connection._result = None  # noqa: SLF001

    def _lost(self) -> None:
        import pymysql

        self._give_up()
        raise pymysql.err.OperationalError(_LOST, "lost the connection while reading rows")

    def _give_up(self) -> None:
        self._finish()
        self._connection._force_close()  # noqa: SLF001


def read_lines(
    connection: Any, sql: str, decoders: tuple[PieceDecoder | None, ...]
) -> Iterator[bytes]:
    """Yield COPY text lines, joined of the pieces that the columns of a statement are.

    Args:
        connection: pymysql's.
        sql: The statement; one column per piece.
        decoders: What the client does with a piece; None where the server wrote it ready.

    Raises:
        StatementError: The server gave NULL for a piece of its own: the text was longer than its
            ``max_allowed_packet``.
    """
    result = Result(connection, sql)
    payloads = result.payloads()
    try:
        if decoders == (None,):
            for payload in payloads:
                head = payload[0]
                if head < _NULL:
                    yield payload[1:] + b"\n"
                else:
                    yield _line(payload, decoders)
        else:
            for payload in payloads:
                line = _line(payload, decoders)
                del payload
                yield line
    finally:
        payloads.close()
        result.close()


def _line(payload: bytes, decoders: tuple[PieceDecoder | None, ...]) -> bytes:
    if len(payload) > _LARGE:
        return _large_line(payload, decoders)
    pieces = []
    at = 0
    for decode in decoders:
        size = payload[at]
        at += 1
        if size == _NULL:
            if decode is None:
                raise _too_long()
            pieces.append(rb"\N")
            continue
        if size > _NULL:
            width = _SIZES[size]
            size = int.from_bytes(payload[at : at + width], "little")
            at += width
        stop = at + size
        pieces.append(payload[at:stop] if decode is None else decode(payload[at:stop]))
        at = stop
    return b"\t".join(pieces) + b"\n"


def _large_line(payload: bytes, decoders: tuple[PieceDecoder | None, ...]) -> bytes:
    """Return the same line; the digits of a blob are made of the payload itself."""
    view = memoryview(payload)
    parts: list[bytes | memoryview] = []
    at = 0
    for decode in decoders:
        size, at = _sized(payload, at)
        if size is None and decode is None:
            raise _too_long()
        if size is None:
            parts += (rb"\N", b"\t")
            continue
        value = view[at : at + size]
        at += size
        if decode is bytea:
            parts += (BYTEA, hexlify(value), b"\t")
        else:
            parts += (value if decode is None else decode(bytes(value)), b"\t")
    parts[-1] = b"\n"
    return b"".join(parts)


def _sized(payload: bytes, at: int) -> tuple[int | None, int]:
    """Return the size of the value at a place, None for NULL, and where it begins."""
    size = payload[at]
    if size == _NULL:
        return None, at + 1
    if size < _NULL:
        return size, at + 1
    width = _SIZES[size]
    return int.from_bytes(payload[at + 1 : at + 1 + width], "little"), at + 1 + width


def _too_long() -> StatementError:
    return StatementError(
        "a row is longer than the server's max_allowed_packet and cannot be rendered",
        hint="raise max_allowed_packet on the server (SET GLOBAL max_allowed_packet = "
        "1073741824), or exclude the table's large columns.",
    )


def read_cells(
    connection: Any, sql: str, decoders: tuple[Decoder, ...]
) -> Iterator[tuple[Cell, ...]]:
    """Yield rows of a statement, one decoder per column."""
    result = Result(connection, sql)
    payloads = result.payloads()
    try:
        for payload in payloads:
            yield _cells(payload, decoders)
    finally:
        payloads.close()
        result.close()


def read_texts(connection: Any, sql: str) -> Iterator[tuple[Cell, ...]]:
    """Yield rows of a statement, every value as its text."""
    result = Result(connection, sql)
    payloads = result.payloads()
    decoders: tuple[Decoder, ...] = (bytes.decode,) * result.columns
    try:
        for payload in payloads:
            yield _cells(payload, decoders)
    finally:
        payloads.close()
        result.close()


def _cells(payload: bytes, decoders: tuple[Decoder, ...]) -> tuple[Cell, ...]:
    row: list[Cell] = []
    at = 0
    for decode in decoders:
        size = payload[at]
        at += 1
        if size == _NULL:
            row.append(None)
            continue
        if size > _NULL:
            width = _SIZES[size]
            size = int.from_bytes(payload[at : at + width], "little")
            at += width
        stop = at + size
        row.append(decode(payload[at:stop]))
        at = stop
    return tuple(row)
