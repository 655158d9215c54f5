"""datamig rehearse: the whole way forward and back on a scratch copy of the target."""

import contextlib
import sys
from typing import Annotated, Any

import typer

from datamig_pipelines.cli import exits
from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.failures import as_dict, print_error
from datamig_pipelines.cli.output import document, duration, remark, say, show_table
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.spec import Migration, find_migration, line_of, read_migration

Sampled = Annotated[
    str,
    typer.Option(
        "--sample",
        metavar="5%|ROWS",
        help="Only so much of each table, with all rows that it refers to.",
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Leave the scratch database of a rehearsal that failed.")
]


def rehearse(
    migration: MigrationName, *, sample: Sampled = "", keep: Keep = False, as_json: AsJson = False
) -> None:
    """Run forward, back and forward again on a scratch copy of the target. Touches no target.

    Every step is classed: can it be taken back without a loss? Its times go into later plans.
    """
    spec = read_migration(find_migration(migration))
    line_of(spec)
    found, error = _followed(spec, sample, keep=keep)
    code = error.exit_code if error else exits.of_proofs(_verdicts(found))
    if as_json:
        told = as_dict(error) if error else None
        document({**found, "error": told, "exit_code": code, "meaning": exits.MEANINGS[code]})
    elif found:
        _show(found)
    if error:
        print_error(error)
    raise typer.Exit(code)


def _followed(
    spec: Migration, sample: str, *, keep: bool
) -> tuple[dict[str, Any], DatamigError | None]:
    """Show what happens; return what was found ({}: it did not begin) and the error, if any."""
    from datamig_pipelines import running
    from datamig_pipelines.cli.progress import Live

    found: dict[str, Any] = {}
    with contextlib.redirect_stdout(sys.stderr), Live() as live:
        try:
            for event in running.rehearse(spec, sample, keep=keep):
                live.show(event)
                if isinstance(event, running.Rehearsed):
                    found = {**event.found, "file": str(event.path)}
        except DatamigError as error:
            return found, error
    return found, None


def _verdicts(found: dict[str, Any]) -> list[dict[str, Any]]:
    ways = (found.get("forward"), found.get("again"))
    return [{"verdict": v} for way in ways if way for v in way["proofs"]]


def _show(found: dict[str, Any]) -> None:
    from datamig_pipelines.running.reversal import why

    rows = [
        (
            s["step"],
            s["class"],
            duration(s["seconds"]),
            "-" if s["undo seconds"] is None else duration(s["undo seconds"]),
            why(s["evidence"]),
        )
        for s in found["steps"]
    ]
    columns = ("step", "class", "forward", "back", "evidence")
    show_table(f"{found['migration']}: rehearsal {found['time']}", columns, rows)
    copy, again = found["original"], found["again"]
    held = (
        f"a copy of {copy['tables']} tables, {copy['rows']:,} rows" if copy["tables"] else "empty"
    )
    say(f"the scratch database was {held}; {_proofs(found['forward'])} forward")
    for table, reason in found["whole tables"].items():
        say(f"all rows of {table}: {reason}")
    if again:
        say(f"forward again: {_proofs(again)}, {duration(again['seconds'])}")
        for thing in again["differs from the first time"]:
            say(f"not as the first time: {thing} (was the source written to?)")
    say(f"the way back is {found['class']}")
    if found["kept"]:
        say(f"kept, drop it yourself: {found['kept']}")
    remark(f"rehearsal: {found['file']}")


def _proofs(way: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in way["proofs"].items())
    return f"proofs: {counts or 'none'}"
