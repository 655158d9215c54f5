"""What a target of files does not keep is left out of its tables, and said."""

from datamig_pipelines.catalog import Check, Column, Default, DefaultKind, Index, IndexPart, Key
from datamig_pipelines.planning.bare import bare
from datamig_pipelines_tests.planning.engines import INTEGER, plan, table


def test_bare_table_has_columns_alone() -> None:
    """Everything else is one line of the plan."""
    notes: list[str] = []
    full = table(
        "t",
        Column("id", INTEGER, nullable=False, identity=True),
        Column("n", INTEGER, default=Default(DefaultKind.LITERAL, "1")),
        key="id",
        uniques=(Key("u", ("n",)),),
        indexes=(Index("i", (IndexPart("n"),)),),
        checks=(Check("c", "n > 0"),),
        rows=5,
    )

    made = bare(full, "Parquet files", notes.append)

    assert made == table("t", Column("id", INTEGER), Column("n", INTEGER), rows=5)
    assert len(notes) == 1
    for said in ("primary key", "unique", "indexes", "checks", "defaults", "count", "NOT NULL"):
        assert said in notes[0]


def test_bare_table_without_extras_needs_no_word() -> None:
    """Nothing is lost, nothing is said."""
    notes: list[str] = []

    bare(table("t", Column("id", INTEGER)), "Parquet files", notes.append)

    assert notes == []


def test_bare_target_gets_generated_columns_as_values() -> None:
    """A column that the source computes arrives as the values that it has."""
    made = plan(table("t", "a", Column("b", INTEGER, generated="1 + 1")), target="parquet")

    route = made.context.routes[0]
    assert [c.name for c in route.columns] == ["a", "b"]
    assert route.computed == ()
    assert any("generated as 1 + 1" in note for note in made.context.notes)
