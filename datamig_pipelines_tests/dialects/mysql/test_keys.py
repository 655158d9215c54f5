"""Keys: cut points from estimates, ranges by the index, keys that must not be used."""

from dataclasses import replace

import pytest

from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.dialects.reading import Read
from datamig_pipelines.errors import KeyUnsupportedError
from datamig_pipelines.planning.keys import choose_key
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.mysql.reads import read_of, table_of

DIALECT = MySQL()
ROWS = 20_000
UUID = (
    "CONCAT(LEFT(MD5(seq), 8), '-', SUBSTR(MD5(seq), 9, 4), '-4', SUBSTR(MD5(seq), 14, 3), '-9', "
    "SUBSTR(MD5(seq), 18, 3), '-', RIGHT(MD5(seq), 12))"
)
SPREADS = {
    "dense": ("k bigint", "k", "seq"),
    "one per cent of the space": ("k bigint", "k", "IF(seq <= 200, seq * 1000000, 300000000 + seq)"),
    "huge gaps": ("k bigint", "k", "(seq % 10) * 100000000000000 + seq"),
    "unsigned": ("k bigint unsigned", "k", "18446744073709551615 - seq * seq * seq"),
    "negative": ("k int", "k", "-seq * 3"),
    "in front": ("k int, l int", "k, l", "seq DIV 7, seq"),
    "two values in front": ("k int, l int", "k, l", "seq % 2, seq"),
    "text": ("k varchar(40)", "k", "MD5(seq)"),
    "one beginning": ("k varchar(40)", "k", "CONCAT(IF(seq % 100, 'm', seq), MD5(seq))"),
    "uuid": ("k uuid", "k", UUID),
    "moment": ("k datetime", "k", "'2020-01-01' + INTERVAL seq * seq SECOND"),
}  # fmt: skip


def filled(session: Session, columns: str, key: str, values: str) -> Read:
    """Make the table ``t`` of 20,000 rows and return the read of it in order of its key."""
    session.query(f"CREATE TABLE t ({columns}, v varchar(40), PRIMARY KEY ({key}))")
    session.query(f"INSERT INTO t SELECT {values}, 'so many bytes of' FROM seq_1_to_{ROWS}")
    return read_of(table_of(session, "t"), Wire.CELLS, key=tuple(key.split(", ")))


def sizes(session: Session, read: Read, cuts: list[tuple[str, ...]]) -> list[int]:
    bounds = zip([None, *cuts], [*cuts, None], strict=True)
    conditions = [DIALECT.in_range(read.table, read.key, a, b) for a, b in bounds]
    return [session.query(DIALECT.count("t", c))[0][0] for c in conditions]


@pytest.mark.parametrize("spread", SPREADS)
def test_parts_are_about_equal(source: Session, spread: str) -> None:
    """However keys are spread, no part is twice as large as another, with or without ANALYZE."""
    read = filled(source, *SPREADS[spread])
    for analysed in (False, True):
        if analysed:
            source.query("ANALYZE TABLE t")
        for parts in (2, 16):
            cuts = DIALECT.cut_points(source, read, parts)
            found = sizes(source, read, cuts)
            assert sum(found) == ROWS
            assert len(found) == parts
            assert max(found) < 2 * min(found)


def test_part_of_a_table_is_cut(source: Session) -> None:
    """What is left of a table after a key is cut, not the whole table again."""
    read = replace(filled(source, *SPREADS["huge gaps"]), after=("500000000019965",))

    cuts = DIALECT.cut_points(source, read, 4)

    assert len(cuts) == 3
    assert [int(c[0]) > 500000000019965 for c in cuts] == [True] * 3
    found = sizes(source, read, cuts)
    assert max(found[1:]) < 2 * min(found[1:])


def test_integers_are_cut_without_reading_the_table(source: Session) -> None:
    """The server reads some rows per part, not the table."""
    read = filled(source, *SPREADS["one per cent of the space"])
    source.query("FLUSH STATUS")

    assert len(DIALECT.cut_points(source, read, 8)) == 7

    looked = source.query("SHOW SESSION STATUS WHERE variable_name LIKE 'Handler_read%'")
    status = {name: int(n) for name, n in looked if name != "Handler_read_rnd_next"}
    assert sum(status.values()) < 100


