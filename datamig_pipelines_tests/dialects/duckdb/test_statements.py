"""Statements: what is created is what was meant, and can be taken back."""

from dataclasses import replace

import pytest

from datamig_pipelines.catalog import (
    Check,
    Column,
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
from datamig_pipelines.errors import RefusedError
from datamig_pipelines_tests.dialects.duckdb.reads import DIALECT, table_of

INT = Type(Kind.INTEGER, bits=32, native="INTEGER")
TEXT = Type(Kind.TEXT, native="VARCHAR")
PARENT = Table(
    TableName("main", 'Par "e%nt'),
    (
        Column("id", INT, nullable=False, identity=True),
        Column("code", TEXT, default=Default(DefaultKind.LITERAL, "it's")),
        Column("twice", INT, generated="id * 2"),
    ),
    primary_key=Key("pk", ("id",)),
    uniques=(Key("by code", ("code",)),),
    checks=(Check("positive %", "id > 0"),),
    counters=(("id", 42),),
)
CHILD = Table(
    TableName("main", "child"),
    (Column("id", INT, nullable=False), Column("parent", INT), Column("code", TEXT)),
    primary_key=Key("pk", ("id",)),
    foreign_keys=(
        ForeignKey("f k", ("parent",), PARENT.name, ("id",), "CASCADE", "SET NULL", "deferred"),
        ForeignKey("", ("code",), PARENT.name, ("code",)),
    ),
)
GRANDCHILD = Table(
    TableName("main", "grandchild"),
    (Column("child", INT),),
    foreign_keys=(ForeignKey("", ("child",), CHILD.name, ("id",)),),
)


def load(db) -> None:
    """Create the three tables bare and fill them."""
    for table in (PARENT, CHILD, GRANDCHILD):
        db.run(*DIALECT.create_types(table))
        db.run(DIALECT.create_table(table, keys=False, foreign_keys=False))
    db.query(f"INSERT INTO {DIALECT.table(PARENT.name)} (id, code) VALUES (1, 'a'), (2, 'b')")
    db.query("INSERT INTO child VALUES (1, 1, 'a'), (2, NULL, NULL)")
    db.query("INSERT INTO grandchild VALUES (1)")


def test_create_table_with_a_counter_goes_on_where_the_source_was(db):
    """The sequence starts at the source's next value; set_counter has nothing left to do."""
    load(db)
    name = DIALECT.table(PARENT.name)
    assert DIALECT.set_counter(PARENT, "id", 42) == []
    assert db.query(f"INSERT INTO {name} (code) VALUES ('c') RETURNING id, twice") == [(42, 84)]
    assert table_of(db, PARENT.name.name).counters == (("id", 43),)


def test_set_counter_moves_on_to_a_later_value(db):
    """Rows that came after the plan push the counter on, by drawing from it."""
    load(db)
    db.run(*DIALECT.set_counter(PARENT, "id", 1_000_000))
    sql = f"INSERT INTO {DIALECT.table(PARENT.name)} (code) VALUES ('c') RETURNING id"
    assert db.query(sql) == [(1_000_000,)]


def test_counters_of_similar_names_are_different(db):
    """Quotes, dots and underscores in names never make two columns count together."""
    pairs = [
        ("a", "b_c"),
        ("a_b", "c"),
        ("a__b", "c"),
        ("a", "_b__c"),
        ('x"', "y"),
        ("x'", "y"),
        ("x.", "y"),
    ]
    names = set()
    for at, (table_name, column) in enumerate(pairs):
        table = Table(
            TableName("main", table_name),
            (Column(column, INT, identity=True), Column("v", TEXT)),
            counters=((column, 10 * at + 1),),
        )
        db.run(
            *DIALECT.create_types(table), DIALECT.create_table(table, keys=True, foreign_keys=True)
        )
        quoted = DIALECT.quote(column)
        sql = f"INSERT INTO {DIALECT.table(table.name)} (v) VALUES ('x') RETURNING {quoted}"
        assert db.query(sql) == [(10 * at + 1,)]
        names |= {s.sql for s in DIALECT.create_types(table)}
        db.query(f"ALTER TABLE {DIALECT.table(table.name)} RENAME TO kept_{at}")
    assert len(names) == len(pairs)


def test_drop_table_takes_its_counter_along(db):
    """Do, undo, do again."""
    for _ in range(2):
        load(db)
        for table in (GRANDCHILD, CHILD, PARENT):
            db.run(*DIALECT.drop_table(table))
        assert db.query("SELECT count(*) FROM duckdb_sequences()") == [(0,)]
        assert DIALECT.read_catalog(db, "*").tables == ()


def test_rebuild_gives_loaded_tables_their_keys(db, duckdb_url):
    """In one transaction, parents first: rows stay, keys hold, deletes find the children."""
    load(db)
    with db.transaction():
        for table in (PARENT, CHILD, GRANDCHILD):
            db.run(*DIALECT.rebuild(table))
    child = table_of(db, "child")
    assert child.primary_key
    assert {k.columns for k in child.foreign_keys} == {("parent",), ("code",)}
    assert child.rows == 2
    parent = DIALECT.table(PARENT.name)
    for sql in (
        "INSERT INTO child VALUES (9, 77, NULL)",
        f"DELETE FROM {parent} WHERE id = 1",
        "DELETE FROM child WHERE id = 1",
    ):
        with pytest.raises(RefusedError, match="foreign key"):
            db.query(sql)
    db.query(f"DELETE FROM {parent} WHERE id = 2")
    db.query("DELETE FROM child WHERE id = 2")
    assert db.query(f"INSERT INTO {parent} (code) VALUES ('z') RETURNING id") == [(42,)]
    assert [t.name.name for t in DIALECT.read_catalog(db, "").tables] == [
        PARENT.name.name, "child", "grandchild",
    ]  # fmt: skip


def test_rebuild_of_rows_that_break_a_key_changes_nothing(db):
    """An orphan stops the rebuild, and the rollback brings the old table back."""
    load(db)
    db.query("INSERT INTO grandchild VALUES (99)")

    def rebuild() -> None:
        with db.transaction():
            for table in (PARENT, CHILD, GRANDCHILD):
                db.run(*DIALECT.rebuild(table))

    with pytest.raises(RefusedError):
        rebuild()
    assert table_of(db, "grandchild").rows == 2
    assert table_of(db, "child").foreign_keys == ()


def test_keys_and_indexes_can_be_added_to_a_loaded_table(db):
    """Primary key, unique, plain, expression; no DESC, no partial and no full-text indexes."""
    load(db)
    db.run(*DIALECT.add_primary_key(PARENT, Key("pk", ("id",))))
    db.run(*DIALECT.add_unique(PARENT, PARENT.uniques[0]))
    db.run(*DIALECT.add_unique(CHILD, Key("", ("id",))))
    plain = Index("by %", (IndexPart("code", descending=True), IndexPart(expression="id + 1")))
    db.run(*DIALECT.create_index(PARENT, plain))
    assert DIALECT.create_index(PARENT, replace(plain, where="id > 1")) == []
    assert DIALECT.create_index(PARENT, replace(plain, method="fulltext")) == []
    found = table_of(db, PARENT.name.name)
    assert found.primary_key
    assert {i.name: i.unique for i in found.indexes} == {"by %": False, "by code": True}
    db.run(*DIALECT.analyze(PARENT.name))
    with pytest.raises(RefusedError):
        db.query(f"INSERT INTO {DIALECT.table(PARENT.name)} (id) VALUES (1)")


def test_ddl_rolls_back(db):
    """Tables, counters and views of a transaction that fails are gone."""
    view = View(TableName("main", "v %"), "SELECT 1 AS a")

    def create() -> None:
        with db.transaction():
            db.run(*DIALECT.create_types(PARENT))
            db.run(DIALECT.create_table(PARENT, keys=True, foreign_keys=True))
            db.run(*DIALECT.create_view(view))
            db.query("SELECT error('stop')")

    with pytest.raises(RefusedError, match="stop"):
        create()
    catalog = DIALECT.read_catalog(db, "")
    assert (catalog.tables, catalog.views, catalog.others) == ((), (), ())
    db.run(*DIALECT.create_view(view))
    assert DIALECT.read_catalog(db, "").views == (view,)
    db.run(*DIALECT.drop_view(view))
    assert DIALECT.read_catalog(db, "").views == ()


def test_has_table_is_exact(db):
    """The catalog says whether a table is there."""
    load(db)
    assert DIALECT.has_table(db, PARENT.name)
    assert not DIALECT.has_table(db, TableName("main", "nothing"))


def test_rows_can_be_written_and_read_by_statements(db):
    """The ledger's insert, update, fetch and delete work in one transaction."""
    name = TableName("datamig", "entry")
    table = Table(name, (Column("id", INT), Column("v", TEXT)), primary_key=Key("", ("id",)))
    db.run(DIALECT.create_schema("datamig"))
    for _ in range(2):
        db.run(DIALECT.create_table(table, keys=True, foreign_keys=False, if_missing=True))
    with db.transaction():
        db.query(DIALECT.insert(name, ("id", "v")), (1, "a"))
        db.query(DIALECT.update(name, ("v",), ("id",)), ("b", 1))
        db.query(DIALECT.delete(name, ("id",)), (1,))
        db.query(DIALECT.insert(name, ("id", "v")), (1, "c"))
    assert db.query(DIALECT.fetch(name, ("v",), ("id",)), (1,)) == [("c",)]
    db.query(DIALECT.truncate(name))
    assert db.query(DIALECT.count(DIALECT.table(name))) == [(0,)]
