"""datamig diff: names each row and column that differs, why, and the SQL that would mend it."""

from typing import TYPE_CHECKING, Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName, names
from datamig_pipelines.cli.exits import DIFFERENT, NOT_ALL_PROVEN, OK
from datamig_pipelines.cli.output import document, remark, say, show_table
from datamig_pipelines.spec import Launch, find_migration, read_migration

if TYPE_CHECKING:
    from datamig_pipelines.running.diff import TableDiff

Table = Annotated[str, typer.Option("--table", help="Only these tables.", metavar="A,B")]
Limit = Annotated[int, typer.Option(help="Most rows that differ to list per table.", min=1)]
Repair = Annotated[
    bool,
    typer.Option("--repair", help="Print the SQL that would mend the target; nothing runs it."),
]
_SHOWN = 60


def diff(
    migration: MigrationName,
    *,
    table: Table = "",
    limit: Limit = 1000,
    repair: Repair = False,
    as_json: AsJson = False,
) -> None:
    """Name the rows that differ now, their columns, both values and the likely cause."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    found = []
    for one in running.diff(spec, Launch(tables=names(table)), limit):
        remark(f"{one.table}: {one.verdict}")
        found.append(one)
        if not as_json and not repair:
            _show(one)
    verdicts = {one.verdict for one in found}
    code = DIFFERENT if "different" in verdicts else OK if verdicts <= {"equal"} else NOT_ALL_PROVEN
    if as_json:
        told = {"migration": spec.name, "tables": [one.as_dict() for one in found]}
        document({**told, "exit_code": code})
    elif repair:
        _script(found)
    raise typer.Exit(code)


def _show(one: "TableDiff") -> None:
    from datamig_pipelines.differences import mend

    if one.diff is None:
        say(f"{one.table}: not comparable: {one.reason}")
        return
    if one.left_out:
        say(f"{one.table}: no common form for {', '.join(one.left_out)}; these were not compared")
    if not one.diff.causes:
        say(f"{one.table}: {'all other columns are equal' if one.left_out else 'equal'}")
        return
    columns = ("key", "column", "source", "target", "cause")
    rows = [
        (d.key, d.column, _cut(d.source), _cut(d.target), d.cause) for d in one.diff.differences
    ]
    show_table(one.table, columns, rows)
    effort = one.diff.effort
    more = "" if one.diff.complete else "; there are more: raise --limit"
    say(
        f"{one.table}: {one.diff.summary()} (found {one.diff.how}; {effort.rows_fetched:,} rows "
        f"fetched in {effort.scans:,} scans{more})"
    )
    for cause in one.diff.causes:
        if rule := mend(cause.cause, one.table, cause.column):
            say(f"  against {cause.cause} in {cause.column}: {rule}")


def _cut(text: str | None) -> str:
    if text is None:
        return "NULL"
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _script(found: "list[TableDiff]") -> None:
    from datamig_pipelines.differences import script

    for one in found:
        if one.diff is None:
            say(f"-- {one.table}: not comparable: {one.reason}")
        elif one.repairs:
            more = "" if one.diff.complete else " (there are more: raise --limit)"
            say(f"-- {one.table}: {one.diff.summary()}{more}")
            say(script(one.repairs))