@pytest.mark.parametrize("spread", ["dense", "in front", "text", "uuid", "moment"])
def test_range_is_read_by_the_index(source: Session, spread: str) -> None:
    """A range enters the index where it begins and leaves it where it ends; nothing is sorted."""
    columns, key, values = SPREADS[spread]
    read = filled(source, columns, key, values)
    source.query("ANALYZE TABLE t")
    cuts = DIALECT.cut_points(source, read, 20)
    for after, upto in ((cuts[-1], None), (None, cuts[0]), cuts[9:11]):
        ((*plan, rows, extra),) = source.query(
            "EXPLAIN " + DIALECT.select(replace(read, after=after, upto=upto))
        )
        assert (plan[3], plan[5]) == ("range", "PRIMARY")
        assert int(rows) < ROWS / 5
        assert "filesort" not in (extra or "")


def test_stream_without_a_key_has_one_order(source: Session) -> None:
    """No index that holds all columns is read instead of the table."""
    source.query("CREATE TABLE t (a int, b int, KEY (b, a))")
    source.query("INSERT INTO t SELECT seq, (seq * 7919) % 1009 FROM seq_1_to_1000")
    read = read_of(table_of(source, "t"), Wire.CELLS)

    for where in ("", "b > 5"):
        rows = [r[0] for r in source.stream(replace(read, where=where))]
        assert rows == sorted(rows)
        assert len(rows) > 900


def test_pages_are_refused(source: Session) -> None:
    """A range of pages is no reason to read everything twice."""
    source.query("CREATE TABLE t (a int)")
    read = read_of(table_of(source, "t"), Wire.CELLS)

    assert DIALECT.page_cuts(source, read.table, 4) == []
    with pytest.raises(KeyUnsupportedError):
        DIALECT.select(replace(read, pages=(0, 5)))


def test_long_texts_are_sorted_to_their_end(source: Session) -> None:
    """Texts that begin with the same 600 letters come in order, also where a sort is needed."""
    source.query(
        "CREATE TABLE t (f double PRIMARY KEY, v varchar(200), "
        "k varchar(700) COLLATE utf8mb4_unicode_ci NOT NULL, UNIQUE (k))"
    )
    source.query(
        "INSERT INTO t SELECT seq, REPEAT('v', 200), "
        "CONCAT(REPEAT('x', 600), LPAD((seq * 7919) % 4001, 6, '0')) FROM seq_1_to_4000"
    )
    read = read_of(table_of(source, "t"), Wire.CELLS, key=("k",))
    with Session(DIALECT, source.url, readonly=True) as reader:
        ((*_, extra),) = reader.query("EXPLAIN " + DIALECT.select(read))
        assert "filesort" in extra
        keys = [r[-1] for r in reader.stream(read)]
    assert keys == sorted(keys)


def test_invalid_date_is_a_place_to_go_on_from(source: Session) -> None:
    """A day that ALLOW_INVALID_DATES let in is found again by a reader's session."""
    source.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
    source.query("CREATE TABLE t (k date PRIMARY KEY)")
    source.query("INSERT INTO t VALUES ('2020-02-31'), ('2020-03-01'), ('2020-02-29')")
    read = read_of(table_of(source, "t"), Wire.CELLS, key=("k",), after=("2020-02-31",))
    with Session(DIALECT, source.url, readonly=True) as reader:
        assert reader.query("SELECT CAST('2020-02-31' AS DATE)") == [("2020-02-31",)]
        assert [r[0] for r in reader.stream(read)] == ["2020-03-01"]
        assert [r[0] for r in reader.stream(replace(read, after=None, upto=read.after))] == [
            "2020-02-29", "2020-02-31",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "declaration",
    ["f double PRIMARY KEY, k text NOT NULL, UNIQUE (k)",
     "k char(6) COLLATE utf8mb4_nopad_bin PRIMARY KEY"],
)  # fmt: skip
@pytest.mark.parametrize("default", ["utf8mb4_general_ci", "utf8mb4_nopad_bin"])
def test_key_without_a_sure_order_is_not_used(
    source: Session, declaration: str, default: str
) -> None:
    """Texts without a length (unique by a hash) and unpadded CHARs are no key."""
    source.query(f"ALTER DATABASE COLLATE {default}")
    source.query(f"CREATE TABLE t ({declaration})")
    table = table_of(source, "t")

    assert choose_key(table, (), DIALECT).parts == ()
    with pytest.raises(KeyUnsupportedError, match="order"):
        choose_key(table, ("k",), DIALECT)
