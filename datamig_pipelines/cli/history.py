"""datamig history: what was applied, from which file and plan, by whom, how long it took."""

from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson
from datamig_pipelines.cli.failures import as_dict, print_error
from datamig_pipelines.cli.output import document, duration, say, show_table
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.spec import find_migration, list_migrations, read_migration

OneOrAll = Annotated[
    str, typer.Argument(metavar="[MIGRATION]", help="A migration; none: all of the project.")
]
_COLUMNS = ("run_id", "result", "started_at", "took", "who", "file", "plan")


def history(migration: OneOrAll = "", *, as_json: AsJson = False) -> None:
    """Show every run with its checksums, taken back ones too; what was acknowledged; approvals."""
    found = [_history(migration)] if migration else [_or_error(n) for n in list_migrations()]
    if as_json:
        document(found[0] if migration else found)
        return
    for figures in found:
        _show(figures)


def _history(name: str) -> dict[str, Any]:
    from datamig_pipelines import running

    return running.history(read_migration(find_migration(name)))


def _or_error(name: str) -> dict[str, Any]:
    """Return a history; a target that does not answer does not hide those of the others."""
    try:
        return _history(name)
    except DatamigError as error:
        print_error(error)
        return {"migration": name, "runs": [], "error": as_dict(error)}


def _show(figures: dict[str, Any]) -> None:
    if "error" in figures:
        return
    if figures["runs"]:
        _show_runs(figures)
    else:
        say(f"{figures['migration']}: no run yet on {figures['target']}")
    for run in figures["runs"]:
        _show_events(run)
    for approval in figures["approvals"]:
        say(
            f"{approval['approved_at']} plan {approval['fingerprint']} approved by "
            f"{approval['who']} until {approval['valid_until']}"
            + (f" (given by {approval['given_by']})" if approval["given_by"] else "")
        )
    for line in figures["edited"]:
        say(f"the file was edited since: {line}")


def _show_runs(figures: dict[str, Any]) -> None:
    rows = [
        (
            *(run["run_id"], run["result"], run["started_at"]),
            "" if run["seconds"] is None else duration(run["seconds"]),
            *(run["who"], run["spec_sum"], run["plan_sum"]),
        )
        for run in figures["runs"]
    ]
    show_table(f"{figures['migration']} on {figures['target']}", _COLUMNS, rows)


def _show_events(run: dict[str, Any]) -> None:
    """Say what happened to a run besides its beginning and its end."""
    for event in (e for e in run["events"] if e["event"] not in ("started", "applied")):
        say(f"{event['happened_at']} {run['run_id']} {event['event']} by {event['who']}")
        if event["event"].startswith(("acknowledged", "edited")):
            for line in event["detail"].splitlines():
                say(f"  {line}")
