"""Streams: nasty values on both wires, resume after every row, early ends, huge rows."""

from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql import MySQL, rendering
from datamig_pipelines.errors import KeyUnsupportedError, NotYetError, StatementError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.mysql.reads import fields_of, read_of, table_of

NASTY = [
    "", "plain", "tab\there", "new\nline", "cr\rlf\r\n", "back\\slash", "\\N", "\\.", "it's \"q\"",
    "🐎 žluť", "%s %%", " lead and trail ", "\x01\x1e\x1f\x7f", "a\0b", "\\\t\\\n",
]  # fmt: skip
ALL_BYTES = bytes(range(256))
POINT = "000000000101000000000000000000F03F0000000000000040"
"""POINT(1 2) as it is stored, SRID 0 included: how a geometry goes to a geometry."""
ALL_TYPES = """CREATE TABLE `a``ll` (
  i int, u bigint unsigned, z int(8) unsigned zerofill, d decimal(30,10), f float, g double,
  `per%cent` float(7,2), bo tinyint(1), bi bit(10), c char(5), v varchar(20), l varchar(20)
  CHARACTER SET latin1, t text, e enum('a','b''\\\\c'), s set('p','q'), j json, u4 uuid, ip inet6,
  da date, dt datetime(3), ts timestamp(6) NULL, du time(2), y year, b varbinary(300), p point)"""
ALL_VALUES = """INSERT INTO `a``ll` VALUES (-5, 18446744073709551615, 42, 1.5, 0.1, 1e300, 1.25, 7,
  b'101', 'ab', 'x', 'é', 'text', 'b''\\\\c', 'q,p', '{"a": "\\\\n"}',
  '0189d6a0-5f3c-7b2a-9c11-0123456789ab', '::1', '0000-00-00', '2020-01-31 10:00:00.5',
  '2020-01-31 10:00:00.25', '-838:59:59', 2020, x'00ff5c0a', ST_GeomFromText('POINT(1 2)'))"""


def test_copy_text_carries_every_type(source: Session) -> None:
    """Each type leaves as the text that PostgreSQL's COPY reads, zero dates as they are."""
    source.query("SET SESSION sql_mode = ''")
    source.query(ALL_TYPES)
    source.query(ALL_VALUES)
    source.query("INSERT INTO `a``ll` VALUES ()")
    read = read_of(table_of(source, "a`ll"), Wire.COPY_TEXT)
    first, second = (fields_of(row) for row in source.stream(read))
    assert first == [
        b"-5", b"18446744073709551615", b"42", b"1.5000000000", b"0.10000000149011612", b"1e300",
        b"1.25", b"7", b"0000000101", b"ab", b"x", "é".encode(), b"text", b"b'\\c", b"p,q",
        b'{"a": "\\n"}', b"0189d6a0-5f3c-7b2a-9c11-0123456789ab", b"::1", b"0000-00-00",
        b"2020-01-31 10:00:00.500", b"2020-01-31 10:00:00.250000+00", b"-838:59:59.00", b"2020",
        b"\\x00ff5c0a", POINT.encode(),
    ]  # fmt: skip
    assert second == [None] * 25


def test_cells_carry_every_type(source: Session) -> None:
    """Integers, floats and bytes leave as such, everything else as text, the key behind them."""
    source.query("SET SESSION sql_mode = ''")
    source.query(ALL_TYPES)
    source.query(ALL_VALUES)
    source.query("INSERT INTO `a``ll` (i) VALUES (1)")
    read = read_of(table_of(source, "a`ll"), Wire.CELLS, key=("i",))
    first, second = source.stream(read)
    assert first == (
        -5, 18446744073709551615, 42, "1.5000000000", 0.10000000149011612, 1e300, 1.25, 7,
        "0000000101", "ab", "x", "é", "text", "b'\\c", "p,q", '{"a": "\\n"}',
        "0189d6a0-5f3c-7b2a-9c11-0123456789ab", "::1", "0000-00-00", "2020-01-31 10:00:00.500",
        "2020-01-31 10:00:00.250000+00", "-838:59:59.00", 2020, b"\0\xff\\\n", POINT, "-5",
    )  # fmt: skip
    assert second == (1, *[None] * 24, "1")


