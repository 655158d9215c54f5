"""Which cast rule means which column."""

import pytest
from pydantic import ValidationError

from datamig_pipelines.catalog import Column, Default, DefaultKind, Kind, Table, TableName, Type
from datamig_pipelines.planning.casts import cast_of, unused_casts
from datamig_pipelines.spec import Migration

ZERO = Default(DefaultKind.LITERAL, "0000-00-00")
COLUMNS = {
    "count": Column("count", Type(Kind.INTEGER, bits=32, unsigned=True), nullable=False),
    "delta": Column("delta", Type(Kind.INTEGER, bits=32)),
    "id": Column("id", Type(Kind.INTEGER, bits=32), nullable=False, identity=True),
    "price": Column("price", Type(Kind.DECIMAL, precision=10, scale=2)),
    "rate": Column("rate", Type(Kind.DECIMAL, precision=40, scale=20)),
    "code": Column("code", Type(Kind.TEXT, length=9)),
    "born": Column("born", Type(Kind.DATE), default=ZERO),
    "seen": Column("seen", Type(Kind.DATE), default=Default(DefaultKind.TODAY)),
}
TABLE = Table(TableName("public", "t"), tuple(COLUMNS.values()))


def migration(*casts) -> Migration:
    """Return a migration with these rules."""
    ends = {"source": {"url": "sqlite:///a.db"}, "target": {"url": "sqlite:///b.db"}}
    return Migration.model_validate({"name": "m", **ends, "casts": list(casts)})


@pytest.mark.parametrize(
    ("when", "meant"),
    [
        ({"type": "integer"}, {"count", "delta", "id"}),
        ({"type": "integer", "unsigned": True}, {"count"}),
        ({"unsigned": False, "type": "integer"}, {"delta", "id"}),
        ({"auto_increment": True}, {"id"}),
        ({"not_null": True}, {"count", "id"}),
        ({"not_null": False, "type": "integer"}, {"delta"}),
        ({"precision": "> 38"}, {"rate"}),
        ({"precision": "<=10"}, {"price", "code"}),
        ({"precision": 9}, {"code"}),
        ({"default": "0000-00-00"}, {"born"}),
        ({"column": "t.d*"}, {"delta"}),
        ({"column": "public.t.*", "precision": ">= 10"}, {"price", "rate"}),
    ],
)
def test_rule_means_the_columns_that_all_of_it_is_true_of(when, meant):
    """Guards stand together; what a rule does not say does not count."""
    rules = migration({"when": when, "to": "X"})

    assert {n for n, c in COLUMNS.items() if cast_of(TABLE, c, rules)} == meant


def test_first_rule_counts():
    """Rules are tried in the order of the file."""
    rules = migration(
        {"when": {"type": "integer", "unsigned": True}, "to": "BIGINT"},
        {"when": {"type": "integer"}, "to": "INT"},
    )

    assert [cast_of(TABLE, COLUMNS[n], rules) for n in ("count", "delta")] == ["BIGINT", "INT"]


def test_rule_that_means_nothing_is_found():
    """A rule nobody needs is a slip of the pen, which the plan tells."""
    rules = migration(
        {"when": {"precision": "> 99"}, "to": "X"}, {"when": {"type": "date"}, "to": "Y"}
    )

    assert unused_casts([TABLE], rules) == [rules.casts[0]]


@pytest.mark.parametrize(
    "when", [{}, {"precision": "about 9"}, {"unsigned": "perhaps"}, {"sign": 1}]
)
def test_guard_that_says_nothing_is_refused(when):
    """An empty rule, a precision that is none, and an unknown word are errors of the file."""
    with pytest.raises(ValidationError):
        migration({"when": when, "to": "X"})
