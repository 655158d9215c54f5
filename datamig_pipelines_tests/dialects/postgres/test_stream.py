"""Streams: order, resuming, ending early, what other engines are sent."""

from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy.engine import URL

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.reading import KeyPart, Projection, Read
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines_tests.dialects.postgres.moving import reading

KEYS = [
    ("bigint", "SELECT i * 1000000007::bigint FROM generate_series(-5, 5) i"),
    ("smallint", "SELECT generate_series(-3, 3)"),
    ("numeric", "SELECT i / 3.0 FROM generate_series(-4, 4) i UNION SELECT 1e60 UNION SELECT 1e60 + 1"),
    ("numeric(12,2)", "SELECT i / 4.0 FROM generate_series(-4, 4) i"),
    ("text", "VALUES (''), ('a'), ('A'), ('á'), ('a''b'), ('a\\b'), ('🐎'), (E'\\t'), ('100%s'), ('zz')"),
    ('text COLLATE "C"', "VALUES (''), ('a'), ('A'), ('á'), ('_'), ('Z')"),
    ("varchar(5)", "VALUES ('10'), ('9'), ('1'), (' 1')"),
    ("char(4)", "VALUES ('b'), ('a'), ('ab')"),
    ("timestamp", "VALUES ('2020-01-01 10:00:00.000001'), ('2020-01-01 10:00'), ('-infinity'), ('0044-03-15 BC')"),
    ("timestamptz", "VALUES ('2020-01-01 10:00:00+02'), ('2020-01-01 09:00:00+00'), ('infinity')"),
    ("date", "VALUES ('2020-01-01'), ('1999-12-31')"),
    ("uuid", "SELECT md5(i::text)::uuid FROM generate_series(1, 6) i"),
    ("bytea", "VALUES ('\\x00'), ('\\xff00'), ('\\x'), ('\\x5c')"),
    ("boolean", "VALUES (true), (false)"),
    ("double precision", "VALUES (0.1), (-1e300), (1e-300), ('Infinity'), (0.30000000000000004)"),
    ("bit(3)", "VALUES (B'101'), (B'000'), (B'110')"),
    ("inet", "VALUES ('10.0.0.1'), ('10.0.0.0/8'), ('::1')"),
    ('"Mood %s"', "VALUES ('sad'), ('happy'), ('a''b')"),
]  # fmt: skip
PLAIN_TEXT = {Kind.BLOB: "encode(k, 'hex')", Kind.CHAR: "k::text"}


@pytest.mark.parametrize(("type_", "rows"), KEYS)
def test_stream_resumes_behind_every_row(
    scratch: Session, dialect: Postgres, type_: str, rows: str
) -> None:
    """Resumed behind any row, a stream yields exactly the rows that came after it, on any wire."""
    scratch.query("""CREATE TYPE "Mood %s" AS ENUM ('sad', 'happy', 'a''b')""")
    scratch.query(f"CREATE TABLE t (k {type_} PRIMARY KEY, v int)")
    scratch.query(f"INSERT INTO t SELECT k::{type_.partition(' COLLATE')[0]} FROM ({rows}) q(k)")
    table = dialect.read_catalog(scratch, "").tables[0]
    text = PLAIN_TEXT.get(table.columns[0].type.kind, "k::text")
    keys = [k for (k,) in scratch.query(f"SELECT {text} FROM t ORDER BY t.k")]

    for wire in dialect.can.sends:
        whole = list(scratch.stream(reading(table, wire)))
        assert len(whole) == len(keys) > 1
        for place, key in enumerate(keys):
            assert list(scratch.stream(reading(table, wire, after=(key,)))) == whole[place + 1 :]


def test_stream_resumes_behind_a_composite_key(session: Session, dialect: Postgres) -> None:
    """Several key columns are compared as one row, each in its own type."""
    session.query('CREATE TABLE t (a text, "b %s" int, c date, PRIMARY KEY ("b %s", a, c))')
    session.query(
        "INSERT INTO t SELECT a, b, '2020-01-01'::date + c FROM unnest(ARRAY['10', '9', '']) a, "
        "generate_series(8, 11) b, generate_series(0, 1) c"
    )
    table = dialect.read_catalog(session, "").tables[0]
    read = reading(table, Wire.COPY_TEXT)
    keys = session.query('SELECT "b %s"::text, a, c::text FROM t ORDER BY t."b %s", t.a, t.c')

    whole = list(session.stream(read))

    assert len(whole) == 24
    for place, key in enumerate(keys):
        assert list(session.stream(replace(read, after=key))) == whole[place + 1 :]


def test_stream_applies_the_filter(session: Session, dialect: Postgres) -> None:
    """A filter with OR and a percent sign holds together with the resume condition."""
    session.query("CREATE TABLE t (k int PRIMARY KEY)")
    session.query("INSERT INTO t SELECT generate_series(1, 9)")
    read = reading(dialect.read_catalog(session, "").tables[0], Wire.COPY_TEXT, after=("3",))

    rows = session.stream(replace(read, where="k % 2 = 0 OR k = 1"))

    assert list(rows) == [b"4\n", b"6\n", b"8\n"]


