"""The catalog: every kind of object, defaults as values, types that declare themselves again."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import (
    Check,
    Default,
    DefaultKind,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Kind,
    Table,
    TableName,
    Type,
    View,
)
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.dialects.mysql.catalog_reader import unqualified
from datamig_pipelines.dialects.mysql.defaults import read_default
from datamig_pipelines.dialects.mysql.flavour import Flavour
from datamig_pipelines.dialects.mysql.types import parse_type
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines.errors import SpecError, TypeUnsupportedError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.mysql.reads import (
    DIALECT,
    fields_of,
    read_of,
    table_of,
)

RICH = [
    "CREATE TABLE parent (a int, b int, note varchar(10), PRIMARY KEY (b, a), UNIQUE uq (note))",
    """CREATE TABLE rich (
      id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY COMMENT 'the key',
      pa int, pb int, n int CHECK (n > 0), doc json, price decimal(10,2) DEFAULT 1.50,
      name varchar(40) NOT NULL DEFAULT 'it''s', body text, up timestamp NULL
      ON UPDATE current_timestamp(), v int AS (n + 1) VIRTUAL, s varchar(50)
      AS (CONCAT('a', name)) STORED, pt point NOT NULL, hidden int INVISIBLE,
      UNIQUE both_unique (name, n), UNIQUE start (body(10)), INDEX plain (n, pa DESC),
      FULLTEXT words (body), SPATIAL place (pt), CONSTRAINT `odd``name` CHECK (pa <> pb),
      CONSTRAINT fk FOREIGN KEY (pb, pa) REFERENCES parent (b, a) ON DELETE CASCADE
      ON UPDATE RESTRICT) COMMENT 'a rich table'""",
    "ALTER TABLE rich AUTO_INCREMENT = 500",
    "CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self (id) ON DELETE SET NULL)",
    "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3",
    "CREATE TABLE old (id int) ENGINE = MyISAM",
    "CREATE TABLE datamig_runs (id int)",
    "CREATE VIEW seen AS SELECT id, name FROM rich WHERE name <> 'x'",
    "CREATE SEQUENCE counter",
    "CREATE TRIGGER trig BEFORE INSERT ON parent FOR EACH ROW SET NEW.note = 'x'",
    "CREATE PROCEDURE proc() SELECT 1",
    "CREATE FUNCTION func() RETURNS int RETURN 1",
    "CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SELECT 1",
]


@pytest.fixture
def rich(source: Session) -> Session:
    for statement in RICH:
        source.query(statement)
    return source


def test_a_rich_table_is_read_whole(rich: Session) -> None:
    """Keys, indexes, foreign keys, checks, comment and counter come with their own names."""
    table = table_of(rich, "rich")
    assert table.primary_key == Key("", ("id",))
    assert table.uniques == (Key("both_unique", ("name", "n"), ignores_case=True),)
    assert {i.name: i for i in table.indexes} == {
        "start": Index("start", (IndexPart("body", prefix=10),), unique=True),
        "plain": Index("plain", (IndexPart("n"), IndexPart("pa", descending=True))),
        "words": Index("words", (IndexPart("body"),), method="fulltext"),
        "place": Index("place", (IndexPart("pt"),), method="spatial"),
        "fk": Index("fk", (IndexPart("pb"), IndexPart("pa"))),
    }
    parent = TableName("", "parent")
    assert table.foreign_keys == (
        ForeignKey("fk", ("pb", "pa"), parent, ("b", "a"), on_delete="CASCADE"),
    )
    assert set(table.checks) == {
        Check("rich_n_check", "`n` > 0"),
        Check("odd`name", "`pa` <> `pb`"),
    }
    assert table.counters == (("id", 500),)
    assert table.comment == "a rich table"
    assert table.bytes > 0


def test_columns_say_what_they_are(rich: Session) -> None:
    """Identity, generated, nullable, comment and default stand at the column."""
    columns = {c.name: c for c in table_of(rich, "rich").columns}
    assert [columns["id"].identity, columns["id"].nullable, columns["id"].comment] == [
        True, False, "the key",
    ]  # fmt: skip
    assert columns["v"].generated == "`n` + 1"
    assert columns["s"].generated == "concat('a',`name`)"
    assert columns["name"].default == Default(DefaultKind.LITERAL, "it's")
    assert columns["price"].default == Default(DefaultKind.LITERAL, "1.5")
    assert columns["body"].default is None
    assert columns["doc"].type == Type(Kind.JSON, native="json")


def test_other_tables_views_and_objects(rich: Session) -> None:
    """Nothing goes missing: views, self reference, partitions, and all that no step moves."""
    catalog = DIALECT.read_catalog(rich, "*")
    assert [str(t.name) for t in catalog.tables] == ["old", "parent", "parts", "rich", "self"]
    me = TableName("", "self")
    assert table_of(rich, "self").foreign_keys[0].target == me
    assert table_of(rich, "self").foreign_keys[0].on_delete == "SET NULL"
    assert table_of(rich, "parts").kind == "partitioned"
    sql = (
        "select `rich`.`id` AS `id`,`rich`.`name` AS `name` from `rich` where `rich`.`name` <> 'x'"
    )
    assert catalog.views == (View(TableName("", "seen"), sql),)
    assert set(catalog.others) == {
        ("on update", "rich.up"), ("invisible column", "rich.hidden"),
        ("table without snapshot (MyISAM)", "old"),
    }  # fmt: skip
    assert {str(o) for o in catalog.objects if o.kind != "grant"} == {
        "trigger trig", "procedure proc", "function func", "event ev", "sequence counter",
    }  # fmt: skip
    assert (catalog.engine, "MariaDB" in catalog.version) == ("mysql", True)


def test_another_database_is_no_schema(rich: Session) -> None:
    """A schema that is not the URL's database is refused, the database's own name is not."""
    assert DIALECT.read_catalog(rich, str(rich.url.database)).tables
    with pytest.raises(SpecError):
        DIALECT.read_catalog(rich, "mysql")


def test_small_tables_are_counted(source: Session) -> None:
    """The number of rows of a small table is exact, whatever the engine estimates."""
    source.query("CREATE TABLE t (id int PRIMARY KEY, v varchar(200))")
    source.query("INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_5000")
    assert table_of(source, "t").rows == 5000


TYPES = {
    "tinyint(1)": Type(Kind.INTEGER, bits=8),
    "smallint(5) unsigned": Type(Kind.INTEGER, bits=16, unsigned=True),
    "mediumint(9)": Type(Kind.INTEGER, bits=24),
    "int(10) unsigned zerofill": Type(Kind.INTEGER, bits=32, unsigned=True),
    "bigint(20) unsigned": Type(Kind.INTEGER, bits=64, unsigned=True),
    "decimal(65,30)": Type(Kind.DECIMAL, precision=65, scale=30),
    "float": Type(Kind.FLOAT, bits=32),
    "float(7,2)": Type(Kind.FLOAT, bits=32),
    "double": Type(Kind.FLOAT, bits=64),
    "bit(10)": Type(Kind.BITS, length=10),
    "char(5)": Type(Kind.CHAR, length=5),
    "varchar(40)": Type(Kind.TEXT, length=40),
    "tinytext": Type(Kind.TEXT, bits=8),
    "longtext": Type(Kind.TEXT),
    "binary(16)": Type(Kind.BLOB, length=16),
    "varbinary(9)": Type(Kind.BLOB, length=9),
    "mediumblob": Type(Kind.BLOB, bits=24),
    "date": Type(Kind.DATE),
    "datetime": Type(Kind.TIMESTAMP, fraction=0),
    "datetime(6)": Type(Kind.TIMESTAMP, fraction=6),
    "timestamp(3)": Type(Kind.TIMESTAMPTZ, fraction=3),
    "time(1)": Type(Kind.DURATION, fraction=1),
    "year(4)": Type(Kind.YEAR),
    r"enum('a','b''c','x\\y','(1,2)')": Type(Kind.ENUM, values=("a", "b'c", "x\\y", "(1,2)")),
    "set('p','q')": Type(Kind.SET, values=("p", "q")),
    "json": Type(Kind.JSON),
    "uuid": Type(Kind.UUID, bits=128),
    "inet6": Type(Kind.OTHER),
    "multipolygon": Type(Kind.OTHER),
}


def test_types_declare_themselves_again(source: Session) -> None:
    """A table made of the native declarations that were read reads back the same."""
    for name, given in (("first", TYPES), ("second", None)):
        natives = given or [c.type.native for c in table_of(source, "first").columns]
        body = ", ".join(f"c{i} {n} NULL" for i, n in enumerate(natives))
        source.query(f"CREATE TABLE {name} ({body})")
    first, second = (tuple(c.type for c in _columns(source, n)) for n in ("first", "second"))
    assert [t.native for t in first] == list(TYPES)
    assert first == second
    assert all(got.same_as(want) for got, want in zip(first, TYPES.values(), strict=True))
    assert [DIALECT.declare(t) for t in first] == [(t, "") for t in first]


def _columns(source: Session, name: str) -> tuple:
    table: Table = table_of(source, name)
    return table.columns


@pytest.mark.parametrize(
    ("written", "kind"),
    [("BOOLEAN", Kind.INTEGER), ("double precision", Kind.FLOAT),
     ("character varying(3)", Kind.TEXT),
     ("SERIAL", Kind.INTEGER), ("numeric(5)", Kind.DECIMAL), (" Int Unsigned ", Kind.INTEGER)],
)  # fmt: skip
def test_users_spellings_are_understood(written: str, kind: Kind) -> None:
    """A declaration in a user's words has the type that the server would make of it."""
    assert parse_type(written).kind is kind


