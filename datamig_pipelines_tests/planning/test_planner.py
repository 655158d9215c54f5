"""The plan: names, notes, refusals."""

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
    TableName,
    View,
)
from datamig_pipelines.errors import (
    ColumnMissingError,
    NameCollisionError,
    PlanError,
    TableMissingError,
    TargetNotEmptyError,
)
from datamig_pipelines.spec import Launch
from datamig_pipelines_tests.planning.engines import INTEGER, plan, table

ID = Column("id", INTEGER, nullable=False)


def reference(to: str, *, schema: str = "public", name: str = "") -> ForeignKey:
    return ForeignKey(name, ("id",), TableName(schema, to), ("id",))


def targets(made) -> list[str]:
    return [str(r.target.name) for r in made.context.routes]


def noted(made, words: str) -> list[str]:
    return [n for n in made.context.notes if words in n]


# ---- which tables


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"tables": [{"name": "nope"}]}, "tables"),
        ({"validate": {"suites": [{"table": "nope", "file": "x"}]}}, "validate.suites"),
        ({"launch": Launch(tables=("nope",))}, "tables of this run"),
    ],
)
def test_table_that_is_not_there_is_refused(said, where):
    """A name that means nothing is an error, wherever it stands."""
    with pytest.raises(TableMissingError, match=f"no table 'nope', named in {where}"):
        plan(table("t", ID), **said)


def test_launch_of_an_excluded_table_is_refused():
    """A run of a table that the spec leaves out would do nothing."""
    with pytest.raises(TableMissingError, match="'u', named in tables of this run, is not moved"):
        plan(table("t", ID), table("u", ID), exclude=["u"], launch=Launch(tables=("u",)))


def test_two_paragraphs_of_one_table_are_refused():
    """``t`` and ``public.t`` are one table; one of its paragraphs would count for nothing."""
    with pytest.raises(PlanError, match=r"t and public\.t are the same table"):
        plan(table("t", ID), tables=[{"name": "t"}, {"name": "public.t"}])


def test_tables_that_are_written_alike_are_refused():
    """``a.b``.``c`` and ``a``.``b.c`` would share their entries in the ledger."""
    with pytest.raises(NameCollisionError, match=r"both written a\.b\.c"):
        plan(table("c", ID, schema="a.b"), table("b.c", ID, schema="a"), schema="*")


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"exclude": ["tpm_*"]}, "exclude: no table is called tpm_*"),
        ({"include": ["t", "nope"]}, "include: no table is called nope"),
        (
            {"casts": [{"when": {"type": "tinyint(1)"}, "to": "boolean"}]},
            "casts: no column is meant by type: tinyint(1)",
        ),
        ({"exclude": ["u"]}, "public.u is not moved, as the spec says"),
    ],
)
def test_what_does_nothing_is_noted(said, note):
    """A pattern or a rule that means nothing, and a table that stays, are lines of the plan."""
    assert note in plan(table("t", ID), table("u", ID), **said).context.notes


def test_nothing_to_move_is_refused():
    """An empty plan is an error."""
    with pytest.raises(PlanError, match="no table to move"):
        plan(table("t", ID), exclude=["*"])


# ---- names


def test_table_called_like_another_tables_index_keeps_its_name():
    """Indexes give way, wherever they stand: MySQL calls them like tables."""
    index = Index("city", (IndexPart("id"),))
    made = plan(
        table("customer", ID, indexes=(index,), schema=""),
        table("city", ID, schema=""),
        source="mysql",
    )

    assert {
        str(r.target.name): [i.name for i in r.target.indexes] for r in made.context.routes
    } == {
        "public.city": [],
        "public.customer": ["customer_city"],
    }


def test_view_called_like_an_index_keeps_its_name():
    """Views are named before indexes."""
    index = Index("v", (IndexPart("id"),))
    made = plan(
        table("t", ID, indexes=(index,)), views=(View(TableName("public", "v"), "SELECT 1"),)
    )

    assert (made.context.views[0].name.name, made.context.routes[0].target.indexes[0].name) == (
        "v",
        "t_v",
    )


def test_primary_keys_of_one_name_get_names_of_their_own():
    """SQLite lets every table call its key ``pk``; in PostgreSQL that is one index's name."""
    key = Key("pk", ("id",))
    tables = [replace(table(n, ID, schema=""), primary_key=key) for n in ("t", "u")]
    made = plan(*tables, source="sqlite")

    assert [r.target.primary_key.name for r in made.context.routes] == ["pk", "u_pk"]


def test_long_constraint_names_are_cut_to_two_names():
    """Two checks whose names differ behind the 63rd byte stay two."""
    checks = tuple(Check("c" * 70 + end, "id > 0") for end in "ab")
    made = plan(table("t", ID, checks=checks, schema=""), source="sqlite")

    names = [c.name for c in made.context.routes[0].target.checks]
    assert (len(set(names)), max(len(n) for n in names)) == (2, 63)