@pytest.mark.parametrize("declaration", ["longtext", "varchar(40)", "char(40)"])
@pytest.mark.parametrize("collation", ["utf8mb4_bin", "utf8mb4_unicode_ci", "utf8mb4_general_ci"])
def test_nasty_texts_survive(source: Session, declaration: str, collation: str) -> None:
    """Tabs, line ends, backslashes, quotes, NUL and emoji arrive unchanged; NULL is not ''."""
    source.query(f"CREATE TABLE t (id int PRIMARY KEY, v {declaration} COLLATE {collation})")
    values = [None, *NASTY]
    for number, value in enumerate(values):
        source.query("INSERT INTO t VALUES (%s, %s)", (number, value))
    char = declaration.startswith("char")
    expected = [v.rstrip(" ") if v and char else v for v in values]
    table = table_of(source, "t")
    lines = [fields_of(r)[1] for r in source.stream(read_of(table, Wire.COPY_TEXT, key=("id",)))]
    assert [None if f is None else f.decode() for f in lines] == expected
    assert [r[1] for r in source.stream(read_of(table, Wire.CELLS, key=("id",)))] == expected


def test_all_bytes_survive(source: Session) -> None:
    """A blob with all 256 bytes, an empty one and NULL are told apart on both wires."""
    source.query("CREATE TABLE t (id int PRIMARY KEY, v blob)")
    for number, value in enumerate([ALL_BYTES, b"", None]):
        source.query("INSERT INTO t VALUES (%s, %s)", (number, value))
    table = table_of(source, "t")
    lines = [fields_of(r)[1] for r in source.stream(read_of(table, Wire.COPY_TEXT, key=("id",)))]
    assert lines == [b"\\x" + ALL_BYTES.hex().encode(), b"\\x", None]
    cells = [r[1] for r in source.stream(read_of(table, Wire.CELLS, key=("id",)))]
    assert cells == [ALL_BYTES, b"", None]


def test_rendering_follows_the_target(source: Session) -> None:
    """1 and 0 become true and false for a boolean, 7 stays 7; 16 bytes become a uuid."""
    source.query("CREATE TABLE t (id int, b tinyint(1), f bit(1), u binary(16))")
    source.query(
        "INSERT INTO t VALUES (1, 1, 1, REPEAT('a', 16)), (2, 0, 0, ''), (3, 7, NULL, NULL)"
    )
    into = {"b": Type(Kind.BOOLEAN), "f": Type(Kind.BOOLEAN), "u": Type(Kind.UUID)}
    table = table_of(source, "t")
    lines = [fields_of(r) for r in source.stream(read_of(table, Wire.COPY_TEXT, into=into))]
    assert lines == [
        [b"1", b"true", b"true", b"61" * 16],
        [b"2", b"false", b"false", b"00" * 16],
        [b"3", b"7", None, None],
    ]
    cells = list(source.stream(read_of(table, Wire.CELLS, into=into)))
    assert cells[0] == (1, "true", "true", "61" * 16)
    assert cells[2] == (3, "7", None, None)


KEYS = {
    "int": ["-5", "0", "10", "9", "2000000000"],
    "bigint unsigned": ["18446744073709551615", "9223372036854775808", "9223372036854775809", "1"],
    "decimal(30,10)": ["'1.5'", "'-1.5'", "'10'", "'9'", "'12345678901234567890.0000000001'",
                       "'12345678901234567890.0000000002'"],
    "varchar(40) COLLATE utf8mb4_bin": ["''", "'a'", "'A'", "'a\\\\b'", "'it''s'", "'\\t'", "'🐎'"],
    "varchar(40) COLLATE utf8mb4_general_ci": ["'b'", "'A'", "'c'", "'%'", "'é1'", "'10'", "'9'"],
    "varchar(40) CHARACTER SET latin1": ["'b'", "'é'", "'ß'", "'z'", "'Ä'"],
    "char(5)": ["'a'", "'ab'", "''", "'b c'"],
    "date": ["'2020-01-31'", "'1000-01-01'", "'9999-12-31'"],
    "datetime(6)": ["'2020-01-31 10:00:00'", "'2020-01-31 10:00:00.000001'", "'1999-01-01'"],
    "timestamp(3)": ["'2020-01-31 10:00:00'", "'2020-01-31 10:00:00.5'", "'1999-01-01'"],
    "time(1)": ["'-838:59:59'", "'10:00:00.5'", "'10:00:00'", "'838:59:59'"],
    "year": ["1999", "2020", "0"],
    "uuid": ["'0189d6a0-5f3c-7b2a-9c11-0123456789ab'", "'f189d6a0-5f3c-1b2a-9c11-0123456789ab'",
             "'00000000-0000-0000-0000-000000000001'"],
    "inet6": ["'::1'", "'2001:db8::1'", "'::ffff:1.2.3.4'"],
    "varbinary(10)": ["''", "x'00'", "x'0001'", "x'ff5c'", "'abc'"],
    "binary(4)": ["'a'", "x'00'", "x'ffffffff'"],
    "enum('z','b','a')": ["'a'", "'z'", "'b'"],
    "set('z','b','a')": ["'a,z'", "'z'", "''", "'b,z'", "'b'"],
    "bit(10)": ["b'1'", "b'1000000000'", "b'0'"],
}  # fmt: skip


