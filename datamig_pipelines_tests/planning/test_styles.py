"""Names in another style, together with everything that has a name."""

import pytest

from datamig_pipelines.catalog import Check, Column, ForeignKey, Index, IndexPart, Key, TableName
from datamig_pipelines.errors import NameCollisionError
from datamig_pipelines_tests.planning.engines import INTEGER, plan, table

ID = Column("Id", INTEGER, nullable=False)


def test_every_name_follows_the_style():
    """Tables, columns, keys, references, indexes and checks are called alike."""
    parent = table("Order Heads", ID, key="Id")
    child = table(
        "OrderLines",
        ID,
        Column("HeadId", INTEGER),
        uniques=(Key("UQ Head", ("HeadId",)),),
        indexes=(Index("IX Head", (IndexPart(expression='abs("HeadId")'),)),),
        checks=(Check("CK Head", '"HeadId" > 0'),),
        foreign_keys=(
            ForeignKey("FK Head", ("HeadId",), TableName("public", "Order Heads"), ("Id",)),
        ),
    )

    made = plan(parent, child, names="snake").context.routes[1].target

    assert (str(made.name), [c.name for c in made.columns]) == (
        "public.order_lines",
        ["id", "head_id"],
    )
    assert (made.uniques[0].name, made.indexes[0].name, made.checks[0].name) == (
        "uq_head",
        "ix_head",
        "ck_head",
    )
    assert (made.checks[0].expression, made.indexes[0].parts[0].expression) == (
        '"head_id" > 0',
        'ABS("head_id")',
    )
    key = made.foreign_keys[0]
    assert (key.name, key.columns, str(key.target), key.target_columns) == (
        "fk_head",
        ("head_id",),
        "public.order_heads",
        ("id",),
    )


def test_a_name_of_the_spec_goes_before_the_style():
    """What the file says by hand stays as it is written."""
    said = [{"name": "T", "rename": "MyT", "columns": {"Id": {"rename": "MyId"}}}]

    made = plan(table("T", ID), names="snake", tables=said).context.routes[0].target

    assert (made.name.name, made.columns[0].name) == ("MyT", "MyId")


@pytest.mark.parametrize(
    "tables",
    [
        (table("Order Lines", ID), table("OrderLines", ID)),
        (table("t", Column("a b", INTEGER), Column("aB", INTEGER)),),
        (table("x" * 64, ID),),
        (table("t", Column("ž" * 32, INTEGER)),),
    ],
)
def test_names_that_meet_or_do_not_fit_are_refused(tables):
    """Before anything is made: two names that become one, or one that PostgreSQL would cut."""
    with pytest.raises(NameCollisionError):
        plan(*tables, names="snake")


@pytest.mark.parametrize(("source", "target"), [("mysql", "postgres"), ("mysql", "mysql")])
def test_key_that_ignores_case_is_noted_between_engines(source, target):
    """MySQL takes a and A for one key, the others for two."""
    made = plan(
        table("t", "a", schema="", uniques=(Key("u", ("a",), ignores_case=True),)),
        source=source,
        target=target,
    )

    noted = [n for n in made.context.notes if "takes 'a' and 'A' for equal" in n]
    assert len(noted) == (source != target)


@pytest.mark.parametrize(("target", "kept"), [("postgres", 1), ("sqlite", 0), ("duckdb", 0)])
def test_full_text_index_moves_where_there_is_one(target, kept):
    """Words are indexed in PostgreSQL, too; elsewhere a note tells that they are not."""
    index = Index("ft", (IndexPart("a"),), method="fulltext")
    made = plan(table("t", "a", schema="", indexes=(index,)), source="mysql", target=target)

    assert len(made.context.routes[0].target.indexes) == kept
    assert any("index ft is a" in n for n in made.context.notes)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("mysql", ["loses its ON DELETE", "cannot defer it"]),
        ("duckdb", ["loses its ON DELETE", "cannot defer it"]),
        ("sqlite", ["2 comments are left behind"]),
        ("postgres", []),
    ],
)
def test_what_the_target_does_not_keep_is_noted(target, words):
    """Actions, deferral and comments that an engine lacks are lines of the plan."""
    key = ForeignKey(
        "f", ("Id",), TableName("public", "p"), ("Id",), "SET DEFAULT", deferrable="deferred"
    )
    child = table("c", Column("Id", INTEGER, comment="x"), foreign_keys=(key,), comment="y")
    made = plan(table("p", ID, key="Id"), child, target=target)

    lines = [n for n in made.context.notes if n.startswith("public.c: ")]
    assert [all(any(w in n for n in lines) for w in words), len(lines)] == [True, len(words)]
