"""Reading the catalog of a file."""

from pathlib import Path

import pytest

from datamig_pipelines.catalog import (
    Default,
    DefaultKind,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Kind,
    TableName,
    View,
)
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.dialects.sqlite.definition import parse_index, parse_table, parse_view
from datamig_pipelines.session import Session
from datamig_pipelines_tests.dialects.sqlite.reads import table_of

RICH = '''
CREATE TABLE parents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    "odd, ""name""" TEXT COLLATE NOCASE NOT NULL CONSTRAINT "once, only" UNIQUE,
    a INT, b INT,
    UNIQUE (a, b)
);
CREATE TABLE [rich table] (
    `key one` TEXT DEFAULT 'it''s', -- a comment, with (parentheses
    k2 INTEGER /* another ' one */ DEFAULT -5,
    price DECIMAL(10, 2) NOT NULL DEFAULT 0.50 CONSTRAINT dear CHECK (price > 1 AND (price < 9)),
    total DECIMAL(12,2) GENERATED ALWAYS AS (price * (k2 + 1)) VIRTUAL,
    label TEXT AS ('a,b)' || k2) STORED,
    ok BOOLEAN DEFAULT 1, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, day DATE DEFAULT (date('now')),
    raw BLOB DEFAULT x'00FF', low TEXT DEFAULT (lower('A')), void TEXT DEFAULT NULL,
    a INT, b INT,
    parent INTEGER REFERENCES PARENTS ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    gone INTEGER REFERENCES nowhere(id), wrong INT REFERENCES parents(a),
    CONSTRAINT main PRIMARY KEY (`key one`, k2),
    CHECK (k2 <> 7), CONSTRAINT pair FOREIGN KEY (a, b) REFERENCES parents (A, B) ON UPDATE CASCADE
);
CREATE INDEX plain ON [rich table] (k2 DESC, price);
CREATE UNIQUE INDEX part ON [rich table] (lower(low), a) WHERE a IS NOT NULL AND (b > 1);
CREATE VIEW v AS SELECT 1 AS one;
CREATE VIEW w (x, y) AS SELECT 1, 2;
CREATE TRIGGER t AFTER INSERT ON parents BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE words USING fts5(body);
CREATE TABLE datamig_run (id INTEGER PRIMARY KEY);
CREATE TABLE narrow (id INTEGER PRIMARY KEY, rowid TEXT);
CREATE TABLE pairs (a TEXT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE nullable (k TEXT PRIMARY KEY);
INSERT INTO nullable VALUES (NULL), (NULL);
INSERT INTO parents VALUES (5, 'x', 1, 1), (9, 'y', 2, 2);
DELETE FROM parents WHERE id = 9;
INSERT INTO narrow VALUES (41, 'a');
'''


@pytest.fixture
def rich(session: Session) -> Session:
    """A session on a file with every kind of object."""
    session._connection.executescript(RICH)
    return session


def test_columns_keep_declaration_default_and_expression(rich):
    """A column has its name, declared type, nullability, default and generating expression."""
    columns = {c.name: c for c in table_of(rich, "rich table").columns}

    assert list(columns)[:4] == ["key one", "k2", "price", "total"]
    assert columns["price"].type.kind is Kind.DECIMAL
    assert (columns["price"].type.precision, columns["price"].type.scale) == (10, 2)
    assert not columns["price"].nullable
    assert columns["total"].generated == "price * (k2 + 1)"
    assert columns["label"].generated == "'a,b)' || k2"
    defaults = {name: c.default for name, c in columns.items() if c.default}
    assert defaults == {
        "key one": Default(DefaultKind.LITERAL, "it's"),
        "k2": Default(DefaultKind.LITERAL, "-5"),
        "price": Default(DefaultKind.LITERAL, "0.50"),
        "ok": Default(DefaultKind.LITERAL, "true"),
        "made": Default(DefaultKind.NOW),
        "day": Default(DefaultKind.TODAY),
        "raw": Default(DefaultKind.LITERAL, "00ff"),
        "low": Default(DefaultKind.EXPRESSION, "lower('A')"),
    }


def test_keys_and_checks_keep_their_names(rich):
    """Constraints keep the names they have; the others get one that tells what they are."""
    table, parents = table_of(rich, "rich table"), table_of(rich, "parents")

    assert table.primary_key == Key("main", ("key one", "k2"))
    assert parents.primary_key == Key("pk_parents", ("id",))
    assert parents.uniques == (
        Key("once, only", ('odd, "name"',)), Key("uq_parents_a_b", ("a", "b")),
    )  # fmt: skip
    assert [(c.name, c.expression) for c in table.checks] == [
        ("dear", "price > 1 AND (price < 9)"), ("ck_rich table_1", "k2 <> 7"),
    ]  # fmt: skip