def test_columns_renamed_to_one_name_are_refused():
    """Two columns cannot become one."""
    columns = {"a": {"rename": "x"}, "b": {"rename": "x"}}

    with pytest.raises(NameCollisionError, match=r"two columns of public\.t would be called x"):
        plan(table("t", "a", "b"), tables=[{"name": "t", "columns": columns}])


def test_tables_that_differ_in_case_are_refused_where_case_does_not_count():
    """``T`` and ``t`` cannot both go to SQLite."""
    with pytest.raises(NameCollisionError, match=r"public\.T and public\.t would both become t"):
        plan(table("T", ID), table("t", ID), target="sqlite")


@pytest.mark.parametrize("name", ["a.b", 'q"q', "100%", "a b", "žluť", "select", "Order %s"])
def test_odd_table_names_stay(name):
    """A name is a name, whatever it holds."""
    assert plan(table(name, ID)).context.routes[0].target.name == TableName("public", name)


# ---- schemas


def test_all_schemas_go_to_schemas_of_the_same_names():
    """A target of all schemas keeps each table where it was."""
    made = plan(table("t", ID, schema="a"), table("t", ID, schema="b"), schema="*")

    assert targets(made) == ["a.t", "b.t"]


def test_several_schemas_go_into_the_one_that_is_named():
    """A target schema is not ignored because the source has several."""
    made = plan(table("t", ID, schema="a"), table("u", ID, schema="b"), schema="shop")

    assert targets(made) == ["shop.t", "shop.u"]


def test_tables_without_a_schema_go_to_the_default_one():
    """What comes from SQLite has no schema of its own."""
    assert targets(plan(table("t", ID, schema=""), source="sqlite", schema="*")) == ["public.t"]


def test_tables_of_two_schemas_that_meet_are_refused():
    """Where there are no schemas, the same name twice is a collision."""
    with pytest.raises(NameCollisionError, match=r"a\.t and b\.t would both become t"):
        plan(table("t", ID, schema="a"), table("t", ID, schema="b"), target="sqlite")


# ---- references


def test_parents_come_first():
    """A table stands behind those it refers to."""
    made = plan(table("a", ID, foreign_keys=(reference("b"),), key="id"), table("b", ID, key="id"))

    assert targets(made) == ["public.b", "public.a"]


def test_reference_to_a_table_that_stays_is_noted():
    """A foreign key without its parent is left behind with a note."""
    made = plan(table("a", ID, foreign_keys=(reference("b"),)), table("b", ID), exclude=["b"])

    assert (
        made.context.routes[0].target.foreign_keys,
        len(noted(made, "that table is not moved")),
    ) == ((), 1)


def test_reference_follows_renames_on_both_sides():
    """Columns and tables that are renamed are renamed in references, too."""
    said = [
        {"name": "a", "columns": {"id": {"rename": "a id"}}},
        {"name": "b", "rename": "B b", "columns": {"id": {"rename": "b id"}}},
    ]
    made = plan(
        table("a", ID, foreign_keys=(reference("b"),)), table("b", ID, key="id"), tables=said
    )
    key = made.context.routes[1].target.foreign_keys[0]

    assert (key.columns, key.target, key.target_columns) == (
        ("a id",),
        TableName("public", "B b"),
        ("b id",),
    )


def test_two_references_over_one_column_get_two_names():
    """Unnamed references of one column do not collide."""
    made = plan(
        table(
            "a", ID, foreign_keys=(reference("b", schema=""), reference("c", schema="")), schema=""
        ),
        table("b", ID, key="id", schema=""),
        table("c", ID, key="id", schema=""),
        source="sqlite",
    )

    assert len({k.name for k in made.context.routes[-1].target.foreign_keys}) == 2


def test_ring_is_left_out_where_the_target_has_none():
    """DuckDB cannot have a table that refers to itself: a note, not a failure."""
    made = plan(table("a", ID, foreign_keys=(reference("a"),), key="id"), target="duckdb")

    assert (made.context.routes[0].target.foreign_keys, len(noted(made, "ring of references"))) == (
        (),
        1,
    )


# ---- columns


def test_column_that_is_not_there_is_refused():
    """A column that the spec names and the table lacks is an error that lists the columns."""
    with pytest.raises(ColumnMissingError, match="no column 'x'") as caught:
        plan(table("t", "a"), tables=[{"name": "t", "columns": {"x": {"drop": True}}}])

    assert "It has a." in caught.value.hint