@pytest.mark.parametrize("written", ["", "int8range", "varchar2(4)", "int(4", "1"])
def test_unknown_types_are_refused(written: str) -> None:
    """What MySQL has no type for is refused by name."""
    with pytest.raises(TypeUnsupportedError):
        parse_type(written)


DEFAULTS = {
    "int DEFAULT NULL": None,
    "varchar(9) DEFAULT 'NULL'": ("literal", "NULL"),
    r"varchar(9) DEFAULT 'a\\b'": ("literal", "a\\b"),
    "varchar(9) DEFAULT ''": ("literal", ""),
    "varchar(40) DEFAULT 'current_timestamp()'": ("literal", "current_timestamp()"),
    "bit(5) DEFAULT b'101'": ("literal", "00101"),
    "varbinary(5) DEFAULT 'AB'": ("literal", "4142"),
    "tinyint(1) DEFAULT true": ("literal", "1"),
    "decimal(5,2) DEFAULT -1.50": ("literal", "-1.5"),
    "time(2) DEFAULT '10:00:00'": ("literal", "10:00:00"),
    "timestamp DEFAULT '2020-01-01 00:00:00'": ("literal", "2020-01-01 00:00:00+00"),
    "datetime(3) DEFAULT current_timestamp(3)": ("now", ""),
    "date DEFAULT curdate()": ("today", ""),
    "varchar(36) DEFAULT uuid()": ("uuid", ""),
    "int DEFAULT (1 + 2)": ("expression", "(1 + 2)"),
    "enum('a','b') DEFAULT 'b'": ("literal", "b"),
}


