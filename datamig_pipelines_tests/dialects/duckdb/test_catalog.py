"""Reading the catalog, and types on their way to and fro."""

import pytest

from datamig_pipelines.catalog import (
    Check,
    Default,
    DefaultKind,
    ForeignKey,
    IndexPart,
    Kind,
    TableName,
    Type,
)
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, open_session, table_of

RICH = """
CREATE SEQUENCE s2;
CREATE TABLE parent (id INTEGER PRIMARY KEY, code VARCHAR UNIQUE);
CREATE TABLE "Rich ""t x" (
  id INTEGER PRIMARY KEY DEFAULT nextval('main.s2'),
  flag BOOLEAN NOT NULL DEFAULT true, price DECIMAL(10,3) DEFAULT 1.5, n INTEGER DEFAULT -5,
  txt VARCHAR DEFAULT 'it''s, "so"', made TIMESTAMP DEFAULT now(), day DATE DEFAULT current_date,
  u UUID DEFAULT gen_random_uuid(), expr INTEGER DEFAULT (3 + 4), nothing VARCHAR DEFAULT NULL,
  "a""b, c" INTEGER, dbl INTEGER GENERATED ALWAYS AS (n * 2) VIRTUAL,
  "g x" VARCHAR GENERATED ALWAYS AS (txt || ')') VIRTUAL,
  loose VARCHAR COLLATE nocase, mood ENUM('ok', 'it''s, b'), parent_id INTEGER,
  UNIQUE (txt, price), CHECK (n < 100), CHECK (n > -100), CHECK (price > 0),
  FOREIGN KEY (parent_id) REFERENCES parent (id)
);
CREATE INDEX by_n ON "Rich ""t x" (n, "a""b, c");
CREATE UNIQUE INDEX by_expr ON "Rich ""t x" ((n + 1), lower(txt));
COMMENT ON TABLE "Rich ""t x" IS 'what it is';
COMMENT ON COLUMN "Rich ""t x".n IS 'a number';
CREATE VIEW simple AS SELECT id FROM parent WHERE code > 'a';
CREATE VIEW "view x" (k) AS SELECT id FROM parent;
CREATE SCHEMA "other s";
CREATE TABLE "other s".t (a INTEGER);

CREATE SCHEMA datamig;
CREATE TABLE datamig.run (a INTEGER);
CREATE SEQUENCE alone INCREMENT BY 5;
CREATE MACRO twice(x) AS x * 2;
CREATE TYPE feeling AS ENUM ('a', 'b');
CREATE TEMP TABLE passing (a INTEGER);
"""
NAME = TableName("main", 'Rich "t x')


@pytest.fixture
def rich(db):
    """A database with an object of every kind."""
    for statement in RICH.split(";\n"):
        if statement.strip():
            db.query(statement)
    return db


def test_read_catalog_knows_every_kind_of_object(rich):
    """Tables of one schema without our own, views, and what no step moves by kind and name."""
    catalog = DIALECT.read_catalog(rich, "")
    assert catalog.engine == "duckdb"
    assert catalog.version == "1.5.5"
    assert [t.name for t in catalog.tables] == [NAME, TableName("main", "parent")]
    assert [v.name.name for v in catalog.views] == ["simple", "view x"]
    assert catalog.views[0].sql == "SELECT id FROM parent WHERE (code > 'a')"
    assert {str(o) for o in catalog.objects} == {
        "macro main.twice",
        "sequence main.alone",
        "type main.feeling",
    }
    for view in catalog.views:
        rich.query(view.sql)
    everywhere = DIALECT.read_catalog(rich, "*")
    assert TableName("other s", "t") in [t.name for t in everywhere.tables]
    assert not [t for t in everywhere.tables if "datamig" in str(t.name)]


def test_read_catalog_reads_columns_with_defaults(rich):
    """Defaults in no engine's words, generated columns, identity, comments, in declared order."""
    table = table_of(rich, NAME.name)
    columns = {c.name: c for c in table.columns}
    assert [c.name for c in table.columns][:4] == ["id", "flag", "price", "n"]
    defaults = {c.name: c.default for c in table.columns if c.default}
    assert defaults == {
        "flag": Default(DefaultKind.LITERAL, "true"),
        "price": Default(DefaultKind.LITERAL, "1.5"),
        "n": Default(DefaultKind.LITERAL, "-5"),
        "txt": Default(DefaultKind.LITERAL, 'it\'s, "so"'),
        "made": Default(DefaultKind.NOW),
        "day": Default(DefaultKind.TODAY),
        "u": Default(DefaultKind.UUID),
        "expr": Default(DefaultKind.EXPRESSION, "(3 + 4)"),
    }
    assert columns["id"].identity
    assert not columns["id"].nullable
    assert columns["dbl"].generated == "(n * 2)"
    assert columns["g x"].generated == "(txt || ')')"
    assert columns["n"].comment == "a number"
    assert table.comment == "what it is"
    assert columns["loose"].type.native == "VARCHAR COLLATE nocase"
    assert columns["mood"].type.values == ("ok", "it's, b")


