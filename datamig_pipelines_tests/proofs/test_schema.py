"""The target's catalog against the plan."""

import pytest

from datamig_pipelines.proofs import PROOFS

TABLE = """CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT UNIQUE, p REFERENCES p (id));
CREATE INDEX i ON t (a)"""


def changed(old: str, new: str) -> str:
    return "DROP TABLE t; DROP TABLE p; " + TABLE.replace(old, new)


@pytest.mark.parametrize(
    ("here", "missing"),
    [
        ("", ""),
        ("DROP INDEX i", "index i"),
        (changed(" NOT NULL", ""), "not null a"),
        (changed(" UNIQUE", ""), "unique (b)"),
        (changed("INTEGER PRIMARY KEY, a", "INTEGER, a"), "primary key (id)"),
        (changed(" REFERENCES p (id)", ""), "foreign key (p) to p"),
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
