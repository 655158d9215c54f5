"""Loading: what arrives is what was sent, and what would be changed is refused."""

import secrets
from dataclasses import replace
from hashlib import md5

import pytest

from datamig_pipelines.catalog import Check, Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.errors import RefusedError
from datamig_pipelines.session import Session
from datamig_pipelines.transfer.encoders import cells_encoder
from datamig_pipelines_tests.dialects.mysql.landings import (
    NUMBER,
    column,
    create,
    landing,
    rows,
    table,
    write,
)

TEXT = Type(Kind.TEXT)
BLOB = Type(Kind.BLOB)
ODD_UUID = "6512bd43-d9ca-a6e0-2c99-0b0a82652dca"

CHANGED = [
    (Type(Kind.INTEGER, bits=8), "128", "1264"),
    (Type(Kind.INTEGER, bits=8, unsigned=True), "-1", "1264"),
    (NUMBER, "twelve", "1366"),
    (NUMBER, "12 apples", "1265"),
    (NUMBER, "", "1366"),
    (Type(Kind.TEXT, length=3), "abcd", "1265"),
    (Type(Kind.TEXT, length=3), "abc ", "1265"),
    (Type(Kind.CHAR, length=3), "abcd", "1265"),
    (TEXT, b"a\xff", "1366"),
    (Type(Kind.DECIMAL, precision=9, scale=2), "1.005", "1265"),
    (Type(Kind.DECIMAL, precision=9, scale=2), "12345678.00", "1264"),
    (Type(Kind.DECIMAL), "1e-31", "1265"),
    (Type(Kind.DECIMAL), "NaN", "1366"),
    (Type(Kind.FLOAT, bits=64), "NaN", "1366"),
    (Type(Kind.FLOAT, bits=64), "-Infinity", "1366"),
    (Type(Kind.FLOAT, bits=32), "1e39", "1264"),
    (Type(Kind.DATE), "2020-02-30", "1265"),
    (Type(Kind.DATE), "0044-03-15 BC", "1265"),
    (Type(Kind.DATE), "infinity", "1265"),
    (Type(Kind.DATE), "2020-01-01 10:00:00", "1265"),
    (Type(Kind.TIMESTAMP), "10000-01-01 00:00:00", "1265"),
    (Type(Kind.TIMESTAMP), "2020-01-01 10:00:00.1234567", "1265"),
    (Type(Kind.TIMESTAMPTZ), "2020-01-01 10:00:00+01", "1265"),
    (Type(Kind.TIME), "900:00:00", "1264"),
    (Type(Kind.YEAR), "70", "1366"),
    (Type(Kind.ENUM, values=("a", "b")), "c", "1265"),
    (Type(Kind.ENUM, values=("a", "b")), "A", "1265"),
    (Type(Kind.JSON), "{x", "4038"),
    (Type(Kind.BITS, length=3), "1000", "1264"),
    (Type(Kind.BITS, length=3), "7", "1690"),
    (BLOB, "no hex", "1690"),
    (BLOB, "abc ", "1690"),
]


@pytest.mark.parametrize(("type_", "field", "code"), CHANGED, ids=str)
def test_value_that_would_change_is_refused(
    source: Session, type_: Type, field: str | bytes, code: str
) -> None:
    """LOCAL makes warnings of errors; each of them is a refusal, and nothing of the batch stays."""
    made = table(column("id", NUMBER), column("v", type_))
    create(source, made)
    line = field.encode() if isinstance(field, str) else field

    with pytest.raises(RefusedError, match=code) as caught:
        write(source, landing(made, NUMBER, type_), "1\t\\N", b"2\t" + line)

    assert " at row " not in caught.value.message
    assert rows(source, made) == []


SILENT = [
    (Type(Kind.DECIMAL), "bigint", "1.5"),
    (TEXT, "bigint", "1e3"),
    (TEXT, "enum('a','b')", "1"),
    (TEXT, "enum('a','b')", "A"),
    (TEXT, "date", "01/02/03"),
    (TEXT, "date", "10:11:12"),
    (TEXT, "datetime(6)", "20200101"),
    (TEXT, "datetime(3)", "2020-01-01 10:00:00.1234"),
    (TEXT, "time(6)", "10"),
    (TEXT, "time", "10:00:00.5"),
    (Type(Kind.TIMESTAMP, fraction=6), "datetime(3)", "2020-01-01 10:00:00.1234"),
    (Type(Kind.YEAR), "year", "7"),
]


@pytest.mark.parametrize(("type_", "into", "field"), SILENT, ids=str)
def test_value_that_would_change_without_a_warning_is_refused(
    source: Session, type_: Type, into: str, field: str
) -> None:
    """What the server would round, cut or guess in silence does not get that far."""
    held = MySQL().parse_type(into)
    made = table(column("v", held))
    create(source, made)

    with pytest.raises(RefusedError):
        write(source, landing(made, type_), field)

    assert rows(source, made) == []


