"""Declarations: how they are understood, and which holds what."""

import pytest

from datamig_pipelines.catalog import (
    Column,
    Default,
    DefaultKind,
    Key,
    Kind,
    Table,
    TableName,
    Type,
)
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.dialects.sqlite.types import affinity, parse
from datamig_pipelines_tests.dialects.sqlite.reads import table_of

DIALECT = SQLite()

FOREIGN = [
    Type(Kind.BOOLEAN), Type(Kind.INTEGER, bits=16), Type(Kind.INTEGER, bits=64, unsigned=True),
    Type(Kind.DECIMAL, precision=10, scale=2), Type(Kind.DECIMAL, precision=38, scale=10),
    Type(Kind.DECIMAL), Type(Kind.FLOAT, bits=32), Type(Kind.TEXT, length=20), Type(Kind.TEXT),
    Type(Kind.CHAR, length=3), Type(Kind.BLOB), Type(Kind.BITS, length=8),
    Type(Kind.BITS, length=99),
    Type(Kind.DATE), Type(Kind.TIME, fraction=6), Type(Kind.TIMETZ),
    Type(Kind.DURATION, fraction=3),
    Type(Kind.TIMESTAMP, fraction=6), Type(Kind.TIMESTAMPTZ), Type(Kind.INTERVAL), Type(Kind.YEAR),
    Type(Kind.JSON), Type(Kind.JSON, binary=True), Type(Kind.UUID), Type(Kind.ENUM, values=("a",)),
    Type(Kind.SET, values=("a",)), Type(Kind.ARRAY, element=Type(Kind.TEXT)), Type(Kind.OTHER),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("INTEGER", Kind.INTEGER), ("UNSIGNED BIG INT", Kind.INTEGER), ("tinyint(1)", Kind.INTEGER),
        ("bool", Kind.BOOLEAN), ("NVARCHAR(70)", Kind.TEXT), ("CLOB", Kind.TEXT),
        ("string", Kind.TEXT), ("VARBINARY(16)", Kind.BLOB), ("FLOATING POINT", Kind.FLOAT),
        ("DOUBLE PRECISION", Kind.FLOAT), ("MONEY", Kind.DECIMAL), ("NUMBER(10)", Kind.DECIMAL),
        ("DATE", Kind.DATE), ("datetime", Kind.TIMESTAMP), ("TIMESTAMP(6)", Kind.TIMESTAMP),
        ("timestamp with time zone", Kind.TIMESTAMPTZ), ("TIMESTAMPTZ", Kind.TIMESTAMPTZ),
        ("TIMESTAMP WITHOUT TIME ZONE", Kind.TIMESTAMP), ("TIME", Kind.TIME), ("JSONB", Kind.JSON),
        ("GUID", Kind.UUID), ("", Kind.ANY), ("POINT", Kind.ANY), ("INTERVAL", Kind.ANY),
        ("TEXT COLLATE NOCASE", Kind.TEXT),
    ],
)  # fmt: skip
def test_declaration_is_understood(declaration: str, expected: Kind):
    """What people write is read as what they mean, and never as strict."""
    type_ = parse(declaration)

    assert (type_.kind, type_.native, type_.strict) == (expected, declaration, False)


@pytest.mark.parametrize("type_", FOREIGN, ids=str)
def test_declared_type_reads_back_as_itself(session, type_: Type):
    """What declare promises is what the catalog says after CREATE TABLE, and stays so."""
    declared, _ = DIALECT.declare(type_)
    table = Table(TableName("", "t"), (Column("c", declared),))
    session.run(DIALECT.create_table(table, keys=True, foreign_keys=True))

    read = table_of(session, "t").columns[0].type
    assert read == declared
    assert DIALECT.declare(read) == (read, "")


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Type(Kind.JSON), "1.0"), (Type(Kind.DECIMAL), "1.10"), (Type(Kind.TEXT), "007"),
        (Type(Kind.INTEGER, bits=64, unsigned=True), "18446744073709551615"),
        (Type(Kind.DURATION), "-838:59:59"), (Type(Kind.INTERVAL), "1"), (Type(Kind.OTHER), "1e3"),
        (Type(Kind.UUID), "00000000-0000-0000-0000-000000000000"), (Type(Kind.DATE), "2020-01-31"),
    ],
)  # fmt: skip
def test_no_declaration_turns_text_into_a_number(session, type_: Type, value: str):
    """Text that looks like a number stays the text it is."""
    session.query(f"CREATE TABLE t (c {DIALECT.declare(type_)[0].native})")
    session.query("INSERT INTO t VALUES (?)", (value,))

    assert session.query("SELECT c FROM t") == [(value,)]