@pytest.mark.parametrize("declaration", DEFAULTS)
def test_defaults_are_values_where_they_can_be(source: Session, declaration: str) -> None:
    """MariaDB's quoted defaults become plain values, words for now, today and uuid, or SQL."""
    source.query(f"CREATE TABLE t (v {declaration})")
    want = DEFAULTS[declaration]
    got = table_of(source, "t").columns[0].default
    assert got == (want and Default(DefaultKind(want[0]), want[1]))


@pytest.mark.parametrize(
    ("text", "extra", "kind", "want"),
    [
        (None, "", Kind.TEXT, None),
        ("NULL", "", Kind.TEXT, Default(DefaultKind.LITERAL, "NULL")),
        ("it's", "", Kind.TEXT, Default(DefaultKind.LITERAL, "it's")),
        ("CURRENT_TIMESTAMP(3)", "DEFAULT_GENERATED", Kind.TIMESTAMP, Default(DefaultKind.NOW)),
        ("CURRENT_TIMESTAMP", "", Kind.TIMESTAMP, Default(DefaultKind.NOW)),
        ("CURRENT_TIMESTAMP", "", Kind.TEXT, Default(DefaultKind.LITERAL, "CURRENT_TIMESTAMP")),
        ("curdate()", "DEFAULT_GENERATED", Kind.DATE, Default(DefaultKind.TODAY)),
        (r"concat(_utf8mb4\'a\',1)", "DEFAULT_GENERATED", Kind.TEXT,
         Default(DefaultKind.EXPRESSION, "concat('a',1)")),
    ],
)  # fmt: skip
def test_mysql_8_writes_defaults_bare(
    text: str | None, extra: str, kind: Kind, want: Default | None
) -> None:
    """MySQL 8's unquoted defaults are told apart by EXTRA (after its manual, without a server)."""
    assert read_default(text, extra, Type(kind), Flavour(mariadb=False)) == want


