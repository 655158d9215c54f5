"""Other engines' types and defaults, as MySQL declares them."""

import pytest

from datamig_pipelines.catalog import Default, DefaultKind, Kind, Type
from datamig_pipelines.dialects.mysql.declaring import declare
from datamig_pipelines.dialects.mysql.defaults import write_default

BIN = " COLLATE utf8mb4_bin"
DECLARED = [
    (Type(Kind.BOOLEAN, native="boolean"), "tinyint(1)", ""),
    (Type(Kind.INTEGER, bits=32, native="integer"), "int", ""),
    (Type(Kind.INTEGER, bits=64, unsigned=True, native="UBIGINT"), "bigint unsigned", ""),
    (Type(Kind.INTEGER, bits=128, native="HUGEINT"), "decimal(39,0)", "no integer"),
    (Type(Kind.DECIMAL, native="numeric"), "decimal(65,30)", "refused"),
    (Type(Kind.DECIMAL, precision=12, scale=2), "decimal(12,2)", ""),
    (Type(Kind.DECIMAL, precision=2, scale=5), "decimal(5,5)", ""),
    (Type(Kind.DECIMAL, precision=5, scale=-2), "decimal(7,0)", ""),
    (Type(Kind.DECIMAL, precision=100, scale=50), "decimal(65,30)", "refused"),
    (Type(Kind.DECIMAL, precision=10, scale=2, strict=False), "decimal(65,30)", ""),
    (Type(Kind.FLOAT, bits=32, native="real"), "float", ""),
    (Type(Kind.TEXT, native="text"), f"longtext{BIN}", ""),
    (Type(Kind.TEXT, native="VARCHAR"), f"longtext{BIN}", ""),
    (Type(Kind.TEXT, length=40), f"varchar(40){BIN}", ""),
    (Type(Kind.TEXT, length=20_000), f"longtext{BIN}", "not kept"),
    (Type(Kind.TEXT, length=40, native="NVARCHAR(40)", strict=False), f"longtext{BIN}", ""),
    (Type(Kind.CHAR, length=300), f"varchar(300){BIN}", ""),
    (Type(Kind.BLOB, native="BLOB"), "longblob", ""),
    (Type(Kind.BITS, length=5, native="bit(5)"), "bit(5)", ""),
    (Type(Kind.BITS, length=65, native="bit(65)"), f"varchar(65){BIN}", "text of 0 and 1"),
    (Type(Kind.BITS, length=9, native="bit varying(9)"), f"varchar(9){BIN}", "text of 0 and 1"),
    (Type(Kind.TIMESTAMP, fraction=6), "datetime(6)", ""),
    (Type(Kind.TIMESTAMP, fraction=9), "datetime(6)", "refused"),
    (Type(Kind.TIMESTAMPTZ, fraction=3), "datetime(3)", "UTC"),
    (Type(Kind.TIME, fraction=0), "time", ""),
    (Type(Kind.TIMETZ), f"varchar(32){BIN}", "text"),
    (Type(Kind.UUID, native="uuid"), "char(36) COLLATE ascii_bin", "RFC 4122"),
    (Type(Kind.JSON, native="json"), "json", ""),
    (Type(Kind.ARRAY, element=Type(Kind.TEXT)), "json", "JSON array"),
    (Type(Kind.ENUM, values=("a", "it's", "A")), f"enum('a','it''s','A'){BIN}", ""),
    (Type(Kind.ENUM, values=("a ", "b")), f"longtext{BIN}", "cannot have"),
    (Type(Kind.OTHER, native="int4range"), f"longtext{BIN}", "becomes its text"),
]


@pytest.mark.parametrize(("type_", "native", "note"), DECLARED, ids=str)
def test_type_is_declared_without_a_loss(type_: Type, native: str, note: str) -> None:
    """Every value has room, or the note says what is refused; text is compared byte by byte."""
    held, said = declare(type_)

    assert (held.native, bool(said)) == (native, bool(note))
    assert note in said


@pytest.mark.parametrize("kind", [Kind.TIME, Kind.TIMESTAMPTZ, Kind.UUID])
def test_kinds_are_kept_for_the_proofs(kind: Kind) -> None:
    """A time, an instant and a uuid stay what they are, whatever the column is called."""
    assert declare(Type(kind))[0].kind is kind


DEFAULTS = [
    ("literal", "12.5", "decimal(9,2)", "12.5"),
    ("literal", "12.555", "decimal(9,2)", None),
    ("literal", "abc", "int", None),
    ("literal", "true", "tinyint(1)", "1"),
    ("literal", "it's \\", "varchar(9)", "'it''s \\\\'"),
    ("literal", "too long for it", "varchar(9)", None),
    ("literal", "abc", "longtext", "('abc')"),
    ("literal", "00ff", "longblob", "(x'00ff')"),
    ("literal", "101", "bit(3)", "b'101'"),
    ("literal", "2020-01-31 10:00:00.5+00", "timestamp(6)", "'2020-01-31 10:00:00.5'"),
    ("literal", "soon", "datetime", None),
    ("literal", "c", "enum('a','b')", None),
    ("now", "", "datetime(6)", "CURRENT_TIMESTAMP(6)"),
    ("now", "", "date", "(CURDATE())"),
    ("now", "", "int", None),
    ("today", "", "date", "(CURDATE())"),
    ("uuid", "", "char(36)", "(UUID())"),
    ("expression", "1 + LENGTH('f(x)')", "int", "(1 + LENGTH('f(x)'))"),
    ("expression", "NEXTVAL('s')", "int", None),
]


@pytest.mark.parametrize(("kind", "value", "native", "sql"), DEFAULTS)
def test_default_is_one_that_the_server_takes(
    source, kind: str, value: str, native: str, sql: str | None
) -> None:
    """A default is written so that CREATE TABLE takes it, or left out for the plan to say."""
    type_ = source.dialect.parse_type(native)

    written = write_default(Default(DefaultKind(kind), value), type_)

    assert written == sql
    if written is not None:
        source.query(f"CREATE TABLE t (c {native} DEFAULT {written})")


def test_now_of_an_instant_is_utc() -> None:
    """In a DATETIME that stands for an instant, the session's time zone has no say."""
    held, _ = declare(Type(Kind.TIMESTAMPTZ))
    assert write_default(Default(DefaultKind.NOW), held) == "(UTC_TIMESTAMP(6))"
