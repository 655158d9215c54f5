"""Tables, places and plans without a database."""

from typing import Any

from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import Catalog, Column, Key, Kind, Table, TableName, Type
from datamig_pipelines.dialects import DIALECTS
from datamig_pipelines.planning import Inputs, Plan, make_plan
from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import Place

INTEGER = Type(Kind.INTEGER, bits=32, native="integer")
TEXT = Type(Kind.TEXT, native="text")
URLS = {
    "postgres": "postgresql://h/d",
    "duckdb": "duckdb:////d",
    "sqlite": "sqlite:////s",
    "mysql": "mysql://h/d",
    "parquet": "parquet:////p",
}
SCHEMAS = {"postgres": "public", "duckdb": "main", "sqlite": "", "mysql": "", "parquet": ""}


def engines(source: str = "postgres", target: str = "postgres") -> Engines:
    """Return both dialects."""
    return Engines(DIALECTS[source], DIALECTS[target])


def table(
    name: str, *columns: Column | str, schema: str = "public", key: str = "", **more: Any
) -> Table:
    """Return a table; a bare word is a text column, ``key`` the primary key's column."""
    made = tuple(c if isinstance(c, Column) else Column(c, TEXT) for c in columns)
    primary = Key("", (key,)) if key else None
    return Table(TableName(schema, name), made or (Column("id", INTEGER),), primary, **more)


def plan(
    *tables: Table,
    source: str = "postgres",
    target: str = "postgres",
    schema: str | None = None,
    here: Catalog | None = None,
    launch: Launch | None = None,
    views: tuple[Any, ...] = (),
    **said: Any,
) -> Plan:
    """Return the plan for these tables; ``said`` are attributes of the migration."""
    ends = {"source": {"url": "sqlite:///a"}, "target": {"url": "sqlite:///b"}}
    places = [
        Place(DIALECTS[e], make_url(URLS[e]), s)
        for e, s in (
            (source, SCHEMAS[source]),
            (target, SCHEMAS[target] if schema is None else schema),
        )
    ]
    return make_plan(
        Inputs(
            Migration.model_validate({"name": "m", **ends, **said}),
            launch or Launch(),
            *places,
            Catalog(source, "1", tables, views),
            here or Catalog(target, "1"),
        )
    )