def test_stream_of_nothing_is_empty(session: Session, dialect: Postgres) -> None:
    """An empty table yields no row on any wire: header and trailer of binary are not rows."""
    session.query("CREATE TABLE t (k int PRIMARY KEY)")
    table = dialect.read_catalog(session, "").tables[0]

    assert [list(session.stream(reading(table, wire))) for wire in dialect.can.sends] == [[]] * 3


@pytest.mark.parametrize("wire", [Wire.COPY_TEXT, Wire.COPY_BINARY])
@pytest.mark.parametrize("shared", [True, False])
def test_stream_closed_early_leaves_the_session_usable(
    url: URL, session: Session, dialect: Postgres, wire: Wire, shared: bool
) -> None:
    """A stream given up after one row ends its query; snapshot and connection live on."""
    session.query("CREATE TABLE t (k int PRIMARY KEY)")
    session.query("INSERT INTO t SELECT generate_series(1, 300000)")
    table = dialect.read_catalog(session, "").tables[0]
    with Session(dialect, url, readonly=True) as reader:
        if shared:
            dialect.share_snapshot([reader._connection])
        rows = reader.stream(reading(table, wire))
        next(rows)
        rows.close()
        session.query("DELETE FROM t WHERE k < 10")

        assert reader.query("SELECT count(*) FROM t") == [(300000 if shared else 299991,)]
        assert sum(1 for _ in reader.stream(reading(table, wire))) == (300000 if shared else 299991)


def test_readers_share_one_moment(url: URL, session: Session, dialect: Postgres) -> None:
    """All readers see the rows of the moment at which they were opened, and its position."""
    session.query("CREATE TABLE t (k int)")
    session.query("INSERT INTO t VALUES (1)")
    readers, position = open_readers(dialect, url, 3)
    session.query("INSERT INTO t VALUES (2)")

    assert [r.query("SELECT count(*) FROM t") for r in readers] == [[(1,)]] * 3
    high, low = position.partition(" ")[0].split("/")
    assert int(high, 16) >= 0
    assert int(low, 16) > 0
    for reader in readers:
        reader.close()


def test_inherited_rows_are_read_once(session: Session, dialect: Postgres) -> None:
    """A parent yields its own rows only, a partitioned table those of its partitions."""
    session.query(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);"
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);"
        "CREATE TABLE part (id int PRIMARY KEY) PARTITION BY LIST (id);"
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (7);"
        "CREATE TABLE part_2 PARTITION OF part DEFAULT; INSERT INTO part VALUES (7), (8)"
    )
    tables = dialect.read_catalog(session, "").tables

    rows = {t.name.name: list(session.stream(reading(t, Wire.COPY_TEXT))) for t in tables}

    assert rows == {"child": [b"2\n"], "parent": [b"1\n"], "part": [b"7\n", b"8\n"]}
    for table in tables:
        name = dialect.table(table.name)
        count = len(rows[table.name.name])
        assert session.query(dialect.count(name)) == [(count,)]
        assert session.fingerprint(name, []).rows == count == table.rows


def into(kind: Kind, native: str = "") -> Type:
    return Type(kind, native=native)


