"""COPY on the level of libpq: one message, one row, no Python value per cell."""

import selectors
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres import driver

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGconn

FORMATS: Final = {
    Wire.COPY_BINARY: "FORMAT binary",
    Wire.COPY_TEXT: "FORMAT text",
    Wire.COPY_CSV: "FORMAT csv, FORCE_QUOTE *",
}
_BLOCK_BYTES: Final = 128 * 1024
_LARGE: Final = 1 << 20
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_HEADER: Final = _SIGNATURE + bytes(8)  # no flags, no extension
_TRAILER: Final = b"\xff\xff"
_SAVEPOINT: Final = "datamig_stream"
_BY_PLACE: Final = (
    ("max_parallel_workers_per_gather", "0"),
    ("enable_indexscan", "off"),
    ("enable_indexonlyscan", "off"),
)
"""With `driver.connect`'s ``synchronize_seqscans``, what keeps rows in the order of their pages."""


def copy_out(
    connection: "Connection[tuple[Any, ...]]", select: str, wire: Wire, *, by_place: bool = False
) -> Iterator[bytes]:
    """Yield the rows of a SELECT, one ``bytes`` each; see `copy_out_lists`."""
    with closing(copy_out_lists(connection, select, wire, by_place=by_place)) as lists:
        for rows in lists:
            yield from rows


def copy_out_lists(
    connection: "Connection[tuple[Any, ...]]", select: str, wire: Wire, *, by_place: bool = False
) -> Generator[list[Any], None, None]:
    """Yield the rows of a SELECT, one ``bytes`` each as COPY frames them, in lists.

    A list is what libpq held at once. Binary rows come without header and trailer. Closed before
    the end, the query is cancelled and the connection is usable again, its transaction included.
    ``by_place``: rows come as they lie in the table, so that every reader has the same order.
    """
    with _protected(connection), _settled(connection, _BY_PLACE if by_place else ()):
        pgconn = connection.pgconn
        _expect(pgconn, f"COPY ({select}) TO STDOUT ({FORMATS[wire]})", "COPY_OUT")
        try:
            lists = _messages(pgconn)
            yield from _unframed(lists) if wire is Wire.COPY_BINARY else lists
        except GeneratorExit:
            _cancel(pgconn)
            raise


def copy_in(
    connection: "Connection[tuple[Any, ...]]", copy: str, blocks: Iterable[bytes], wire: Wire
) -> int:
    """Send blocks of rows to a ``COPY … FROM STDIN`` and return the server's count of them.

    A refusal raises psycopg's own error.
    """
    pgconn = connection.pgconn
    _expect(pgconn, f"{copy} ({FORMATS[wire].partition(',')[0]})", "COPY_IN")
    framed = wire is Wire.COPY_BINARY
    with selectors.DefaultSelector() as selector:
        key = selector.register(pgconn.socket, selectors.EVENT_READ)
        try:
            for block in _coalesced(blocks, _HEADER if framed else b""):
                _put(pgconn, block, selector, key)
            if framed:
                _put(pgconn, _TRAILER, selector, key)
        except BaseException:
            _give_up(pgconn)
            raise
        pgconn.put_copy_end()
        _flush(pgconn, selector, key)
        return _finish(pgconn)


@contextmanager
def _protected(connection: "Connection[tuple[Any, ...]]") -> Iterator[None]:
    """Keep a surrounding transaction alive when a stream in it ends early, and as it was."""
    inside = _inside(connection)
    if inside:
        driver.query(connection, f"SAVEPOINT {_SAVEPOINT}", ())
    try:
        yield
    finally:
        if inside and not connection.broken:
            undo = f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}; RELEASE SAVEPOINT {_SAVEPOINT}"
            driver.query(connection, undo, ())


@contextmanager
def _settled(
    connection: "Connection[tuple[Any, ...]]", settings: tuple[tuple[str, str], ...]
) -> Iterator[None]:
    """Change settings for a stream; inside of a transaction its savepoint takes them back."""
    inside = _inside(connection)
    if settings:
        driver.query(connection, "; ".join(f"SET {n} = {v}" for n, v in settings), ())
    try:
        yield
    finally:
        if settings and not inside and not connection.broken:
            driver.query(connection, "; ".join(f"RESET {n}" for n, _ in settings), ())


def _inside(connection: "Connection[tuple[Any, ...]]") -> bool:
    from psycopg.pq import TransactionStatus

    return connection.info.transaction_status is TransactionStatus.INTRANS


