"""The key that a table is read in order of."""

import pytest

from datamig_pipelines.catalog import Column, Index, IndexPart, Key, Kind, Type
from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.errors import ColumnMissingError, KeyUnsupportedError
from datamig_pipelines.planning.keys import choose_key
from datamig_pipelines_tests.planning.engines import INTEGER, TEXT, table

POSTGRES = DIALECTS["postgres"]
A, B = Column("a", INTEGER, nullable=False), Column("b", TEXT, nullable=False)
MAYBE = Column("m", INTEGER)
JSON = Column("j", Type(Kind.JSON), nullable=False)
UNIQUE_B = Index("ub", (IndexPart("b"),), unique=True)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (table("t", A, B, key="b"), (("b",), "primary key")),
        (table("t", A, B, uniques=(Key("u", ("a", "b")),)), (("a", "b"), "unique u")),
        (table("t", A, B, indexes=(UNIQUE_B,)), (("b",), "unique index ub")),
        (table("t", A, B, rowid="rowid", key="b"), (("rowid",), "row number")),
        (table("t", A, JSON, key="j", uniques=(Key("u", ("a",)),)), (("a",), "unique u")),
        (table("t", MAYBE, key="m"), (("m",), "primary key")),
        (table("t", A, B, key="b", uniques=(Key("u", ("a",)),)), (("b",), "primary key")),
        (
            table("t", A, B, JSON, key="j", uniques=(Key("t", ("b",)), Key("u", ("a",)))),
            (("a",), "unique u"),
        ),
        (
            table("t", A, B, uniques=(Key("two", ("a", "b")),), indexes=(UNIQUE_B,)),
            (("b",), "unique index ub"),
        ),
    ],
)
def test_first_key_that_can_be_read_in_order_is_chosen(made, expected):
    """The row number, else the primary key, else what is unique and cheapest to compare."""
    chosen = choose_key(made, (), POSTGRES)

    assert (chosen.names, chosen.reason) == expected


@pytest.mark.parametrize(
    "made",
    [
        table("t", A),
        table("t", MAYBE, uniques=(Key("u", ("m",)),)),
        table("t", JSON, key="j"),
        table("t", B, indexes=(Index("i", (IndexPart("b"),), unique=True, where="b > 'x'"),)),
        table("t", B, indexes=(Index("i", (IndexPart("b", prefix=3),), unique=True),)),
        table(
            "t", B, indexes=(Index("i", (IndexPart("b"), IndexPart(expression="1")), unique=True),)
        ),
        table("t", B, indexes=(Index("i", (IndexPart("b"),)),)),
        table("t", Column("l", Type(Kind.TEXT, strict=False)), key="l"),
    ],
    ids=["none", "nullable", "json", "partial", "prefix", "expression", "not unique", "lax key"],
)
def test_key_that_might_skip_a_row_is_not_chosen(made):
    """What may be NULL, or is unique in a part only, would lose rows on resume."""
    assert choose_key(made, (), POSTGRES).parts == ()


def test_key_of_the_spec_is_taken():
    """The user's key counts, if it holds a unique one."""
    chosen = choose_key(table("t", A, B, key="a"), ("b", "a"), POSTGRES)

    assert [p.sql for p in chosen.parts] == ['"b"', '"a"']


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (("x",), ColumnMissingError),
        (("b",), KeyUnsupportedError),
        (("a", "m"), KeyUnsupportedError),
    ],
)
def test_key_of_the_spec_that_cannot_be_used_is_refused(wanted, error):
    """A key that is missing, not unique or may be NULL is an error, not a hint."""
    with pytest.raises(error):
        choose_key(table("t", A, B, MAYBE, key="a"), wanted, POSTGRES)