def test_loss_is_noted():
    """A type that has no home is said to be changed; one that has, is not."""
    noted = {str(t.kind) for t in FOREIGN if DIALECT.declare(t)[1]}

    assert noted == {
        "integer", "decimal", "char", "bits", "interval", "enum", "set", "array", "other",
    }  # fmt: skip
    assert DIALECT.declare(Type(Kind.INTEGER, bits=32))[1] == ""


def test_affinity_is_sqlites_own(session):
    """Affinities are computed as SQLite does it."""
    for declaration in ("POINT", "VARCHAR(3)", "BLOB", "DOUBLE", "STRING", "CHARINT", "DECTEXT"):
        session.query("DROP TABLE IF EXISTS t")
        session.query(f"CREATE TABLE t (c {declaration})")
        session.query("INSERT INTO t VALUES ('5.0')")
        kept = session.query("SELECT typeof(c) FROM t")[0][0]
        kinds = {"INTEGER": "integer", "NUMERIC": "integer", "REAL": "real"}
        assert kinds.get(affinity(declaration), "text") == kept


@pytest.mark.parametrize(
    ("default", "declaration"),
    [
        (Default(DefaultKind.LITERAL, "true"), "BOOLEAN"), (Default(DefaultKind.NOW), "TIMESTAMP"),
        (Default(DefaultKind.TODAY), "DATE"), (Default(DefaultKind.UUID), "UUID"),
        (Default(DefaultKind.LITERAL, "12.5"), "DECIMAL(10,2)"),
        (Default(DefaultKind.LITERAL, "1234567890123456789.5"), "DECTEXT"),
        (Default(DefaultKind.LITERAL, "it's"), "TEXT"), (Default(DefaultKind.LITERAL, ""), "TEXT"),
        (Default(DefaultKind.LITERAL, "00ff"), "BLOB"), (Default(DefaultKind.LITERAL, "{}"),
        "JSON"),
        (Default(DefaultKind.EXPRESSION, "1 + length('a')"), "INTEGER"),
    ],
)  # fmt: skip
def test_default_reads_back_as_itself(session, default: Default, declaration: str):
    """A default written into CREATE TABLE is read back the same, and a row gets it."""
    column = Column("c", parse(declaration), default=default)
    table = Table(TableName("", "t"), (Column("k", parse("INTEGER")), column))
    session.run(DIALECT.create_table(table, keys=True, foreign_keys=True))
    session.query("INSERT INTO t (k) VALUES (1)")

    assert table_of(session, "t").columns[1].default == default
    assert session.query("SELECT c FROM t WHERE c IS NOT NULL")


def test_created_table_reads_back_as_itself(session):
    """Identity, keys, generated columns and collations survive a round trip."""
    sql = """CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, a TEXT COLLATE NOCASE,
        b INTEGER NOT NULL, c INTEGER GENERATED ALWAYS AS (b + 1) STORED, x,
        CONSTRAINT ck CHECK (b > 0), UNIQUE (a, b), FOREIGN KEY (b) REFERENCES t (id))"""
    session.query(sql)
    before = table_of(session, "t")
    session.run(*DIALECT.drop_table(before))
    session.run(DIALECT.create_table(before, keys=True, foreign_keys=True))
    session.run(*DIALECT.set_counter(before, "id", 100))
    session.query("INSERT INTO t (a, b) VALUES ('x', 1)")

    after = table_of(session, "t")
    assert after.counters == (("id", 101),)
    assert after.columns == before.columns
    assert (after.uniques, after.checks) == (before.uniques, before.checks)
    assert before.primary_key == Key("pk_t", ("id",))
