"""Between logical types and PostgreSQL's declarations."""

import pytest

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.session import Session

NATIVE = [
    "boolean", "smallint", "integer", "bigint", "oid", "numeric", "numeric(10,2)", "numeric(5,-2)",
    "money", "real", "double precision", "text", "character varying", "character varying(7)",
    "character(3)", "bpchar", '"char"', "name", "bytea", "bit(3)", "bit varying", "bit varying(9)",
    "date", "time without time zone", "time(0) without time zone", "time(3) with time zone",
    "timestamp without time zone", "timestamp(0) without time zone", "timestamp with time zone",
    "timestamp(3) with time zone", "interval", "interval(2)", "interval year to month",
    "json", "jsonb", "uuid", "inet", "cidr", "macaddr", "macaddr8", "xml", "tsvector", "tsquery",
    "int4range", "tstzmultirange", "pg_lsn", "pg_catalog.point", "pg_catalog.polygon", "circle",
    "integer[]", "numeric(10,2)[]", "timestamp(3) with time zone[]", "text[]", "inet[]",
]  # fmt: skip

SPELLINGS = {
    "int": "integer", "INT8": "bigint", "serial": "integer", "bool": "boolean", "float": "double precision",
    "float(24)": "real", "varchar(10)": "character varying(10)", "char": "character(1)", "bit": "bit(1)",
    "decimal(8)": "numeric(8,0)", "numeric( 8 , 2 )": "numeric(8,2)", "timestamptz(3)": "timestamp(3) with time zone",
    "TIMESTAMP (3) WITHOUT TIME ZONE": "timestamp(3) without time zone", "time": "time without time zone",
    "int[3][]": "integer[]", "int array": "integer[]", "varbit(5)": "bit varying(5)",
    "interval day to second(3)": "interval day to second(3)", "pg_catalog.int4": "integer",
}  # fmt: skip

FOREIGN = [
    (Type(Kind.INTEGER, bits=8, native="tinyint"), "smallint"),
    (Type(Kind.INTEGER, bits=8, unsigned=True, native="tinyint unsigned"), "smallint"),
    (Type(Kind.INTEGER, bits=16, unsigned=True), "integer"),
    (Type(Kind.INTEGER, bits=24, native="mediumint"), "integer"),
    (Type(Kind.INTEGER, bits=32, unsigned=True, native="int unsigned"), "bigint"),
    (Type(Kind.INTEGER, bits=64, unsigned=True, native="bigint unsigned"), "numeric(20,0)"),
    (Type(Kind.INTEGER, bits=128, native="HUGEINT"), "numeric(39,0)"),
    (Type(Kind.INTEGER, bits=32, native="INTEGER", strict=False), "bigint"),
    (Type(Kind.YEAR, native="year"), "smallint"),
    (Type(Kind.DECIMAL, precision=65, scale=30, unsigned=True), "numeric(65,30)"),
    (Type(Kind.DECIMAL, precision=10, scale=2, native="DECIMAL(10,2)", strict=False), "numeric"),
    (Type(Kind.FLOAT, bits=32, native="float"), "real"),
    (Type(Kind.FLOAT, bits=64, native="double"), "double precision"),
    (Type(Kind.TEXT, length=10, native="varchar(10)"), "character varying(10)"),
    (Type(Kind.TEXT, length=10, native="NVARCHAR(10)", strict=False), "text"),
    (Type(Kind.CHAR, length=3, native="char(3)"), "character(3)"),
    (Type(Kind.CHAR, length=3, native="CHAR(3)", strict=False), "text"),
    (Type(Kind.TEXT, length=99_999_999), "text"),
    (Type(Kind.BLOB, length=16, native="binary(16)"), "bytea"),
    (Type(Kind.BITS, length=8, native="bit(8)"), "bit(8)"),
    (Type(Kind.DURATION, fraction=6, native="time(6)"), "interval"),
    (Type(Kind.TIMESTAMP, fraction=0, native="datetime"), "timestamp(0) without time zone"),
    (Type(Kind.TIMESTAMP, fraction=9, native="TIMESTAMP_NS"), "timestamp without time zone"),
    (Type(Kind.TIMESTAMPTZ, fraction=3, native="timestamp(3)"), "timestamp(3) with time zone"),
    (Type(Kind.JSON, native="json"), "json"),
    (Type(Kind.JSON, binary=True, native="json"), "json"),
    (Type(Kind.ENUM, values=("a", "b"), native="enum('a','b')"), "text"),
    (Type(Kind.SET, values=("a", "b"), native="set('a','b')"), "text"),
    (Type(Kind.ANY, strict=False), "text"),
    (Type(Kind.OTHER, native="point"), "text"),
    (Type(Kind.OTHER, native="STRUCT(a INTEGER)"), "text"),
    (Type(Kind.ARRAY, element=Type(Kind.INTEGER, bits=8), native="TINYINT[]"), "smallint[]"),
]


@pytest.mark.parametrize("native", NATIVE)
def test_own_type_keeps_its_declaration(dialect: Postgres, native: str) -> None:
    """What our own reader yields is declared as it was, with nothing to say about it."""
    type_ = dialect.parse_type(native)

    assert type_.native == native
    assert dialect.declare(type_) == (type_, "")


@pytest.mark.parametrize(("written", "native"), SPELLINGS.items())
def test_spelling_is_understood(dialect: Postgres, written: str, native: str) -> None:
    """Aliases and loose spellings mean the type that format_type prints."""
    assert dialect.parse_type(written) == dialect.parse_type(native)
    assert dialect.parse_type(written).native == native


@pytest.mark.parametrize(("type_", "native"), FOREIGN)
def test_foreign_type_finds_a_home(dialect: Postgres, type_: Type, native: str) -> None:
    """A type of another engine gets a home that holds every value of it."""
    declared, note = dialect.declare(type_)

    assert declared == dialect.parse_type(native)
    assert dialect.declare(declared) == (declared, "")
    if declared.kind is Kind.TEXT and type_.kind not in (Kind.TEXT, Kind.CHAR):
        assert note


def test_server_agrees_on_every_type(session: Session, dialect: Postgres) -> None:
    """Create, read and declare again: every type comes back equal, as an array as well."""
    session.query("CREATE EXTENSION citext; CREATE EXTENSION hstore")
    natives = [*NATIVE, "citext", "hstore", "citext[]"]
    columns = ", ".join(f"c{i} {native}" for i, native in enumerate(natives))
    session.query(f"CREATE TABLE t ({columns})")

    table = dialect.read_catalog(session, "").table(TableName("public", "t"))

    assert table is not None
    assert [c.type for c in table.columns] == [dialect.parse_type(n) for n in natives]
    assert [dialect.declare(c.type)[0].native for c in table.columns] == natives


def test_extension_is_made_with_the_table(
    session: Session, second: Session, dialect: Postgres
) -> None:
    """A table with a citext column can be made in a database that has no citext yet."""
    session.query("CREATE EXTENSION citext; CREATE TABLE t (name citext)")
    table = dialect.read_catalog(session, "").tables[0]

    second.run(*dialect.create_types(table))
    second.run(dialect.create_table(table, keys=True, foreign_keys=True))

    assert dialect.read_catalog(second, "").tables[0].columns == table.columns
