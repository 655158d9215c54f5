"""Two states of a target are told apart object by object."""

from dataclasses import replace

import pytest

from datamig_pipelines.catalog import (
    Catalog,
    Check,
    Column,
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
from datamig_pipelines.planning.drift import catalog_facts, drift, merged, without

INTEGER, TEXT = Type(Kind.INTEGER, bits=64, native="bigint"), Type(Kind.TEXT, native="text")
P = TableName("public", "p")
TABLE = Table(
    P,
    (Column("id", INTEGER, nullable=False), Column("name", TEXT)),
    primary_key=Key("p_pkey", ("id",)),
    uniques=(Key("", ("name",)),),
    foreign_keys=(ForeignKey("", ("id",), P, ("id",)),),
    indexes=(Index("by_name", (IndexPart("name"),)),),
    checks=(Check("c", "id > 0"),),
    rows=3,
    counters=(("id", 4),),
)
VIEW = View(TableName("public", "v"), "SELECT 1")
BEFORE = Catalog("PostgreSQL", "15", (TABLE,), (VIEW,), (("function", "f"),))


def told(after: Catalog, own: tuple[str, ...] = ()) -> list[str]:
    """Return what is said about a change."""
    return [str(d) for d in drift(catalog_facts(BEFORE), catalog_facts(after), own)]


def changed(**parts: object) -> Catalog:
    """Return the catalog with another table p."""
    return replace(BEFORE, tables=(replace(TABLE, **parts),))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (replace(BEFORE, tables=()), "table public.p: removed"),
        (replace(BEFORE, views=()), "view public.v: removed"),
        (replace(BEFORE, others=()), "function f: removed"),
        (
            replace(BEFORE, tables=(TABLE, replace(TABLE, name=TableName("a", "b")))),
            "table a.b: added",
        ),
        (
            replace(BEFORE, views=(replace(VIEW, sql="SELECT 2"),)),
            "view public.v: changed: sql SELECT 1 → SELECT 2",
        ),
        (changed(columns=TABLE.columns[:1]), "table public.p, column name: removed"),
        (
            changed(columns=(*TABLE.columns, Column("more", TEXT, nullable=False))),
            "table public.p, column more: added: type text; nullable false",
        ),
        (
            changed(columns=(TABLE.columns[0], Column("name", INTEGER))),
            "table public.p, column name: changed: type text → bigint",
        ),
        (
            changed(columns=TABLE.columns[::-1]),
            'table public.p: changed: order ["id", "name"] → ["name", "id"]',
        ),
        (changed(indexes=()), "table public.p, index by_name: removed"),
        (changed(primary_key=None), "table public.p, primary key: removed"),
        (changed(uniques=()), "table public.p, unique constraint name: removed"),
        (changed(foreign_keys=()), "table public.p, foreign key id: removed"),
        (
            changed(checks=(Check("c", "id > 1"),)),
            "table public.p, check c: changed: expression id > 0 → id > 1",
        ),
    ],
)
def test_each_kind_of_change_is_one_line(after, said):
    """Table, column, key, index, constraint, view: added, removed or changed, by name."""
    assert told(after) == [said]


def test_daily_work_is_no_drift():
    """Rows, sizes and counters move all day."""
    assert told(changed(rows=9, bytes=9, counters=(("id", 10),))) == []


def test_own_objects_of_a_run_are_left_out():
    """What the run that is under way makes is not somebody else's."""
    assert told(changed(indexes=()), own=("public.p",)) == []


def test_memory_takes_the_own_objects_and_keeps_the_others():
    """After a run: what it made as it is; of the others, what was remembered, changed or not."""
    mine = replace(TABLE, name=TableName("public", "mine"))
    now = replace(changed(indexes=()), tables=(*changed(indexes=()).tables, mine))
    kept = merged(catalog_facts(BEFORE), catalog_facts(now), ("public.mine",))

    assert [str(d) for d in drift(kept, catalog_facts(now))] == [
        "table public.p, index by_name: removed"
    ]
    assert without(kept, ("public.mine",)) == catalog_facts(BEFORE)
    assert merged(None, catalog_facts(now), ()) == catalog_facts(now)


def test_twins_without_a_name_are_two():
    """Two constraints that have no name and the same columns do not become one."""
    twice = changed(checks=(Check("", "id > 0"), Check("", "id > 0"), *TABLE.checks))

    assert len(told(twice)) == 2


def test_long_texts_are_shown_from_where_they_part():
    """The beginnings of two pages say nothing about their difference."""
    before = catalog_facts(replace(BEFORE, views=(replace(VIEW, sql=f"SELECT {'a, ' * 60}b"),)))
    after = catalog_facts(replace(BEFORE, views=(replace(VIEW, sql=f"SELECT {'a, ' * 60}c"),)))

    [told] = map(str, drift(before, after))

    assert "a, b → …" in told
    assert told.endswith("a, c")
    assert len(told) < 120
