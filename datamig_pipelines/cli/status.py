"""datamig status: what the ledger of the target remembers. Only reads."""

from typing import Any

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.output import document, duration, say, show_table
from datamig_pipelines.cli.verdict import show_figures
from datamig_pipelines.spec import find_migration, read_migration


def status(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Show runs, steps, tables, proofs and rejects of a migration."""
    from datamig_pipelines import running

    figures = running.status(read_migration(find_migration(migration)))
    if as_json:
        document(figures)
    elif not figures["runs"]:
        say(f"{figures['migration']}: no run yet on {figures['target']}")
        _show_rehearsal(figures)
        _show_line(figures)
        _show_suites(figures)
    else:
        _show(figures)


def _show(figures: dict[str, Any]) -> None:
    columns = ("run_id", "status", "started_at", "finished_at", "who")
    rows = [tuple(run.get(c) or "" for c in columns) for run in figures["runs"]]
    show_table(f"{figures['migration']} on {figures['target']}", columns, rows)
    if paused := figures.get("paused"):
        say(f"PAUSED by {paused['who']} since {paused['at']}; `datamig resume` lets it go on")
    _show_line(figures)
    _show_rehearsal(figures)
    for difference in figures["drift"]:
        say(f"drift: {difference}")
    steps = figures.get("steps", {})
    if steps:
        say("steps: " + " · ".join(f"{name} {state}" for name, state in steps.items()))
    show_figures(figures)
    _show_suites(figures)
    last = figures["runs"][-1]
    if last["status"] == "failed" and last.get("detail"):
        say(f"last error: {last['detail']}")


def _show_rehearsal(figures: dict[str, Any]) -> None:
    """Say how the last rehearsal went, if there was one, and which files of them say nothing."""
    for path in figures["unreadable"]:
        say(f"unreadable: {path}; it was cut off or edited: rehearse again, or delete it")
    if last := figures["rehearsal"]:
        how = f"red, {last['error']}" if last["error"] else last["class"]
        back = duration(last["back seconds"])
        said = f"plan {last['plan']}, {last['sample']}; the way back took {back}"
        say(f"rehearsal: {how}, {last['at']}, {said}")


def _show_suites(figures: dict[str, Any]) -> None:
    """Tell what suites said last, as far as they were judged on this machine."""
    for suite in figures["suites"]:
        side = "source" if suite["side"] == "before" else "target"
        word = "holds" if suite["passed"] else "does not hold"
        say(f"suite {word}: {suite['table']} in the {side}: {suite['message']}")
    if figures["data_docs"]:
        say(f"Data Docs: {figures['data_docs']}")


def _show_line(figures: dict[str, Any]) -> None:
    """Draw the line: every version with its state, and where the target stands."""
    if "line_error" in figures:
        say(f"line: {figures['line_error']}")
    elif len(figures["line"]) > 1:
        drawn = [
            f"{v['version']} ({v['state']}{', edited since' if v['edited'] else ''})"
            + (" <- here" if v["here"] else "")
            for v in figures["line"]
        ]
        say("line: " + " → ".join(drawn))
    for gone in figures.get("without_file", []):
        say(f"in the target, but without a file here: {gone['version']} ({gone['state']})")
