"""Keys whose order is not what it seems, and tables that have none."""

from dataclasses import replace

import pytest

from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.errors import KeyUnsupportedError
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.sqlite.reads import read_of, table_of


def test_key_is_told_apart_as_its_index_does(session: Session) -> None:
    """Texts that only the key's own collation tells apart are all found behind each other."""
    session.query(
        "CREATE TABLE t (k TEXT COLLATE NOCASE NOT NULL, PRIMARY KEY (k COLLATE BINARY)) "
        "WITHOUT ROWID"
    )
    session.query("INSERT INTO t VALUES ('a'), ('A'), ('b'), ('B'), ('aB'), ('Ab')")
    read = read_of(table_of(session, "t"), ("k",))
    keys = [r[-1] for r in session.stream(read)]

    assert len(keys) == 6
    for at, key in enumerate(keys):
        assert [r[-1] for r in session.stream(replace(read, after=(key,)))] == keys[at + 1 :]
        assert [r[-1] for r in session.stream(replace(read, upto=(key,)))] == keys[: at + 1]


def test_table_without_a_key_has_one_order(session: Session) -> None:
    """An index that holds all columns is not read instead of the table."""
    session.query("CREATE TABLE t (a INTEGER, b)")
    session.query("CREATE INDEX i ON t (a DESC, b)")
    session.query("INSERT INTO t VALUES (2, 1), (3, 1), (1, 1)")
    read = read_of(table_of(session, "t"))

    assert [r[0] for r in session.stream(read)] == [2, 3, 1]
    assert [r[0] for r in session.stream(replace(read, where="a > 1"))] == [2, 3]


def test_range_is_entered_by_the_key(session: Session) -> None:
    """Both ends of a range are ends of the search; nothing is sorted."""
    session.query("CREATE TABLE t (a INTEGER, b TEXT, v, PRIMARY KEY (a, b)) WITHOUT ROWID")
    session.query("CREATE TABLE r (v)")
    for name, key, after, upto in (
        ("t", ("a", "b"), ("1", "x"), ("5", "y")),
        ("r", ("rowid",), ("1",), ("5",)),
    ):
        read = replace(read_of(table_of(session, name), key), after=after, upto=upto)
        plan = session.query("EXPLAIN QUERY PLAN " + SQLite().select(read))
        (step,) = (row[3] for row in plan)
        assert step.startswith(f"SEARCH {name} USING")
        assert ">" in step
        assert "<" in step


def test_pages_are_refused(session: Session) -> None:
    """A range of pages is no reason to read everything twice; one reader needs no parts."""
    session.query("CREATE TABLE t (a)")
    read = read_of(table_of(session, "t"))

    assert SQLite().page_cuts(session, read.table, 4) == []
    assert SQLite().cut_points(session, replace(read, key=()), 4) == []
    with pytest.raises(KeyUnsupportedError):
        SQLite().select(replace(read, pages=(0, None)))
