"""datamig plan: what a run would do. Reads both databases, touches nothing."""

from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, BatchSize, MigrationName, Tables, names
from datamig_pipelines.cli.output import document, duration, say, show_table
from datamig_pipelines.spec import Launch, Migration, find_migration, line_of, read_migration

WithSql = Annotated[
    bool, typer.Option("--sql", help="Print every statement that a run would send.")
]
Save = Annotated[
    bool, typer.Option("--save", help="Keep the plan as a file; `run --plan` runs nothing else.")
]


def plan(
    migration: MigrationName,
    *,
    tables: Tables = "",
    batch_size: BatchSize = None,
    sql: WithSql = False,
    save: Save = False,
    as_json: AsJson = False,
) -> None:
    """Show what a run would do: tables, routes, batches, time, notes. Touches nothing."""
    spec = read_migration(find_migration(migration))
    launch = Launch(tables=names(tables), batch_size=batch_size)
    show_plan(spec, launch, sql=sql, save=save, as_json=as_json)


def show_plan(
    spec: Migration, launch: Launch, *, sql: bool, as_json: bool, save: bool = False
) -> None:
    """Make the plan and print it. Raises SpecError, PlanError, EngineError."""
    from datamig_pipelines import running
    from datamig_pipelines.planning.saved import save_plan

    line_of(spec)
    found = running.outlook(spec, launch)
    figures = {**found.plan.as_dict(), **found.as_dict()}
    if save:
        figures["saved"] = str(save_plan(found.plan))
    if as_json:
        document(figures)
        return
    _head(figures)
    _outlook(figures)
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
    spent = f"about {duration(figures['seconds'])}, {figures['timing']}"
    say(f"{len(rows)} tables, about {total:,} rows, {spent}")
    if figures["views"]:
        say(f"views: {', '.join(figures['views'])}")
    for note in figures["notes"]:
        say(f"note: {note}")


def _outlook(figures: dict[str, Any]) -> None:
    """Say what a run would meet: changes, approval, refusal."""
    for line in figures["changed"]:
        say(f"changed since the run: {line}")
    if figures["approval"]["needed"]:
        given = figures["approval"]
        state = f"given by {given['by']} until {given['until']}" if given["given"] else "missing"
        say(f"approval: {state}")
        for reason in given["reasons"]:
            say(f"  needed: {reason}")
    _rehearsal(figures["rehearsal"])
    if figures["settled"]:
        say("nothing would be run: it counts as applied as it is")
    if figures["refusal"]:
        refusal = figures["refusal"]
        first = refusal["message"].partition("\n")[0]
        say(f"a run would be refused, {refusal['code']}: {first}\n  hint: {refusal['hint']}")
    if "saved" in figures:
        say(f"saved: {figures['saved']}")


def _rehearsal(state: dict[str, Any]) -> None:
    """Say how the last rehearsal of this plan went, and why there has to be one."""
    if last := state["last"]:
        how = f"red, {last['error']}" if last["error"] else last["class"]
        back = duration(last["back seconds"])
        say(f"rehearsal: {how}, {last['at']}, {last['sample']}; the way back took {back}")
    elif not state["needed"]:
        say("rehearsal: none of this plan")
    if state["missing"]:
        say(f"rehearsal needed: {state['missing']}")
        for reason in state["reasons"]:
            say(f"  needed: {reason}")
