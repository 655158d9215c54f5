"""The target's catalog against the plan."""

from dataclasses import replace

import pytest

from datamig_pipelines.catalog import Catalog, SchemaObject, TableName, View
from datamig_pipelines.proofs import PROOFS
from datamig_pipelines.proofs.schema import prove_objects, rendered

TABLE = """CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT NOT NULL DEFAULT 'x', b TEXT UNIQUE,
  p INTEGER REFERENCES p (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  n DECIMAL(10,2) DEFAULT 1, at TEXT DEFAULT CURRENT_TIMESTAMP,
  twice INTEGER AS (p * 2), CONSTRAINT positive CHECK (n > 0));
CREATE INDEX i ON t (a, n DESC) WHERE a > 'a';
CREATE INDEX e ON t (lower(a))"""


def changed(old: str, new: str) -> str:
    return "DROP TABLE t; DROP TABLE p; " + TABLE.replace(old, new)


@pytest.mark.parametrize(
    ("here", "missing"),
    [
        ("", ""),
        ("DROP INDEX i", "index i"),
        (changed(" NOT NULL", ""), "not null a"),
        (changed(" UNIQUE", ""), "unique (b)"),
        (changed("PRIMARY KEY AUTOINCREMENT, a", "NOT NULL, a"), "primary key (id)"),
        (changed("PRIMARY KEY AUTOINCREMENT, a", "NOT NULL, a"), "identity id"),
        (
            changed(" REFERENCES p (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED", ""),
            "foreign key (p) to p (id)",
        ),
        (changed(" ON DELETE CASCADE", ""), "on delete CASCADE"),
        (changed(" DEFERRABLE INITIALLY DEFERRED", ""), "on delete CASCADE deferred"),
        (changed("DECIMAL(10,2)", "DECIMAL(10,1)"), "type of n: decimal 10 2"),
        (changed("DECIMAL(10,2)", "TEXT"), "type of n: decimal 10 2"),
        (changed(" DEFAULT 'x'", ""), "default of a: x"),
        (changed("DEFAULT 1", "DEFAULT 2"), "default of n: 1"),
        (changed("DEFAULT CURRENT_TIMESTAMP", "DEFAULT 'now'"), "default of at: computed"),
        (changed(" AS (p * 2)", ""), "generated twice"),
        (changed(", CONSTRAINT positive CHECK (n > 0)", ""), "1 of 1 checks"),
        (changed("(a, n DESC)", "(n DESC, a)"), "index i (a, n desc) where"),
        (changed("n DESC", "n"), "index i (a, n desc) where"),
        (changed(" WHERE a > 'a'", ""), "index i (a, n desc) where"),
        (changed("INDEX i", "UNIQUE INDEX i"), "index i (a, n desc) where"),
        (changed("(lower(a))", "(a)"), "index e (an expression)"),
        (changed("b TEXT UNIQUE", "c TEXT UNIQUE"), "column b"),
        ("ALTER TABLE t ADD COLUMN more TEXT", ""),
    ],
)
def test_schema_names_what_is_missing(prepare, here, missing):
    """Whatever the plan has and the catalog has not is named; more than planned is no fault."""
    result = PROOFS["schema"].prove(prepare(TABLE, here))

    assert (result.verdict, missing in result.detail) == ("different" if missing else "equal", True)


def test_schema_of_a_missing_table_is_different(prepare):
    """A table that is not there is not equal."""
    assert PROOFS["schema"].prove(prepare(TABLE, "DROP TABLE t")).detail == "there is no such table"


@pytest.mark.parametrize(
    ("here", "missing"),
    [
        (changed("p * 2", "p * 3"), "generated twice: p * 2"),
        (changed("n > 0", "n > -1"), "check positive: n > 0"),
        (changed("a > 'a'", "a > 'b'"), "where a > 'a'"),
        (changed("lower(a)", "upper(a)"), "index e (lower(a))"),
        (changed("", ""), ""),
    ],
)
def test_schema_of_equal_versions_compares_expressions(prepare, here, missing):
    """Where one version rendered both, another expression is another text."""
    result = PROOFS["schema"].prove(replace(prepare(TABLE, here), alike=True))

    assert (result.verdict, missing in result.detail) == ("different" if missing else "equal", True)


def test_schema_does_not_ask_for_checks_that_were_refused(prepare):
    """What the target refused was told when it did."""
    evidence = prepare(TABLE, changed(", CONSTRAINT positive CHECK (n > 0)", ""))

    assert PROOFS["schema"].prove(replace(evidence, checks_refused=True)).verdict == "equal"


VIEW = View(TableName("", "v"), "SELECT 1")
TRIGGER = SchemaObject("trigger", TableName("", "t"), "CREATE TRIGGER …", "")
CATALOG = Catalog("sqlite", "3", views=(VIEW,), objects=(TRIGGER,))


def test_schema_does_not_mind_a_counter_that_is_used():
    """DuckDB tells of a sequence that it starts where it stands."""
    made = [
        SchemaObject("sequence", TableName("main", "s"), f"CREATE SEQUENCE s START {n} CYCLE", "")
        for n in (5, 9)
    ]

    first, later = (replace(CATALOG, objects=(m,)) for m in made)

    assert prove_objects(rendered(first), later).verdict == "equal"


@pytest.mark.parametrize(
    ("catalog", "detail"),
    [
        (CATALOG, ""),
        (replace(CATALOG, views=()), "missing: view v"),
        (replace(CATALOG, objects=()), "missing: trigger t"),
        (replace(CATALOG, views=(replace(VIEW, sql="SELECT 2"),)), "changed: view v"),
        (replace(CATALOG, objects=(replace(TRIGGER, create="x"),)), "changed: trigger t"),
    ],
)
def test_schema_finds_views_and_objects_that_changed(catalog, detail):
    """Whatever was made has to be there as it was made."""
    result = prove_objects(rendered(CATALOG), catalog)

    assert (result.verdict, result.detail) == ("different" if detail else "equal", detail)