def test_index_and_check_follow_a_renamed_column():
    """A renamed column is renamed in every index, key and check, expressions included."""
    made = plan(
        table(
            "t",
            "a",
            uniques=(Key("u", ("a",)),),
            indexes=(Index("i", (IndexPart(expression="lower(a)"),), where="a > 'x'"),),
            checks=(Check("c", "a <> ''"),),
        ),
        tables=[{"name": "t", "columns": {"a": {"rename": "new"}}}],
    )
    arrived = made.context.routes[0].target

    assert (
        arrived.uniques[0].columns,
        arrived.indexes[0].parts[0].expression,
        arrived.indexes[0].where,
        arrived.checks[0].expression,
    ) == (("new",), 'LOWER("new")', "\"new\" > 'x'", "\"new\" <> ''")


def test_what_hangs_on_a_dropped_column_is_left_behind_with_a_note():
    """Key, unique, index and check of a column that stays are noted, each."""
    made = plan(
        table(
            "t", "a", "b", key="a",
            uniques=(Key("u", ("a",)),),
            indexes=(Index("i", (IndexPart("a"),)),),
            checks=(Check("c", "a <> ''"),),
        ),
        tables=[{"name": "t", "columns": {"a": {"drop": True}}}],
    )  # fmt: skip
    arrived = made.context.routes[0].target

    assert (arrived.primary_key, arrived.uniques, arrived.indexes, arrived.checks) == (
        None,
        (),
        (),
        (),
    )
    assert len(noted(made, "left behind")) >= 5


def test_index_over_a_prefix_becomes_one_over_the_column():
    """A prefix of MySQL's is noted, and the index is kept."""
    index = Index("i", (IndexPart("a", prefix=10),))
    made = plan(table("t", "a", schema="", indexes=(index,)), source="mysql")

    assert [i.name for i in made.context.routes[0].target.indexes] == ["i"]
    assert noted(made, "covers a prefix there") != []


def test_unique_index_over_a_prefix_is_left_behind_with_a_note():
    """Unique over ten characters is not unique over all of them."""
    index = Index("i", (IndexPart("a", prefix=10),), unique=True)
    made = plan(table("t", "a", schema="", indexes=(index,)), source="mysql")

    assert (made.context.routes[0].target.indexes, len(noted(made, "unique over a prefix"))) == (
        (),
        1,
    )


def test_generated_column_is_compared_though_nobody_loads_it():
    """What the target computes is proven like what was copied."""
    made = plan(table("t", ID, Column("twice", INTEGER, generated="id * 2")), target="duckdb")
    route = made.context.routes[0]

    assert ([c.name for c in route.columns], [c.name for c in route.computed]) == (
        ["id"],
        ["twice"],
    )


def test_generated_column_that_divides_is_copied_between_engines():
    """Another engine might divide otherwise, so its values are loaded like any others."""
    made = plan(table("t", ID, Column("half", INTEGER, generated="id / 2")), target="duckdb")

    assert [c.name for c in made.context.routes[0].columns] == ["id", "half"]
    assert noted(made, "kept as plain values") != []


# ---- the whole


def test_target_that_has_the_table_is_refused():
    """Nothing is overwritten."""
    with pytest.raises(TargetNotEmptyError, match=r"the target already has public\.t"):
        plan(table("t", ID), here=Catalog("X", "1", (table("t", ID),)))


def test_fingerprint_ignores_sizes_and_speed():
    """Rows, counters and batch sizes may change between two processes of a run."""
    small = plan(table("t", ID, rows=1))
    large = plan(table("t", ID, rows=10**6, bytes=5, counters=(("id", 7),)), batch_size=5)

    assert small.fingerprint == large.fingerprint


@pytest.mark.parametrize(
    "said",
    [
        {"tables": [{"name": "t", "where": "id > 1"}]},
        {"tables": [{"name": "t", "rename": "u"}]},
        {"tables": [{"name": "t", "columns": {"id": {"expression": "id + 1"}}}]},
        {"tables": [{"name": "t", "transform": "m.f"}]},
        {"casts": [{"when": {"type": "integer"}, "to": "bigint"}]},
    ],
)
def test_fingerprint_changes_with_what_arrives(said):
    """Whatever changes what arrives changes the fingerprint."""
    assert plan(table("t", ID), **said).fingerprint != plan(table("t", ID)).fingerprint


def test_objects_that_stay_are_counted_by_kind():
    """Triggers and functions that nobody moves are a line of the plan."""
    from datamig_pipelines.planning import Inputs, make_plan

    made = plan(table("t", ID))
    context = made.context
    there = Catalog("X", "1", (table("t", ID),), (), (("trigger", "a"), ("trigger", "b")))
    inputs = Inputs(
        context.migration, context.launch, context.source, context.target, there, Catalog("X", "1")
    )

    assert "2 trigger not moved by this version: a, b" in make_plan(inputs).context.notes