def test_read_catalog_reads_keys_checks_and_indexes(rich):
    """Constraints with the engine's names, checks of one column under names of their own."""
    table = table_of(rich, NAME.name)
    assert table.primary_key
    assert table.primary_key.columns == ("id",)
    assert [u.columns for u in table.uniques] == [("txt", "price")]
    name = 'Rich "t x_parent_id_id_fkey'
    parent = TableName("main", "parent")
    assert table.foreign_keys == (ForeignKey(name, ("parent_id",), parent, ("id",)),)
    assert len({c.name for c in table.checks}) == 3
    assert Check('Rich "t x_price_check', "price > 0") in table.checks
    indexes = {i.name: i for i in table.indexes}
    assert indexes["by_n"].columns == ("n", 'a"b, c')
    assert indexes["by_expr"].unique
    parts = (IndexPart(expression="n + 1"), IndexPart(expression="lower(txt)"))
    assert indexes["by_expr"].parts == parts


def test_read_catalog_counts_rows_and_knows_the_row_number(rich):
    """Small tables are counted; a column called rowid takes the hidden number away."""
    rich.query("INSERT INTO parent VALUES (1, 'a'), (2, 'b')")
    rich.query("DELETE FROM parent WHERE id = 1")
    rich.query('CREATE TABLE own ("RowId" INTEGER)')
    assert table_of(rich, "parent").rows == 1
    assert table_of(rich, "parent").rowid == "rowid"
    assert table_of(rich, "own").rowid == ""


def test_read_catalog_counters_are_the_next_value(duckdb_url):
    """Unused, used, and used before the file was opened again: always what nextval would give."""
    for expected in (5, 7, 9):
        with open_session(duckdb_url) as session:
            session.query("CREATE SEQUENCE IF NOT EXISTS s START 5 INCREMENT BY 2")
            session.query("CREATE TABLE IF NOT EXISTS t (id BIGINT DEFAULT nextval('s'))")
            assert table_of(session, "t").counters == (("id", expected),)
            assert session.query("SELECT nextval('s')") == [(expected,)]
            assert table_of(session, "t").counters == (("id", expected + 2),)


TYPES = [
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
    "UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM", "DECIMAL(4,1)", "DECIMAL(38,0)", "DECIMAL(38,38)",
    "FLOAT", "DOUBLE", "VARCHAR", "VARCHAR COLLATE nocase", "BLOB", "BIT", "DATE", "TIME",
    "TIME_NS", "TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS",
    "TIMESTAMP WITH TIME ZONE", "INTERVAL", "UUID", "JSON", "ENUM('a', 'it''s, b')", "INTEGER[]",
    "INTEGER[3]", "VARCHAR[]", "DECIMAL(5,2)[]", "ENUM('a', 'b')[]", "INTEGER[][]", "JSON[]",
    "STRUCT(a INTEGER, b VARCHAR)", "MAP(VARCHAR, INTEGER)", "UNION(a INTEGER, b VARCHAR)",
]  # fmt: skip


@pytest.mark.parametrize("declared", TYPES)
def test_declare_gives_back_every_type_that_the_reader_yields(db, declared):
    """Create, read, declare, create, read: the same type, the same declaration, nothing lost."""
    db.query(f"CREATE TABLE t (c {declared})")
    first = table_of(db, "t").columns[0].type
    assert first.native == declared
    held, note = DIALECT.declare(first)
    assert (held, note) == (first, "")
    db.query(f"CREATE TABLE t2 (c {held.native})")
    assert table_of(db, "t2").columns[0].type == first


