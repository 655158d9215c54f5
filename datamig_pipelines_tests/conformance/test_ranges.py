"""A table that is cut anywhere gives every row once, in order, on every engine and type of key."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Table
from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import Compared, Projection, Read, Row
from datamig_pipelines.planning.keys import choose_key
from datamig_pipelines.session import Session
from datamig_pipelines.transfer.rows import cell_text, split_text
from datamig_pipelines_tests.conformance.keyed import CASES, INTEGER, KEYS

SERVERS = {"postgres": "postgres_server", "mysql": "mariadb_server"}
Opened = Callable[[str], Session]


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """Return a session per engine, on one database for all cases: it may write and read well."""
    sessions: dict[str, Session] = {}
    with ExitStack() as stack:

        def session(engine: str) -> Session:
            if engine not in sessions:
                if engine in SERVERS:
                    server = request.getfixturevalue(SERVERS[engine])
                    url = stack.enter_context(server.database())
                else:
                    url = f"{engine}:///{tmp_path_factory.mktemp('ranges') / 'file'}"
                one = Session(DIALECTS[engine], make_url(url), readonly=False)
                sessions[engine] = stack.enter_context(one)
                if engine == "mysql":  # what a source may hold, and what a reader's session has
                    one.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'")
            return sessions[engine]

        yield session


def made(session: Session, columns: list[tuple[str, str]], rows: list[str]) -> Table:
    """Return the table ``t``, made anew: all columns are its primary key, ``v`` hangs on it."""
    session.query("DROP TABLE IF EXISTS t")
    declared = ", ".join(f"{name} {type_} NOT NULL" for name, type_ in columns)
    names = ", ".join(name for name, _ in columns)
    option = " WITHOUT ROWID" if session.dialect.name == "sqlite" else ""
    session.query(f"CREATE TABLE t ({declared}, v integer, PRIMARY KEY ({names})){option}")
    for at, row in enumerate(rows):
        session.query(f"INSERT INTO t VALUES ({row}, {at})")
    return read_back(session)


def read_back(session: Session) -> Table:
    tables = session.dialect.read_catalog(session, "").tables
    return next(t for t in tables if t.name.name == "t")


def read_of(session: Session, table: Table, *, rowid: bool = False) -> Read:
    """Return the read of all columns in order of the primary key."""
    dialect = session.dialect
    columns = tuple(
        Projection(c.name, dialect.quote(c.name), c.type, c.type, family(c.type))
        for c in table.columns
    )
    key = choose_key(table if rowid else replace(table, rowid=""), (), dialect).parts
    wire = Wire.COPY_TEXT if Wire.COPY_TEXT in dialect.can.sends[:2] else Wire.CELLS
    return Read(table.name, columns, Wire.CELLS if dialect.name == "mysql" else wire, key)


def key_of(read: Read, row: Row) -> tuple[str, ...]:
    if isinstance(row, bytes):
        return tuple(str(f) for f in split_text(row)[: len(read.key)])
    return tuple(cell_text(c) for c in row[-len(read.key) :])


def ranges(session: Session, read: Read, cuts: list[tuple[str, ...]]) -> list[list[Row]]:
    """Return the rows of every range between cuts, the open ends included."""
    bounds = pairwise([None, *cuts, None])
    return [list(session.stream(replace(read, after=a, upto=b))) for a, b in bounds]


def check(session: Session, read: Read) -> None:
    """Cut where the engine says, behind every row, and at some pairs of rows."""
    whole = list(session.stream(read))
    keys = [key_of(read, row) for row in whole]
    for parts in (2, 3, 7):
        cuts = session.dialect.cut_points(session, read, parts)
        assert len(cuts) < parts
        assert len(cuts) == len(set(cuts))
        found = ranges(session, read, cuts)
        assert list(chain.from_iterable(found)) == whole
        assert all(found), "a part without rows is no part"
    assert ranges(session, read, keys) == [*([row] for row in whole), []]
    for at in random.Random(7).sample(range(len(whole)), min(5, len(whole))):
        for end in (at + 1, at + 3, len(whole) - 1):
            bounded = replace(read, after=keys[at], upto=keys[min(end, len(whole) - 1)])
            assert list(session.stream(bounded)) == whole[at + 1 : end + 1]
            condition = session.dialect.in_range(read.table, read.key, bounded.after, bounded.upto)
            name = session.dialect.table(read.table)
            assert session.query(session.dialect.count(name, condition)) == [
                (len(whole[at + 1 : end + 1]),)
            ]


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_cut_table_gives_every_row_once(opened: Opened, engine: str, name: str) -> None:
    """Single keys of every type: ranges between cuts are the stream, in its order."""
    session = opened(engine)
    declared, literals = KEYS[engine][name]
    table = made(session, [("k", declared)], list(dict.fromkeys(literals)))
    read = read_of(session, table)
    assert len(read.key) == 1
    assert session.query("SELECT count(*) FROM t") == [(len(set(literals)),)]
    check(session, read)


@pytest.mark.parametrize(("engine", "name"), CASES)
def test_cut_composite_key_gives_every_row_once(opened: Opened, engine: str, name: str) -> None:
    """Keys of several columns of mixed types, the odd one between two others."""
    session = opened(engine)
    declared, literals = KEYS[engine][name]
    number, text = KEYS[engine][INTEGER[engine]][0], KEYS[engine]["uuid"][0]
    values = list(dict.fromkeys(literals))[:4]
    rows = [
        f"{n}, {value}, '00000000-0000-4000-9000-00000000000{last}'"
        for value in values
        for n in (10, 9)
        for last in "10"
    ]
    read = read_of(session, made(session, [("n", number), ("k", declared), ("u", text)], rows))
    assert len(read.key) == 3
    check(session, read)


TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    min_size=1,
    max_size=15,
)
TEXT_KEYS = {
    "postgres": "text",
    "mysql": "language",
    "sqlite": "text",
    "duckdb": "nocase",
}


@pytest.mark.parametrize("engine", TEXT_KEYS)
@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(texts=TEXTS)
def test_any_text_is_a_bound(opened: Opened, engine: str, texts: list[str]) -> None:
    """Whatever stands in a text key, the range that ends with it ends with it."""
    session = opened(engine)
    declared, _ = KEYS[engine][TEXT_KEYS[engine]]
    table = made(session, [("k", declared)], [])
    mark = session.dialect.placeholder
    for at, text in enumerate(texts):
        held = f"SELECT count(*) FROM t WHERE k = {mark}"
        if session.query(held, (text,)) == [(0,)]:  # the collation's word for it
            session.query(f"INSERT INTO t VALUES ({mark}, {at})", (text,))
    check(session, read_of(session, table))


@pytest.mark.parametrize(
    "engine", KEYS
)  # files: no range of theirs can be deleted, and they say so
def test_range_can_be_deleted(opened: Opened, engine: str) -> None:
    """DELETE takes the rows of a range and no others; without bounds it takes all."""
    session, dialect = opened(engine), DIALECTS[engine]
    table = made(session, [("a", "integer"), ("b", "varchar(9)")],
                 [f"{a}, '{b}'" for a in range(5) for b in "xyz"])  # fmt: skip
    key = read_of(session, table).key

    condition = dialect.in_range(table.name, key, ("1", "y"), ("3", "x"))
    session.query(dialect.delete_where(table.name, condition))

    left = session.query("SELECT a, b FROM t ORDER BY a, b")
    assert left == [*[(0, b) for b in "xyz"], (1, "x"), (1, "y"),
                    (3, "y"), (3, "z"), *[(4, b) for b in "xyz"]]  # fmt: skip
    assert dialect.in_range(table.name, key, None, None) == ""
    session.query(dialect.delete_where(table.name, ""))
    assert session.query("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.parametrize("engine", ["postgres", "mysql", "duckdb"])
def test_filter_counts_in_cuts(opened: Opened, engine: str) -> None:
    """Cut points are those of the rows that a filter leaves, and of the rest of a range."""
    session = opened(engine)
    table = made(session, [("k", "integer")], [str(n) for n in range(100)])
    read = replace(read_of(session, table), where="k >= 60 OR k < 0")

    assert session.dialect.cut_points(session, read, 2) == [("79",)]
    (cut,) = session.dialect.cut_points(session, replace(read, where="", after=("59",)), 2)
    assert abs(int(cut[0]) - 79) <= 2


@pytest.mark.parametrize(("engine", "literal"), [("postgres", "1" + "0" * 20), ("duckdb", "1" + "0" * 20), ("mysql", "1" + "0" * 20), ("sqlite", "1" + "0" * 20)])  # fmt: skip
def test_key_that_fits_no_column_is_still_a_bound(
    opened: Opened, engine: str, literal: str
) -> None:
    """The key of a row that the target could not hold bounds the rows that it has."""
    session = opened(engine)
    table = made(session, [("k", "integer")], ["1", "2"])
    key = read_of(session, table).key
    count, name = session.dialect.count, session.dialect.table(table.name)
    for after, upto, rows in [(None, (literal,), 2), ((literal,), None, 0), (("-" + literal,), None, 2)]:  # fmt: skip
        condition = session.dialect.in_range(table.name, key, after, upto)
        assert session.query(count(name, condition)) == [(rows,)]


@pytest.mark.parametrize(
    "engine", KEYS
)  # files: no range of theirs can be deleted, and they say so
def test_words_of_order_are_known(opened: Opened, engine: str) -> None:
    """Equal words on two engines are equal orders: numbers with one scale, uuids, bytes."""
    word = DIALECTS[engine].same_order
    types = {n: DIALECTS[engine].parse_type(d) for n, (d, _) in KEYS[engine].items()}
    shared = {n: word(t) for n, t in types.items() if word(t) and " " not in word(t)}

    expected = {
        "postgres": {
            "smallint": "number", "bigint": "number", "numeric": "number.None",
            "numeric(30,4)": "number.4", "uuid": "uuid",
        },
        "mysql": {
            "tinyint": "number", "bigint": "number", "bigint unsigned": "number",
            "zerofill": "number", "decimal": "number.4", "year": "number",
        },
        "sqlite": {},
        "duckdb": {
            "tinyint": "number", "bigint": "number", "ubigint": "number", "hugeint": "number",
            "decimal": "number.4", "uuid": "uuid",
        },
    }  # fmt: skip
    assert shared == expected[engine]


def test_equal_words_are_equal_orders(opened: Opened) -> None:
    """UUIDs and numbers come in one order from every two engines that say so."""
    orders: dict[str, set[tuple[str, ...]]] = {}
    for engine, keys in KEYS.items():
        session = opened(engine)
        for declared, literals in [(keys[n][0], CASES_OF[n]) for n in CASES_OF if n in keys]:
            table = made(session, [("k", declared)], list(literals))
            read = read_of(session, table)
            word = session.dialect.same_order(read.key[0].type)
            if word:
                compared = Compared(read.key[0].sql, read.key[0].type, read.key[0].type.kind)
                order = session.dialect.canonical(compared)
                rows = session.query(f"SELECT {order} FROM t ORDER BY t.k")
                orders.setdefault(word, set()).add(tuple(str(r) for (r,) in rows))
    assert {word: len(found) for word, found in orders.items()} == {"number": 1, "uuid": 1}


CASES_OF = {"bigint": KEYS["mysql"]["bigint"][1], "uuid": KEYS["postgres"]["uuid"][1]}
