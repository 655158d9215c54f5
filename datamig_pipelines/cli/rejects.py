"""datamig rejects: which rows the target refused, and a second try after something was mended."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName, Yes
from datamig_pipelines.cli.following import drain
from datamig_pipelines.cli.output import document, remark, say, show_table
from datamig_pipelines.cli.verdict import conclude
from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import find_migration, read_migration
from datamig_pipelines.transfer import Event
from datamig_pipelines.transfer.events import Replayed

app = typer.Typer(
    help="Show the rows that the target refused, or try them again.", no_args_is_help=True
)

Table = Annotated[str, typer.Option(help="Only this table.", metavar="T")]
Limit = Annotated[int, typer.Option(help="Rows to show; --json always has all.", min=0)]


@app.command("list")
def list_(
    migration: MigrationName, *, table: Table = "", limit: Limit = 50, as_json: AsJson = False
) -> None:
    """Show rejected rows: how many have which reason, then key, values, reason and hint."""
    from datamig_pipelines import running

    figures = running.rejects(_checked(migration, table), table)
    if as_json:
        document(figures)
    elif not figures["total"]:
        say(f"{figures['migration']}: no row was rejected")
    else:
        _show(figures, limit)


@app.command()
def replay(
    migration: MigrationName, *, table: Table = "", yes: Yes = False, as_json: AsJson = False
) -> None:
    """Read rejected rows again from the source, load what the target takes now, prove again."""
    from datamig_pipelines import running

    spec = _checked(migration, table)
    total = running.rejects(spec, table)["total"]
    _ask(total, yes=yes or not total)
    tried: list[Replayed] = []
    error = drain(_noted(running.replay(spec, table), tried))
    refused = [r.__dict__ for r in tried if not r.loaded]
    more = {"replayed": len(tried) - len(refused), "refused": refused}
    for row in [] if as_json else refused[:20]:
        say(f"still rejected: {row['table']} {row['key']}: {row['reason']}")
    raise typer.Exit(conclude(spec, error, as_json=as_json, more=more))


def _checked(migration: str, table: str) -> Any:
    from datamig_pipelines.running.rejects import check_table

    spec = read_migration(find_migration(migration))
    if table:
        check_table(spec, table)
    return spec


def _ask(total: int, *, yes: bool) -> None:
    remark(f"{total:,} rejected rows are read again from the source and written to the target")
    if yes:
        return
    if not sys.stdin.isatty():
        hint = "Give --yes if that is what you want; nothing was changed."
        raise SpecError("a replay asks first, and nobody is there to answer", hint=hint)
    if not typer.confirm("Go on?", err=True):
        raise typer.Abort


def _noted(events: Iterator[Event], tried: list[Replayed]) -> Iterator[Event]:
    for event in events:
        tried += [event] if isinstance(event, Replayed) else []
        yield event


def _show(figures: dict[str, Any], limit: int) -> None:
    reasons = [(r["table"], r["rows"], r["code"], r["reason"]) for r in figures["reasons"]]
    title = f"{figures['migration']}: {figures['total']:,} rejected rows"
    show_table(title, ("table", "rows", "code", "reason"), reasons[: max(limit, 1)], ("rows",))
    for row in figures["rejects"][:limit]:
        say(f"{row['table']} {', '.join(row['key']) or '(no key)'}: {row['reason']}")
        say(f"  hint: {row['hint']}")
        say("  " + ", ".join(f"{name}={_cell(value)}" for name, value in row["values"].items()))
    if figures["total"] > limit:
        say(f"... and {figures['total'] - limit:,} more; --limit N or --json shows them")


def _cell(value: str | None) -> str:
    return "NULL" if value is None else repr(value if len(value) <= 60 else value[:57] + "...")