FOREIGN = [
    (Type(Kind.INTEGER, bits=32, native="integer"), "INTEGER", Kind.INTEGER),
    (Type(Kind.INTEGER, bits=24, native="mediumint"), "INTEGER", Kind.INTEGER),
    (Type(Kind.INTEGER, bits=24, unsigned=True), "UINTEGER", Kind.INTEGER),
    (Type(Kind.INTEGER, bits=64, unsigned=True), "UBIGINT", Kind.INTEGER),
    (Type(Kind.INTEGER, bits=32, strict=False), "BIGINT", Kind.INTEGER),
    (
        Type(Kind.DECIMAL, precision=10, scale=2, native="numeric(10,2)"),
        "DECIMAL(10,2)",
        Kind.DECIMAL,
    ),
    (Type(Kind.DECIMAL, precision=5, scale=-2), "DECIMAL(7,0)", Kind.DECIMAL),
    (Type(Kind.DECIMAL, precision=3, scale=5), "DECIMAL(5,5)", Kind.DECIMAL),
    (Type(Kind.DECIMAL, native="numeric"), "VARCHAR", Kind.TEXT),
    (Type(Kind.DECIMAL, precision=65, scale=30), "VARCHAR", Kind.TEXT),
    (Type(Kind.DECIMAL, strict=False, native="NUMERIC"), "DOUBLE", Kind.FLOAT),
    (Type(Kind.FLOAT, bits=32, native="real"), "FLOAT", Kind.FLOAT),
    (Type(Kind.FLOAT, bits=32, strict=False), "DOUBLE", Kind.FLOAT),
    (Type(Kind.TEXT, length=20, native="varchar(20)"), "VARCHAR", Kind.TEXT),
    (Type(Kind.CHAR, length=5, native="char(5)"), "VARCHAR", Kind.TEXT),
    (Type(Kind.ENUM, values=("a",), native="mood"), "VARCHAR", Kind.TEXT),
    (Type(Kind.BLOB, length=16, native="binary(16)"), "BLOB", Kind.BLOB),
    (Type(Kind.BITS, length=8, native="bit(8)"), "BIT", Kind.BITS),
    (Type(Kind.DURATION, fraction=6, native="time(6)"), "INTERVAL", Kind.INTERVAL),
    (Type(Kind.TIME, fraction=0, native="time(0) without time zone"), "TIME", Kind.TIME),
    (Type(Kind.TIMETZ, fraction=6, native="timetz"), "TIME WITH TIME ZONE", Kind.TIMETZ),
    (Type(Kind.TIMESTAMP, fraction=3, native="datetime(3)"), "TIMESTAMP", Kind.TIMESTAMP),
    (Type(Kind.TIMESTAMP, native="datetime", strict=False), "TIMESTAMP", Kind.TIMESTAMP),
    (Type(Kind.TIMESTAMPTZ, fraction=6), "TIMESTAMP WITH TIME ZONE", Kind.TIMESTAMPTZ),
    (Type(Kind.YEAR, native="year"), "SMALLINT", Kind.INTEGER),
    (Type(Kind.JSON, binary=True, native="jsonb"), "JSON", Kind.JSON),
    (Type(Kind.SET, values=("a",)), "VARCHAR", Kind.TEXT),
    (Type(Kind.ANY), "VARCHAR", Kind.TEXT),
    (Type(Kind.OTHER, native="point"), "VARCHAR", Kind.TEXT),
    (Type(Kind.OTHER, native="geometry"), "VARCHAR", Kind.TEXT),
    (
        Type(Kind.ARRAY, element=Type(Kind.INTEGER, bits=32, native="integer"), native="integer[]"),
        "INTEGER[]",
        Kind.ARRAY,
    ),
    (Type(Kind.ARRAY, element=Type(Kind.DECIMAL, native="numeric")), "JSON", Kind.JSON),
    (Type(Kind.ARRAY, element=Type(Kind.BLOB, native="bytea")), "JSON", Kind.JSON),
]


@pytest.mark.parametrize(("foreign", "native", "kind"), FOREIGN, ids=str)
def test_declare_holds_foreign_types_without_loss(foreign, native, kind):
    """Every logical type has a home; the kind is what the column really is."""
    held, _ = DIALECT.declare(foreign)
    assert (held.native, held.kind) == (native, kind)
    assert DIALECT.declare(held)[0] == held


@pytest.mark.parametrize(
    "foreign", [f for f, native, _ in FOREIGN if native in {"VARCHAR", "JSON"}]
)
def test_declare_says_what_it_changes(foreign):
    """A type that becomes text or JSON has a note."""
    assert DIALECT.declare(foreign)[1] or foreign.kind is Kind.JSON


def test_default_sql_round_trips(db):
    """A default that was read, written and read again is the same."""
    kinds = [
        ("BOOLEAN", Default(DefaultKind.LITERAL, "true")),
        ("INTEGER", Default(DefaultKind.LITERAL, "-5")),
        ("DECIMAL(5,2)", Default(DefaultKind.LITERAL, "1.50")),
        ("VARCHAR", Default(DefaultKind.LITERAL, "it's")),
        ("VARCHAR", Default(DefaultKind.LITERAL, "")),
        ("VARCHAR", Default(DefaultKind.LITERAL, "12")),
        ("DATE", Default(DefaultKind.LITERAL, "2020-01-31")),
        ("TIMESTAMP", Default(DefaultKind.NOW)),
        ("TIMESTAMP WITH TIME ZONE", Default(DefaultKind.NOW)),
        ("DATE", Default(DefaultKind.TODAY)),
        ("UUID", Default(DefaultKind.UUID)),
        ("JSON", Default(DefaultKind.LITERAL, "{}")),
        ("DOUBLE", Default(DefaultKind.LITERAL, "1.5")),
    ]
    lines = [
        f"c{at} {declared} DEFAULT {DIALECT.default_sql(default, DIALECT.parse_type(declared))}"
        for at, (declared, default) in enumerate(kinds)
    ]
    db.query(f"CREATE TABLE t ({', '.join(lines)})")
    assert [c.default for c in table_of(db, "t").columns] == [d for _, d in kinds]
    db.query("INSERT INTO t DEFAULT VALUES")
