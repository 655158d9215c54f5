"""Keys and indexes that DuckDB cannot make, as the planner knows it and as the engine says it."""

import pytest

from datamig_pipelines.catalog import Column, Index, IndexPart, Key, Kind, Type
from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.errors import EngineError
from datamig_pipelines_tests.planning.engines import plan, table

DIALECT = DIALECTS["duckdb"]
SPAN = Type(Kind.INTERVAL, native="interval")
TIMES = Type(Kind.DURATION, native="time")
LIST = Type(Kind.ARRAY, element=Type(Kind.INTEGER, bits=32), native="integer[]")


@pytest.mark.parametrize(("source", "type_"), [("postgres", SPAN), ("mysql", TIMES)])
def test_key_that_duckdb_cannot_make_is_left_behind_and_told(source, type_):
    """The plan says so; else the run would stop at its constraints, each time anew."""
    made = plan(
        table(
            "t",
            Column("k", type_, nullable=False),
            key="k",
            uniques=(Key("u", ("k",)),),
            indexes=(Index("i", (IndexPart("k"),)),),
        ),
        source=source,
        target="duckdb",
    )

    target = made.context.routes[0].target
    assert (target.primary_key, target.uniques, target.indexes) == (None, (), ())
    assert len([n for n in made.context.notes if "DuckDB makes none of" in n]) == 3


@pytest.mark.parametrize("type_", [SPAN, LIST], ids=lambda t: t.kind)
def test_duckdb_makes_no_key_of_it(type_, db):
    """The engine itself refuses the families that it is said to refuse."""
    assert type_.kind in DIALECT.can.unindexable
    db.query(f"CREATE TABLE t (k {type_.native})")
    with pytest.raises(EngineError, match="index key"):
        db.query("CREATE INDEX i ON t (k)")
