"""Loading: commits, rollbacks, refusals, broken connections."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.engine import URL

from datamig_pipelines.catalog import Table
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.reading import Landing
from datamig_pipelines.errors import ConnectionLostError, RefusedError, StatementError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.postgres.moving import projections, reading


@pytest.fixture
def table(session: Session, dialect: Postgres) -> Table:
    session.query('CREATE TABLE "t %s" (k int PRIMARY KEY, "v %s" text, b bytea)')
    return dialect.read_catalog(session, "").tables[0]


def landing(table: Table, wire: Wire = Wire.COPY_TEXT) -> Landing:
    return Landing(table, projections(table), wire)


def test_rows_are_written_as_sent(session: Session, table: Table) -> None:
    """Blocks need not end where rows end, and every byte arrives, zero and newline included."""
    every = "".join(f"{i:02x}" for i in range(256))
    rows = f"1\ta\\tb\\\\\\n🐎\t\\\\x{every}\n2\t\t\\N\n3\t\\N\t\\\\x\n".encode()

    with session.transaction():
        session.write(landing(table), [rows[i : i + 7] for i in range(0, len(rows), 7)])

    assert session.query('SELECT * FROM "t %s" ORDER BY k') == [
        (1, "a\tb\\\n🐎", bytes(range(256))), (2, "", None), (3, None, b""),
    ]  # fmt: skip


def test_no_rows_are_no_error(session: Session, table: Table) -> None:
    """An empty batch is written in text and in binary."""
    for wire in (Wire.COPY_TEXT, Wire.COPY_BINARY):
        with session.transaction():
            session.write(landing(table, wire), [])

    assert session.query('SELECT count(*) FROM "t %s"') == [(0,)]


def test_some_columns_may_be_named(session: Session, table: Table) -> None:
    """Only the landing's columns are filled, in its order."""
    columns = tuple(reversed(landing(table).columns[:2]))

    session.write(replace(landing(table), columns=columns), [b"x\t1\n"])

    assert session.query('SELECT * FROM "t %s"') == [(1, "x", None)]


def test_big_batch_passes_through(session: Session, second: Session, table: Table) -> None:
    """A stream of more than the buffers hold is written while it is read, in binary."""
    session.query(
        "INSERT INTO \"t %s\" SELECT i, repeat('x', 1000), decode(md5(i::text), 'hex') "
        "FROM generate_series(1, 20000) i"
    )
    second.run(session.dialect.create_table(table, keys=True, foreign_keys=True))

    with second.transaction():
        second.write(
            landing(table, Wire.COPY_BINARY), session.stream(reading(table, Wire.COPY_BINARY))
        )

    sums = 'SELECT count(*), sum(length("v %s")), md5(string_agg(b, NULL ORDER BY k)) FROM "t %s"'
    assert second.query(sums) == session.query(sums)


@pytest.mark.parametrize(
    "rows", [b"1\ta\t\\N\n1\tb\t\\N\n", b"x\ta\t\\N\n", b"1\ta\n", b"1\t\xff\t\\N\n"]
)
def test_refused_batch_is_rolled_back(session: Session, table: Table, rows: bytes) -> None:
    """A refused row is a RefusedError that names its line; nothing of the batch stays."""
    with pytest.raises(RefusedError) as caught, session.transaction():
        session.write(landing(table), [b"7\tgood\t\\N\n", rows])

    assert "COPY t %s, line" in caught.value.message
    assert session.query('SELECT count(*) FROM "t %s"') == [(0,)]


def test_reader_that_fails_ends_the_copy(session: Session, table: Table) -> None:
    """An exception out of the payload passes through, and the session can be used again."""

    def rows() -> Iterator[bytes]:
        yield b"1\ta\t\\N\n"
        raise LookupError

    with pytest.raises(LookupError), session.transaction():
        session.write(landing(table), rows())

    assert session.query('SELECT count(*) FROM "t %s"') == [(0,)]


def test_unknown_table_is_a_statement_error(session: Session, table: Table) -> None:
    """A COPY that cannot even start says why."""
    session.query('DROP TABLE "t %s"')

    with pytest.raises(StatementError, match="does not exist"):
        session.write(landing(table), [b"1\ta\t\\N\n"])


def test_connection_lost_while_writing(
    url: URL, session: Session, dialect: Postgres, table: Table
) -> None:
    """A backend that dies in the middle of a batch is a lost connection, not a refused row."""
    with Session(dialect, url, readonly=False) as writer:
        pid = writer.query("SELECT pg_backend_pid()")[0][0]

        def rows() -> Iterator[bytes]:
            yield b"1\ta\t\\N\n" + b"2\t" + b"x" * 300_000 + b"\t\\N\n"
            session.query("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            for key in range(3, 9):
                yield f"{key}\t".encode() + b"x" * 300_000 + b"\t\\N\n"

        with pytest.raises(ConnectionLostError):
            writer.write(landing(table), rows())

    assert session.query('SELECT count(*) FROM "t %s"') == [(0,)]


def test_connection_lost_while_reading(
    url: URL, session: Session, dialect: Postgres, table: Table
) -> None:
    """A backend that dies in the middle of a stream is a lost connection, inside a snapshot too."""
    session.query(
        "INSERT INTO \"t %s\" SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i"
    )
    for shared in (True, False):
        with Session(dialect, url, readonly=True) as reader:
            pid = reader.query("SELECT pg_backend_pid()")[0][0]
            if shared:
                dialect.share_snapshot([reader._connection])
            rows = reader.stream(reading(table, Wire.COPY_BINARY))
            next(rows)
            session.query("SELECT pg_terminate_backend(%s)", (pid,))
            with pytest.raises(ConnectionLostError):
                list(rows)