RENDERED = [
    ("boolean", "true", into(Kind.BOOLEAN, "BOOLEAN"), b'"true"\n', b"true\n"),
    ("boolean", "true", into(Kind.BOOLEAN, "boolean"), b'"true"\n', b"t\n"),
    ("boolean", "true", into(Kind.INTEGER, "tinyint(1)"), b'"1"\n', b"1\n"),
    ("smallint", "1", into(Kind.BOOLEAN), b'"true"\n', b"true\n"),
    ("smallint", "7", into(Kind.BOOLEAN), b'"7"\n', b"7\n"),
    ("bytea", "'\\x00ff5c0a'", into(Kind.BLOB, "BLOB"), b'"00ff5c0a"\n', b"00ff5c0a\n"),
    ("bytea", "'\\x00ff5c0a'", into(Kind.BLOB, "bytea"), b'"00ff5c0a"\n', b"\\\\x00ff5c0a\n"),
    ("text", "NULL", into(Kind.TEXT), b"\n", b"\\N\n"),
    ("text", "''", into(Kind.TEXT), b'""\n', b"\n"),
    ("text", "E'\\\\N'", into(Kind.TEXT), b'"\\N"\n', b"\\\\N\n"),
    ("text", "E'\\\\.'", into(Kind.TEXT), b'"\\."\n', b"\\\\.\n"),
    ("text", "E'a\\tb\\nc\"d\\\\'", into(Kind.TEXT), b'"a\tb\nc""d\\"\n', b'a\\tb\\nc"d\\\\\n'),
    ("text", "'🐎'", into(Kind.TEXT), '"🐎"\n'.encode(), "🐎\n".encode()),
    ("char(5)", "'ab'", into(Kind.TEXT), b'"ab"\n', b"ab\n"),
    ("int[]", "'{1,NULL}'", into(Kind.ARRAY, "INTEGER[]"), b'"[1,null]"\n', b"{1,NULL}\n"),
    ("int[]", "'{1,NULL}'", into(Kind.JSON), b'"[1,null]"\n', b"[1,null]\n"),
    ("money", "1234.5", into(Kind.DECIMAL, "DECIMAL(19,2)"), b'"1234.50"\n', b"1234.50\n"),
    ("numeric", "1e20", into(Kind.DECIMAL), b'"100000000000000000000"\n', b"100000000000000000000\n"),
    ("real", "0.1", into(Kind.FLOAT), b'"0.10000000149011612"\n', b"0.10000000149011612\n"),
    ("float8", "0.1::float8 + 0.2", into(Kind.FLOAT), b'"0.30000000000000004"\n', b"0.30000000000000004\n"),
    ("timestamptz", "'2020-01-01 10:00:00.5+02'", into(Kind.TIMESTAMPTZ), b'"2020-01-01 08:00:00.5+00"\n', b"2020-01-01 08:00:00.5+00\n"),
    ("timestamptz", "'2020-01-01 10:00+02'", into(Kind.TIMESTAMP), b'"2020-01-01 08:00:00"\n', b"2020-01-01 08:00:00\n"),
    ("interval", "'-1 day -2:03:04.50'", into(Kind.DURATION), b'"-26:03:04.5"\n', b"-26:03:04.5\n"),
    ("interval", "'-1 mon 3 days'", into(Kind.INTERVAL), b'"-1 mons 3 days"\n', b"-1 mons +3 days\n"),
    ("inet", "'10.0.0.1'", into(Kind.TEXT), b'"10.0.0.1/32"\n', b"10.0.0.1/32\n"),
    ("inet", "'10.0.0.1'", into(Kind.OTHER, "inet"), b'"10.0.0.1"\n', b"10.0.0.1\n"),
    ("bit(4)", "B'1010'", into(Kind.INTEGER), b'"10"\n', b"10\n"),
    ("jsonb", "'{\"a\": \"\\n\"}'", into(Kind.JSON), b'"{""a"": ""\\n""}"\n', b'{"a": "\\\\n"}\n'),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "into_", "csv", "text"), RENDERED)
def test_value_is_rendered_for_its_target(
    scratch: Session, type_: str, value: str, into_: Type, csv: bytes, text: bytes
) -> None:
    """A value leaves in the text that the target column's loader reads, NULL apart from ''."""
    scratch.query(f"CREATE TABLE t (k {type_}); INSERT INTO t SELECT {value}")
    column = Projection("k", '"k"', scratch.dialect.parse_type(type_), into_, None)
    read = Read(TableName("public", "t"), (column,), Wire.COPY_CSV)

    assert list(scratch.stream(read)) == [csv]
    assert list(scratch.stream(replace(read, wire=Wire.COPY_TEXT))) == [text]


def test_select_is_what_runs(dialect: Postgres) -> None:
    """The SELECT of a stream is readable: quoted names, typed literals, one ORDER BY."""
    key = KeyPart('"a"', dialect.parse_type("bigint")), KeyPart('"b"', dialect.parse_type("text"))
    column = Projection("a", '"a"', key[0].type, key[0].type, None)
    read = Read(TableName("s", "t"), (column,), Wire.COPY_BINARY, key, "x > 1", ("5", "it's"))

    assert dialect.select(read) == (
        'SELECT "a" FROM "s"."t" WHERE (x > 1) AND '
        '''("a", "b") > ('5'::bigint, 'it''s'::text) ORDER BY "t"."a", "t"."b"'''
    )


def test_order_is_that_of_the_column(session: Session, dialect: Postgres) -> None:
    """A key that is rendered as text is still ordered as what it is."""
    session.query("CREATE TABLE t (k int PRIMARY KEY); INSERT INTO t VALUES (9), (10), (-1)")
    read = reading(dialect.read_catalog(session, "").tables[0], Wire.COPY_TEXT)
    text = replace(read.columns[0], type=into(Kind.TEXT), sql='("k")::text')

    rows = list(session.stream(replace(read, columns=(text,))))

    assert rows == [b"-1\n", b"9\n", b"10\n"]


def test_order_is_total(session: Session, dialect: Postgres) -> None:
    """Rows come in strictly ascending order of the key."""
    session.query("CREATE TABLE t (k int PRIMARY KEY)")
    session.query("INSERT INTO t SELECT (i * 7919) % 10007 FROM generate_series(1, 10006) i")
    table = dialect.read_catalog(session, "").tables[0]

    keys = [int(row) for row in session.stream(reading(table, Wire.COPY_TEXT))]

    assert len(keys) == 10006
    assert all(a < b for a, b in pairwise(keys))