def test_only_qualifiers_are_taken_off() -> None:
    """The database's name goes from before names and stays inside of texts."""
    assert unqualified("select `d`.`t`.`a`, '`d`.x', 'it''s `d`.'", "d") == (
        "select `t`.`a`, '`d`.x', 'it''s `d`.'"
    )


@pytest.mark.parametrize(
    ("script", "rows"),
    [
        ("Chinook_MySql.sql", {"Track": 3503, "Playlist": 18, "InvoiceLine": 2240}),
        ("Chinook_MySql_AutoIncrementPKs.sql", {"Track": 3503, "Album": 347}),
        ("dms_sample.sql", {"sport_team": 62}),
    ],
)
def test_real_databases_are_read(
    mariadb_server, mariadb_url, shared_data, tmp_path, script, rows
) -> None:
    """Real dumps load and their catalogs are whole; every row is read and fingerprinted."""
    database = make_url(mariadb_url).database
    text = (shared_data / "mysql" / script).read_text(encoding="utf-8-sig")
    own = tmp_path / "script.sql"
    name = "Chinook_AutoIncrement" if "Auto" in script else "Chinook"
    for word in (f"CREATE DATABASE `{name}`", f"DROP DATABASE IF EXISTS `{name}`"):
        text = text.replace(word, "SELECT 1")
    own.write_text(text.replace(f"USE `{name}`", f"USE `{database}`"))
    mariadb_server.run_script(database, own)
    with Session(MySQL(), make_url(mariadb_url), readonly=True) as session:
        catalog = DIALECT.read_catalog(session, "")
        assert len(catalog.tables) == text.count("CREATE TABLE `")
        counts = {t.name.name: t.rows for t in catalog.tables}
        assert counts | rows == counts
        assert all(c.type.kind is not Kind.OTHER for t in catalog.tables for c in t.columns)
        for table in catalog.tables:
            key = table.primary_key.columns if table.primary_key else ()
            lines = list(session.stream(read_of(table, Wire.COPY_TEXT, key=key)))
            assert all(len(fields_of(line)) == len(table.columns) for line in lines)
            columns = [Compared(DIALECT.quote(c.name), c.type, c.type.kind) for c in table.columns]
            total = session.fingerprint(DIALECT.table(table.name), columns)
            assert (
                len(lines)
                == total.rows
                == session.query(DIALECT.count(DIALECT.table(table.name)))[0][0]
            )