def _expect(pgconn: "PGconn", command: str, status: str) -> None:
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    result = pgconn.exec_(command.encode())
    if result.status != ExecStatus[status]:
        raise error_from_result(result)


def _messages(pgconn: "PGconn") -> Iterator[list[bytes]]:
    """Yield what libpq holds, message by message, until it has to wait for the server."""
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        get, wait, consume = pgconn.get_copy_data, selector.select, pgconn.consume_input
        while True:
            held: list[bytes] = []
            size, data = get(1)
            while size > 0:
                held.append(bytes(data))
                if size > _LARGE:
                    del data  # libpq's own copy goes before the next one comes
                size, data = get(1)
            if size < 0:  # who closes the stream behind this list finds the connection at rest
                _finish(pgconn)
            if held:
                yield held
            if size < 0:
                return
            wait()  # other threads run meanwhile
            consume()


def _unframed(lists: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    """Take the header off the first message, and drop the trailer, which is the last one."""
    for first in lists:
        extension = int.from_bytes(first[0][15:19], "big")
        rest = first[0][19 + extension :]
        yield _without_trailer([rest, *first[1:]] if rest else first[1:])
        break
    for messages in lists:
        yield _without_trailer(messages)


def _without_trailer(messages: list[bytes]) -> list[bytes]:
    return messages[:-1] if messages and messages[-1] == _TRAILER else messages


def _coalesced(blocks: Iterable[bytes], head: bytes) -> Iterator[bytes]:
    """Join small blocks into larger ones, and cut large ones; ``head`` comes first."""
    held, size = [head], len(head)
    for block in blocks:
        if len(block) > _LARGE:  # libpq would hold all of it, and keeps what it once held
            if size:
                yield b"".join(held)
            held, size = [], 0
            for at in range(0, len(block), _BLOCK_BYTES):
                yield block[at : at + _BLOCK_BYTES]
            continue
        held.append(block)
        size += len(block)
        if size >= _BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def _put(
    pgconn: "PGconn",
    block: bytes,
    selector: selectors.BaseSelector,
    key: selectors.SelectorKey,
) -> None:
    while pgconn.put_copy_data(block) == 0:
        _flush(pgconn, selector, key)
    _flush(pgconn, selector, key)


def _flush(pgconn: "PGconn", selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Wait until the server has taken what libpq holds, so that memory stays bounded."""
    if not pgconn.flush():
        return
    both = selectors.EVENT_READ | selectors.EVENT_WRITE
    selector.modify(key.fd, both)
    while pgconn.flush():
        for _, events in selector.select():
            if events & selectors.EVENT_READ:
                pgconn.consume_input()
    selector.modify(key.fd, selectors.EVENT_READ)


def _finish(pgconn: "PGconn") -> int:
    """Wait for the end of a COPY and return its count of rows.

    Its failure raises psycopg's error, a broken line included.
    """
    from psycopg import OperationalError
    from psycopg.errors import error_from_result
    from psycopg.pq import ConnStatus, ExecStatus

    failed, rows = None, 0
    with selectors.DefaultSelector() as selector:
        selector.register(pgconn.socket, selectors.EVENT_READ)
        while True:
            while pgconn.is_busy():
                selector.select()
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                break
            if result.status != ExecStatus.COMMAND_OK:
                failed = failed or result
                if pgconn.status == ConnStatus.BAD:
                    break
            else:
                rows = result.command_tuples or 0
    if failed is None:
        return rows
    error = error_from_result(failed)
    if not error.sqlstate and pgconn.status == ConnStatus.BAD:
        raise OperationalError(str(error) or "the connection is lost")
    raise error


def _cancel(pgconn: "PGconn") -> None:
    """Stop a running COPY OUT and read what is still on its way."""
    from psycopg.errors import Error
    from psycopg.pq import ConnStatus, TransactionStatus

    if pgconn.transaction_status != TransactionStatus.ACTIVE:
        return  # all of it had come already
    pgconn.get_cancel().cancel()
    try:
        for _ in _messages(pgconn):
            pass
    except Error:
        # That is the cancellation itself; a lost connection is found by the next statement.
        if pgconn.status == ConnStatus.BAD:
            pgconn.finish()


def _give_up(pgconn: "PGconn") -> None:
    """End a COPY IN whose rows could not be had; what was sent is thrown away by the server."""
    from psycopg.errors import Error
    from psycopg.pq import ConnStatus

    if pgconn.status == ConnStatus.BAD:
        return
    try:
        pgconn.put_copy_end(b"the reader stopped")
        _finish(pgconn)
    except Error:
        # Expected: the server confirms that it was told to stop. The caller raises the reason.
        return
