"""What the asset graph shows before and after the first plan."""

import dagster as dg

from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.names import Keys, segments
from datamig_pipelines.planning.artefact import KnownTable
from datamig_pipelines_tests.orchestration.conftest import Library

STEPS = {"plan", "backup", "schema", "constraints", "validate", "report"}
TABLES = {"authors", "books", "loans_2024"}


def _keys(library: Library) -> set[str]:
    keys = library.defs.resolve_asset_graph().get_all_asset_keys()
    return {k.to_user_string().removeprefix("library/") for k in keys}


def test_graph_has_one_asset_for_unknown_tables(library: Library) -> None:
    """Before the first plan one asset stands for all tables, and the tables named in the spec."""
    assert _keys(library) == {*STEPS, "tables"}

    library.attributes = {"tables": [{"name": "books"}]}
    assert _keys(library) == {*STEPS, "tables", "tables/books", "source/books"}


def test_graph_shows_tables_after_a_plan(planned: Library) -> None:
    """After a plan and a reload every table is an asset, below its table in the source."""
    expected = {f"{side}/{t}" for side in ("tables", "source") for t in TABLES}

    assert _keys(planned) == STEPS | expected


def test_graph_follows_include_and_exclude(planned: Library) -> None:
    """A table that the spec leaves out goes from the graph without a new plan."""
    planned.attributes = {"exclude": ["loans*"]}

    assert "tables/loans_2024" not in _keys(planned)


def test_graph_runs_in_order(planned: Library) -> None:
    """plan → backup → schema → tables → constraints → validate → report, sources beside."""
    graph = planned.defs.resolve_asset_graph()

    def parents(key: str) -> set[str]:
        node = graph.get(dg.AssetKey(["library", *key.split("/")]))
        return {k.to_user_string().removeprefix("library/") for k in node.parent_keys}

    assert parents("backup") == {"plan"}
    assert parents("schema") == {"backup"}
    assert parents("tables/books") == {"schema", "source/books"}
    assert parents("constraints") == {f"tables/{t}" for t in TABLES}
    assert parents("validate") == {"constraints"}
    assert parents("report") == {"validate"}


def test_graph_describes_tables(planned: Library) -> None:
    """Before it is loaded a table has its true name, columns, kinds, owners and a code version."""
    planned.attributes = {"owners": ["team:books", "ann@example.com"]}
    graph = planned.defs.resolve_asset_graph()
    node = graph.get(dg.AssetKey(["library", "tables", "loans_2024"]))

    assert node.metadata["datamig/source_table"] == "loans-2024"
    columns = node.metadata["dagster/column_schema"].columns
    assert [(c.name, c.constraints.nullable) for c in columns] == [("id", False), ("note", True)]
    assert node.kinds == {"table", "duckdb"}
    assert set(node.owners) == {"team:books", "ann@example.com"}
    assert node.group_name == "library"
    assert node.code_version == Graph.of(planned.migration).code_version


def test_graph_marks_a_changed_spec(library: Library) -> None:
    """Another spec has another code version."""
    before = Graph.of(library.migration).code_version
    library.attributes = {"batch_size": 7}

    assert Graph.of(library.migration).code_version != before


def test_graph_has_a_check_per_proof(planned: Library) -> None:
    """Row count and fingerprint are blocking checks of each table, the later proofs of validate."""
    checks = planned.defs.resolve_asset_graph().asset_check_keys

    of_table = {c.name for c in checks if c.asset_key.path[-1] == "books"}
    of_validate = {c.name for c in checks if c.asset_key.path[-1] == "validate"}
    assert of_table == {"row_count", "fingerprint"}
    assert of_validate == {"schema", "foreign_keys", "counters"}


def test_graph_survives_a_broken_artefact(planned: Library) -> None:
    """A catalog.json that nobody can read counts as none."""
    (planned.migration.home / "catalog.json").write_text("{")

    assert "tables" in _keys(planned)


def test_names_do_not_collide() -> None:
    """Two names that become one get a digest each; a name that needs no change keeps its key."""
    found = segments(["a_b", "a-b", "a b", "größe"])

    assert found["a_b"] == "a_b"
    assert found["größe"] == "gr__e"
    assert len(set(found.values())) == 4
    assert all(v.replace("_", "").isalnum() and v.isascii() for v in found.values())


def test_names_carry_the_schema_only_where_there_are_several() -> None:
    """One schema: the bare name. Several: schema and name."""
    one = [KnownTable("public.a", "a", "x.a"), KnownTable("public.b", "b", "x.b")]
    two = [*one, KnownTable("sales.a", "a", "x.a2")]

    assert Keys("m", one).table("public.a") == dg.AssetKey(["m", "tables", "a"])
    assert Keys("m", one).table("a") == dg.AssetKey(["m", "tables", "a"])
    assert Keys("m", two).table("sales.a") == dg.AssetKey(["m", "tables", "sales_a"])
