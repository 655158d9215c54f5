"""Views in another engine's words."""

import pytest

from datamig_pipelines.catalog import Column, Kind, TableName, Type, View
from datamig_pipelines_tests.planning.engines import INTEGER, plan, table

FLAG = Type(Kind.BOOLEAN, native="tinyint(1)")
LOOSE = Type(Kind.TEXT, native="TEXT", strict=False)
ORDERS = (
    Column("Id", INTEGER, nullable=False),
    Column("Paid", FLAG),
    Column("Code", LOOSE),
    Column("n", INTEGER),
)


def planned(sql: str, source: str = "sqlite", target: str = "postgres", /, *more: View, **said):
    """Return the plan of a table ``Orders`` and of a view ``v`` over it."""
    views = (*more, View(TableName("", "v"), sql))
    return plan(
        table("Orders", *ORDERS, schema=""), source=source, target=target, views=views, **said
    )


def written(sql: str, *rest, **said) -> str:
    """Return the SELECT of the view in the target."""
    (view,) = (v for v in planned(sql, *rest, **said).context.views if v.name.name == "v")
    return view.sql.replace('"public".', "")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ID FROM orders", 'SELECT "Id" FROM "Orders" AS "orders"'),
        ("SELECT o.ID FROM ORDERS O", 'SELECT "O"."Id" FROM "Orders" AS "O"'),
        ("SELECT Orders.id FROM [Orders]", 'SELECT "Orders"."Id" FROM "Orders"'),
        (
            "SELECT x.ident FROM (SELECT ID AS Ident FROM orders) x",
            'SELECT "x"."Ident" FROM (SELECT "Id" AS "Ident" FROM "Orders" AS "orders") AS "x"',
        ),
        (
            "WITH c AS (SELECT id FROM orders) SELECT ID FROM C",
            'WITH "c" AS (SELECT "Id" FROM "Orders" AS "orders") SELECT "Id" FROM "c"',
        ),
        (
            "SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM orders p WHERE p.ID = O.iD)",
            (
                'SELECT "Id" FROM "Orders" AS "o" WHERE EXISTS(SELECT 1 FROM "Orders" AS "p" '
                'WHERE "p"."Id" = "o"."Id")'
            ),
        ),
    ],
)
def test_view_names_things_as_the_target_spells_them(sql, expected):
    """The source may not care for case; the target does."""
    assert written(sql) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Paid = 0", '"Paid" = FALSE'),
        ("1 <> paid", 'TRUE <> "Paid"'),
        ("Code = 0", "\"Code\" = '0'"),
        ("code IN (1, '2')", "\"Code\" IN ('1', '2')"),
        ("n", '"n" <> 0'),
        ("NOT n OR 1", 'NOT "n" <> 0 OR 1 <> 0'),
        ("n = 0", '"n" = 0'),
        ("Code > DATETIME('2020-01-01')", "\"Code\" > CAST('2020-01-01' AS TIMESTAMP)"),
    ],
)
def test_view_says_what_the_source_converts_by_itself(condition, expected):
    """Flags, numbers beside loose texts, and numbers as conditions are said outright."""
    assert written(f"SELECT id FROM Orders WHERE {condition}").endswith(f"WHERE {expected}")


def test_view_joins_without_a_condition_are_said():
    """MySQL nests joins without ON in parentheses; elsewhere that is a CROSS JOIN."""
    sql = "select `a`.`Id` from (`Orders` `a` join `Orders` `b`) where `a`.`Id` = `b`.`Id`"

    assert '"a" CROSS JOIN "Orders" AS "b"' in written(sql, "mysql")


def test_view_follows_renamed_tables_and_columns():
    """A view over a renamed table or column finds it, between equal engines, too."""
    said = [{"name": "Orders", "rename": "sales", "columns": {"Id": {"rename": "key"}}}]

    sql = written("SELECT o.Id FROM Orders o", "sqlite", "sqlite", tables=said)

    assert sql == 'SELECT "o"."key" FROM "sales" AS "o"'


def test_views_stand_behind_those_that_they_read_from():
    """The order is that of need, and names of a view's columns are known to the next one."""
    other = View(TableName("", "w"), "SELECT MINE FROM V")
    made = planned("SELECT id AS mine FROM orders", "sqlite", "postgres", other)

    assert [v.name.name for v in made.context.views] == ["v", "w"]
    assert made.context.views[1].sql == 'SELECT "mine" FROM "public"."v" AS "V"'


def test_view_that_cannot_be_said_is_noted_with_its_text():
    """What is left behind is a line of the plan, with the reason and the original."""
    made = planned("SELECT x FROM elsewhere")

    assert made.context.views == ()
    assert any(
        "elsewhere is not moved" in n and "SELECT x FROM elsewhere" in n for n in made.context.notes
    )


def test_materialized_view_becomes_a_plain_one():
    """Its rows are the same, computed at each use; the plan says so."""
    view = View(TableName("public", "m"), "SELECT id FROM t", materialized=True)
    made = plan(table("t", Column("id", INTEGER)), target="sqlite", views=(view,))

    assert [v.materialized for v in made.context.views] == [False]
    assert any("computed at each use" in n for n in made.context.notes)