EXACT = [
    (Type(Kind.BOOLEAN), "true", 1),
    (Type(Kind.BOOLEAN), "0", 0),
    (Type(Kind.YEAR), "0", 0),
    (Type(Kind.YEAR), "2155", 2155),
    (Type(Kind.BITS, length=64), "1" * 64, b"\xff" * 8),
    (Type(Kind.BITS, length=9), "101010101", b"\x01\x55"),
    (BLOB, "\\\\x00ff5c0a", b"\x00\xff\\\n"),
    (BLOB, "00FF5C0A", b"\x00\xff\\\n"),
    (BLOB, "", b""),
    (TEXT, "\\f\\v\\b\\t\\n\\r\\\\f", "\f\v\b\t\n\r\\f"),
    (TEXT, "\\\\N", "\\N"),
    (TEXT, "NULL", "NULL"),
    (TEXT, "🐎 \x00\x1a", "🐎 \x00\x1a"),
    (Type(Kind.UUID), ODD_UUID, ODD_UUID),
    (Type(Kind.INTEGER, bits=64, unsigned=True), "18446744073709551615", 2**64 - 1),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "field", "expected"), EXACT, ids=str)
def test_value_arrives(source: Session, type_: Type, field: str, expected: object) -> None:
    """Each field of a COPY text line becomes its value, NULL stays NULL."""
    made = table(column("id", NUMBER), column("v", type_))
    create(source, made)

    write(source, landing(made, NUMBER, type_), f"1\t{field}", "2\t\\N")

    assert rows(source, made) == [(1, expected), (2, None)]


def test_instants_are_kept_in_utc(source: Session) -> None:
    """The zone ``+00`` is taken off, in DATETIME and in TIMESTAMP."""
    made = table(column("a", Type(Kind.TIMESTAMPTZ)), column("b", MySQL().parse_type("timestamp")))
    create(source, made)

    write(source, landing(made), "1815-06-18 10:00:00.25+00\t2020-01-31 10:00:00+00")

    found = source.query("SELECT CAST(a AS CHAR), CAST(b AS CHAR) FROM `t %s`")
    assert found == [("1815-06-18 10:00:00.250000", "2020-01-31 10:00:00")]


def test_rows_that_break_a_constraint_are_refused(source: Session) -> None:
    """Duplicates, NULL where it may not be, checks, and lines too short or too long."""
    made = table(
        column("id", NUMBER, nullable=False), column("n", NUMBER, nullable=False), key=("id",)
    )
    made = replace(made, checks=(Check("positive", "`n` > 0"),))
    create(source, made)
    write(source, landing(made), "1\t1")
    for line, code in (
        ("1\t2", "1062"),
        ("2\t\\N", "1263"),
        ("2\t-1", "4025"),
        ("2", "1261"),
        ("2\t3\t4", "1262"),
    ):
        with pytest.raises(RefusedError, match=code):
            write(source, landing(made), "5\t5", line)

    assert rows(source, made) == [(1, 1)]


def test_counter_takes_no_null(source: Session) -> None:
    """NULL in a counting column would be given a number in silence; an expression may yield it."""
    made = table(column("id", NUMBER, nullable=False, identity=True), key=("id",))
    create(source, made)

    with pytest.raises(RefusedError):
        write(source, landing(made, plain=False), "\\N")
    write(source, landing(made, plain=False), "0", "7")

    assert rows(source, made) == [(0,), (7,)]


def test_zero_is_kept_in_a_counter_beside_other_expressions(source: Session) -> None:
    """A SET of another column makes MariaDB count on from a 0 that goes straight in."""
    made = table(
        column("id", NUMBER, nullable=False, identity=True), column("b", BLOB), key=("id",)
    )
    create(source, made)

    write(source, landing(made), "0\t\\\\x00", "1\t\\\\x01")

    assert rows(source, made) == [(0, b"\x00"), (1, b"\x01")]


def test_large_values_pass(source: Session) -> None:
    """A blob and a text larger than a packet of the server arrive, whatever its limit is."""
    made = table(column("id", NUMBER), column("b", BLOB), column("t", TEXT))
    create(source, made)
    raw, text = secrets.token_bytes(17 * 2**20), "x\\\\y" * (5 * 2**20)

    write(source, landing(made), f"1\t\\\\x{raw.hex()}\t{text}")

    digest = md5(raw, usedforsecurity=False).hexdigest()
    found = source.query("SELECT MD5(b), LENGTH(t) FROM `t %s`")
    assert found == [(digest, 15 * 2**20)]


def test_no_rows_are_no_error(source: Session) -> None:
    """An empty batch is written, and the session goes on."""
    made = table(column("id", NUMBER))
    create(source, made)
    write(source, landing(made))
    assert rows(source, made) == []


def test_server_cannot_ask_for_a_file(source: Session, tmp_path) -> None:
    """Only a load sends anything: a LOAD DATA LOCAL by another way gets no file."""
    secret = tmp_path / "secret"
    secret.write_text("1\n")
    source.query("CREATE TABLE t (id int)")

    with pytest.raises(RuntimeError, match="local_infile"):
        source.query(f"LOAD DATA LOCAL INFILE '{secret}' INTO TABLE t")


@pytest.mark.parametrize("cell", ["3.5", 3.5, "1e3", "-.5"])
def test_cells_with_a_fraction_are_no_integers(cell: str | float) -> None:
    """What the server would round is refused when it is written into a line."""
    made = table(column("v", NUMBER))
    encode = cells_encoder(landing(made).columns, Wire.COPY_TEXT)

    assert encode([(7,), (None,), ("8",)]) == [b"7\n\\N\n8\n"]
    with pytest.raises(RefusedError, match="integer"):
        encode([(cell,)])
