"""Canonical texts and fingerprints."""

import hashlib
import math
import random
import struct

import pytest

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.dialects.reading import Compared, Fingerprint
from datamig_pipelines.errors import EngineError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.canonical_cases import CASES, Case
from datamig_pipelines_tests.dialects.mysql.reads import table_of

DIALECT = MySQL()
HERE = [case for case in CASES if "mysql" in case.sql]


def test_canonical_text_is_the_shared_one(source: Session) -> None:
    """Every value of the shared table has the text that all engines give it."""
    wrong = []
    for number, case in enumerate(HERE):
        if (got := _canonical_of(source, f"c{number}", case)) != case.expected:
            wrong.append((str(case), got))
    assert not wrong


def _canonical_of(source: Session, table: str, case: Case) -> str:
    declaration, literal = case.sql["mysql"]
    source.query(f"CREATE TABLE {table} (v {declaration})")
    source.query(f"INSERT INTO {table} VALUES ({literal})")
    column = Compared("`v`", table_of(source, table).columns[0].type, case.compare)
    return source.query(f"SELECT {DIALECT.canonical(column)} FROM {table}")[0][0]


@pytest.mark.parametrize("kind", [k for k in Kind if k is not Kind.ARRAY])
def test_null_stays_null_in_every_form(source: Session, kind: Kind) -> None:
    """NULL has no canonical text, whatever it is compared as."""
    column = Compared("`v`", Type(Kind.TEXT), kind)
    source.query("CREATE TABLE t (v text)")
    source.query("INSERT INTO t VALUES (NULL)")
    assert source.query(f"SELECT {DIALECT.canonical(column)} FROM t") == [(None,)]


def test_float_text_is_that_of_python_for_any_bit_pattern(source: Session) -> None:
    """Sign, digits and exponent are those of the shortest text that Python finds, too."""
    dice = random.Random(20)
    values = [struct.unpack("<d", dice.randbytes(8))[0] for _ in range(2000)]
    values = [v for v in values if math.isfinite(v)]
    values += [round(dice.uniform(-1e6, 1e6), dice.randrange(9)) for _ in range(1000)]
    source.query("CREATE TABLE f (id int PRIMARY KEY AUTO_INCREMENT, v double)")
    source.query("INSERT INTO f (v) VALUES " + ", ".join(f"({v!r})" for v in values))
    sql = DIALECT.canonical(Compared("`v`", Type(Kind.FLOAT, bits=64), Kind.FLOAT))
    got = [row[0] for row in source.query(f"SELECT {sql} FROM f ORDER BY id")]
    assert got == [_python_form(v) for v in values]


def _python_form(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, _, power = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(digits) - len(fraction)
    return f"{'-' if value < 0 else ''}{digits.rstrip('0')}e{exponent}"


def test_fingerprint_is_what_python_computes(source: Session) -> None:
    """Rows and sum are those of MD5 over the canonical cells, NULL and empty text told apart."""
    source.query(
        "CREATE TABLE t (id int, a varchar(20) CHARACTER SET latin1, "
        "b varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, "
        "c varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, d decimal(10,2), e blob)"
    )
    rows = [
        (1, "é", "🐎", "x", "1.50", b"\0\xff"),
        (2, None, "", None, None, b""),
        (3, "", *[None] * 4),
    ]
    for row in rows:
        source.query("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s)", row)
    columns = [_compared(c.name, c.type) for c in table_of(source, "t").columns]
    cells = [
        ("1", "é", "🐎", "x", "1.5", "00ff"),
        ("2", None, "", None, None, ""),
        ("3", "", *[None] * 4),
    ]
    assert source.fingerprint("`t`", columns) == Fingerprint(3, sum(map(_hash, cells)))
    assert source.fingerprint("`t`", columns, "id = 2") == Fingerprint(1, _hash(cells[1]))
    assert source.fingerprint("`t`", columns, "id > 3") == Fingerprint(0, 0)


def _compared(name: str, type_: Type) -> Compared:
    return Compared(DIALECT.quote(name), type_, type_.kind)


def _hash(cells: tuple[str | None, ...]) -> int:
    text = "\x1f".join("\x1e" if c is None else c for c in cells)
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:15], 16)


@pytest.mark.parametrize(
    ("declaration", "kind"), [("longblob", Kind.BLOB), ("longtext", Kind.TEXT)]
)
def test_fingerprint_of_a_row_above_the_packet_is_an_error(
    source: Session, declaration: str, kind: Kind
) -> None:
    """A row too long for the server to hash is an error and neither skipped nor taken for NULL."""
    source.query(f"CREATE TABLE t (id int, v {declaration})")
    source.query("INSERT INTO t VALUES (1, REPEAT('x', 15000000)), (2, 'y')")
    source.query("UPDATE t SET v = CONCAT(v, v) WHERE id = 2")
    columns = [Compared("`v`", Type(kind), kind)] * 3
    with pytest.raises(EngineError, match="1690") as caught:
        source.fingerprint("`t`", columns)
    assert "max_allowed_packet" in caught.value.hint
    assert source.fingerprint("`t`", columns, "id = 2").rows == 1
