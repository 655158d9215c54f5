"""datamig plan: what a run would do. Reads both databases, touches nothing."""

from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, BatchSize, MigrationName, Tables, names
from datamig_pipelines.cli.output import document, duration, say, show_table
from datamig_pipelines.spec import Launch, Migration, find_migration, read_migration

WithSql = Annotated[
    bool, typer.Option("--sql", help="Print every statement that a run would send.")
]


def plan(
    migration: MigrationName,
    *,
    tables: Tables = "",
    batch_size: BatchSize = None,
    sql: WithSql = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run would do: tables, routes, batches, time, notes. Touches nothing."""
    spec = read_migration(find_migration(migration))
    show_plan(spec, Launch(tables=names(tables), batch_size=batch_size), sql=sql, as_json=as_json)


def show_plan(spec: Migration, launch: Launch, *, sql: bool, as_json: bool) -> None:
    """Make the plan and print it. Raises SpecError, PlanError, EngineError."""
    from datamig_pipelines import running

    made = running.look(spec, launch)
    figures = made.as_dict()
    if as_json:
        document(figures)
        return
    _head(figures)
    if sql:
        for name, step in figures["steps"].items():
            say(f"\n-- {name}: {step['does']}")
            for statement in step["statements"]:
                say(statement)


def _head(figures: dict[str, Any]) -> None:
    for end in ("source", "target"):
        place = figures[end]
        say(f"{end}: {place['engine']} {place['version']} at {place['url']}")
    rows = [
        (t["table"], t["target"], t["rows"], t["batches"], duration(t["seconds"]), t["route"])
        for t in figures["tables"]
    ]
    columns = ("table", "target", "rows", "batches", "time", "route")
    show_table(
        f"{figures['migration']}: plan {figures['fingerprint']}",
        columns,
        rows,
        ("rows", "batches", "time"),
    )
    total = sum(t["rows"] for t in figures["tables"])
    say(f"{len(rows)} tables, about {total:,} rows, about {duration(figures['seconds'])}")
    if figures["views"]:
        say(f"views: {', '.join(figures['views'])}")
    for note in figures["notes"]:
        say(f"note: {note}")