@pytest.mark.parametrize("wire", [Wire.COPY_TEXT, Wire.CELLS])
@pytest.mark.parametrize("declaration", KEYS)
def test_a_stream_goes_on_after_every_row(source: Session, declaration: str, wire: Wire) -> None:
    """Resuming after any key, simple or composite, yields exactly the rows behind it."""
    source.query(f"CREATE TABLE t (k {declaration} NOT NULL, n int NOT NULL, PRIMARY KEY (k, n))")
    for literal in KEYS[declaration]:
        source.query(f"INSERT INTO t VALUES ({literal}, 1), ({literal}, 2)")
    table = table_of(source, "t")
    whole = list(source.stream(read_of(table, wire, key=("k", "n"))))
    assert len(whole) == 2 * len(KEYS[declaration])
    for number, row in enumerate(whole):
        if isinstance(row, tuple):
            after = tuple(str(c) for c in row[-2:])
        else:
            after = tuple((f or b"").decode() for f in fields_of(row))
        rest = list(source.stream(read_of(table, wire, key=("k", "n"), after=after)))
        assert rest == whole[number + 1 :], after
    assert all(
        list(source.stream(read_of(table, wire, key=("k",), where="n = 1", after=after[:1]))) == []
        for after in [after]
    )


def test_resume_uses_the_primary_key(source: Session) -> None:
    """The database enters the index at the key, where it stopped, and sorts nothing."""
    source.query("CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b))")
    source.query("INSERT INTO t SELECT seq DIV 10, seq, seq FROM seq_1_to_20000")
    source.query("ANALYZE TABLE t")
    read = read_of(table_of(source, "t"), Wire.COPY_TEXT, key=("a", "b"), after=("1990", "19901"))
    plan = source.query("EXPLAIN " + MySQL().select(read))[0]
    assert plan[3] == "range"
    assert "filesort" not in (plan[9] or "")


@pytest.mark.parametrize("declaration", ["double", "json"])
def test_a_float_or_json_is_no_key(source: Session, declaration: str) -> None:
    """What has no exact text or no order is refused as a key by name."""
    source.query(f"CREATE TABLE t (k {declaration})")
    with pytest.raises(KeyUnsupportedError):
        list(source.stream(read_of(table_of(source, "t"), Wire.CELLS, key=("k",))))


def test_a_key_that_is_no_value_of_its_type_is_refused(source: Session) -> None:
    """A remembered key is never put into SQL unless it is a value of the key's type."""
    source.query("CREATE TABLE t (k int PRIMARY KEY)")
    read = read_of(table_of(source, "t"), Wire.CELLS, key=("k",), after=("1 OR 1=1",))
    with pytest.raises(KeyUnsupportedError):
        list(source.stream(read))


def test_other_wires_are_not_there_yet(source: Session) -> None:
    """A wire that MySQL does not send is refused."""
    source.query("CREATE TABLE t (k int PRIMARY KEY)")
    with pytest.raises(NotYetError):
        list(source.stream(read_of(table_of(source, "t"), Wire.ARROW)))


@pytest.mark.parametrize("wire", [Wire.COPY_TEXT, Wire.CELLS])
def test_a_stream_may_be_left_early(source: Session, wire: Wire) -> None:
    """Leaving a long stream stops it on the server; session and transaction go on."""
    source.query("CREATE TABLE t (k int PRIMARY KEY, v varchar(200))")
    source.query("INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_300000")
    table = table_of(source, "t")
    source.query("START TRANSACTION")
    source.query("INSERT INTO t VALUES (0, 'mine')")
    for _ in range(3):
        rows = source.stream(read_of(table, wire, key=("k",)))
        assert next(rows)
        rows.close()
        assert source.query("SELECT v FROM t WHERE k = 0") == [("mine",)]
    source.query("ROLLBACK")
    short = source.stream(read_of(table, wire, key=("k",), where="k < 3"))
    next(short)
    short.close()
    assert source.query("SELECT COUNT(*) FROM t") == [(300000,)]


def test_a_stream_left_early_without_a_second_connection_gives_up(
    source: Session, mariadb_url: str
) -> None:
    """If the statement cannot be stopped the connection is closed instead of read to its end."""
    source.query("CREATE TABLE t (k int PRIMARY KEY, v varchar(200))")
    source.query("INSERT INTO t SELECT seq, REPEAT('x', 200) FROM seq_1_to_100000")
    table = table_of(source, "t")
    with Session(MySQL(), make_url(mariadb_url), readonly=True) as other:
        other._connection.datamig_options["port"] = 1
        rows = other.stream(read_of(table, Wire.COPY_TEXT, key=("k",)))
        next(rows)
        rows.close()
        assert not other._connection.open