def test_foreign_keys_tell_which_can_be_kept(rich):
    """References have actions, deferral, the parent's spelling; impossible ones are not valid."""
    parents = TableName("", "parents")

    assert table_of(rich, "rich table").foreign_keys == (
        ForeignKey(
            "fk_rich table_parent", ("parent",), parents, ("id",), "SET NULL", deferrable="deferred"
        ),
        ForeignKey("fk_rich table_gone", ("gone",), TableName("", "nowhere"), ("id",), valid=False),
        ForeignKey("fk_rich table_wrong", ("wrong",), parents, ("a",), valid=False),
        ForeignKey("pair", ("a", "b"), parents, ("a", "b"), on_update="CASCADE"),
    )


def test_foreign_key_with_an_orphan_is_not_valid(rich):
    """A reference that a row breaks is not valid."""
    rich.query('INSERT INTO "rich table" (price, a, b) VALUES (2, 1, 3)')

    keys = {k.name: k.valid for k in table_of(rich, "rich table").foreign_keys}
    assert keys["pair"] is False


def test_indexes_have_parts_order_and_predicate(rich):
    """Indexes keep expressions, descending parts and the predicate of a partial one."""
    assert table_of(rich, "rich table").indexes == (
        Index("plain", (IndexPart("k2", descending=True), IndexPart("price"))),
        Index("part", (IndexPart(expression="lower(low)"), IndexPart("a")), unique=True,
              where="a IS NOT NULL AND (b > 1)"),
    )  # fmt: skip


def test_counters_are_never_behind(rich):
    """AUTOINCREMENT goes on after deleted rows, a plain key after the largest one."""
    assert table_of(rich, "parents").counters == (("id", 10),)
    assert table_of(rich, "narrow").counters == (("id", 42),)
    assert table_of(rich, "parents").columns[0].identity


def test_rowid_is_the_hidden_name_that_is_free(rich):
    """A table offers its rowid under a name that no column has, one without a rowid none."""
    names = ("rich table", "narrow", "pairs")

    assert [table_of(rich, name).rowid for name in names] == ["rowid", "_rowid_", ""]


def test_primary_key_that_holds_null_is_a_unique_constraint(rich):
    """SQLite lets NULL into a primary key; no other engine would."""
    table = table_of(rich, "nullable")

    assert table.primary_key is None
    assert table.uniques == (Key("uq_nullable_k", ("k",)),)


def test_catalog_has_views_and_others_but_not_our_own(rich):
    """Views have their SELECT; triggers, virtual tables, collations are listed; ours are not."""
    catalog = SQLite().read_catalog(rich, "")

    assert catalog.views[0] == View(TableName("", "v"), "SELECT 1 AS one")
    assert rich.query(catalog.views[1].sql) == [(1, 2)]
    assert {t.name.name for t in catalog.tables} == {
        "parents", "rich table", "narrow", "pairs", "nullable",
    }  # fmt: skip
    assert catalog.others == (
        ("virtual table", "words"), ("collation", 'parents.odd, "name" NOCASE'),
    )  # fmt: skip


def test_catalog_has_triggers_as_they_are_written(rich):
    """A trigger is its own text."""
    (trigger,) = SQLite().read_catalog(rich, "").objects

    assert (str(trigger), trigger.create.split()[:3]) == ("trigger t", ["CREATE", "TRIGGER", "t"])


def test_real_files_are_read(open_file, shared_data: Path):
    """The catalogs of real files have all tables, keys, checks and views."""
    chinook = open_file(f"sqlite:///{shared_data / 'sqlite/Chinook_Sqlite.sqlite'}", readonly=True)
    track = table_of(chinook, "Track")
    assert track.primary_key == Key("PK_Track", ("TrackId",))
    assert (track.rows, len(track.foreign_keys)) == (3503, 3)
    assert all(k.valid for k in track.foreign_keys)

    northwind = open_file(f"sqlite:///{shared_data / 'sqlite/northwind.sqlite'}", readonly=True)
    assert len(SQLite().read_catalog(northwind, "").views) == 16
    assert len(table_of(northwind, "Order Details").checks) == 3


def test_text_of_a_statement_is_parsed_word_by_word():
    """Quotes, comments and parentheses do not mislead the parser."""
    text = parse_table(
        "CREATE TABLE t(a \"odd type\" DEFAULT (')') CHECK(a<>',')CONSTRAINT x CHECK(1),"
        "b NOT NULL DEFAULT 'CHECK (x)' COLLATE [my col])"
    )
    assert text.checks == [("", "a<>','"), ("x", "1")]
    assert text.collations == {"b": "my col"}
    assert parse_index('CREATE INDEX "a(" ON t (f(x, 1) COLLATE NOCASE DESC) WHERE x').parts == (
        "f(x, 1) COLLATE NOCASE",
    )
    view = "CREATE VIEW IF NOT EXISTS x AS /* c */ SELECT 1 AS a;"
    assert parse_view(view, "x") == "SELECT 1 AS a"