def test_rows_longer_than_a_protocol_packet_arrive(source: Session) -> None:
    """A row of more than 16 MiB spans several packets and arrives whole, its neighbours too."""
    before = source.query("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    source.query("SET GLOBAL max_allowed_packet = 1073741824")
    try:
        with Session(MySQL(), source.url, readonly=False) as session:
            session.query("CREATE TABLE t (k int PRIMARY KEY, v longtext)")
            sizes = {1: 5, 2: 16777215 - 3, 3: 40_000_000, 4: 16777215 - 8, 5: 70_000, 6: 251, 7: 0}
            for key, size in sizes.items():
                session.query("INSERT INTO t VALUES (%s, REPEAT('x', %s))", (key, size))
            table = table_of(session, "t")
            for wire in (Wire.COPY_TEXT, Wire.CELLS):
                rows = list(session.stream(read_of(table, wire, key=("k",))))
                got = [r[1] if isinstance(r, tuple) else fields_of(r)[1].decode() for r in rows]
                assert [len(v) for v in got] == list(sizes.values())
                assert all(v == "x" * len(v) for v in got)
    finally:
        source.query(f"SET GLOBAL max_allowed_packet = {before}")


@pytest.mark.parametrize("declaration", ["longtext", "longblob", "json"])
def test_a_large_value_needs_no_larger_packet(source: Session, declaration: str) -> None:
    """Large texts and bytes are escaped by the client: no packet limit, no quadratic REPLACE."""
    source.query(f"CREATE TABLE t (k int PRIMARY KEY, v {declaration})")
    source.query("INSERT INTO t VALUES (1, CONCAT('[', REPEAT('\n', 12000000), ']'))")
    (line,) = source.stream(read_of(table_of(source, "t"), Wire.COPY_TEXT, key=("k",)))
    expected = b"[" + rb"\n" * 12_000_000 + b"]"
    if declaration == "longblob":
        expected = rb"\\x5b" + b"0a" * 12_000_000 + b"5d"
    assert line == b"1\t" + expected + b"\n"


def test_a_line_above_the_packet_is_an_error_and_no_null(
    source: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server cannot render within max_allowed_packet is named, never lost."""
    monkeypatch.setattr(rendering, "_SHORT", 10_000_000)
    table = "CREATE TABLE t (k int PRIMARY KEY, a varbinary(60000))"
    source.query(table)
    source.query("INSERT INTO t VALUES (1, 'a'), (2, REPEAT('x', 60000))")
    read = read_of(table_of(source, "t"), Wire.COPY_TEXT, key=("k",))
    read = replace(read, columns=read.columns[:1] + read.columns[1:] * 150)
    rows = source.stream(read)
    assert next(rows)
    with pytest.raises(StatementError) as caught:
        next(rows)
    assert "max_allowed_packet" in caught.value.hint
    assert source.query("SELECT 1") == [(1,)]


def test_a_user_condition_may_have_percent_signs(source: Session) -> None:
    """A WHERE with %, quotes and OR is taken as it is and kept together."""
    source.query("CREATE TABLE t (k int PRIMARY KEY, `%s` varchar(10))")
    source.query("INSERT INTO t VALUES (1, 'a%b'), (2, 'ab'), (3, 'a%c')")
    table = table_of(source, "t")
    where = "`%s` LIKE 'a\\%%' OR 1 = 2"
    read = read_of(table, Wire.CELLS, key=("k",), where=where, after=("1",))
    assert [r[0] for r in source.stream(read)] == [3]


@pytest.mark.parametrize(
    ("size", "other"),
    [(2**20 - 8, 0), (2**20 + 8, 9), (2**24 - 14, 0), (9 * 2**20, 2**23), (2**24, 2**24)],
)
def test_large_payloads_are_read_whole(source: Session, size: int, other: int) -> None:
    """Around the sizes where a row is read another way, and where the server cuts a packet."""
    source.query("CREATE TABLE t (id int PRIMARY KEY, a longblob, b longblob, c int)")
    source.query(f"INSERT INTO t SELECT 1, REPEAT('xy', {size // 2}), REPEAT('t', {other}), NULL")
    source.query("INSERT INTO t VALUES (2, NULL, REPEAT('t', 2000000), 8)")
    read = read_of(table_of(source, "t"), Wire.COPY_TEXT)

    first, second = source.stream(read)

    wanted = b"1\t\\\\x" + b"7879" * (size // 2) + b"\t\\\\x" + b"74" * other + b"\t\\N\n"
    assert (len(first), first == wanted) == (len(wanted), True)
    assert second == b"2\t\\N\t\\\\x" + b"74" * 2_000_000 + b"\t8\n"
