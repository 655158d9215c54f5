"""The command line. Starting it loads no Dagster, no driver and no data frame."""

import sys

import click
import typer

from datamig_pipelines.cli import (
    acknowledge,
    approve,
    assess,
    backups,
    baseline,
    check,
    copy,
    diff,
    doctor,
    explain,
    history,
    new,
    pause,
    plan,
    profile,
    rehearse,
    rejects,
    rollback,
    run,
    script,
    status,
    tests,
    validate,
)
from datamig_pipelines.cli.exits import EPILOG, INTERRUPTED
from datamig_pipelines.cli.failures import refuse, tell_bug, tell_error
from datamig_pipelines.cli.output import document, remark, tolerate
from datamig_pipelines.errors import DatamigError

__all__ = ["answer", "app", "main"]

app = typer.Typer(
    name="datamig",
    help="Migrate databases: read the plan before, watch the rows, prove them after, take it back.",
    epilog=EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
_VERBS = (
    *(new, check, assess, profile, plan, run, script, status, validate, diff, tests, rollback),
    *(backups, copy, doctor, explain),
    *(history, acknowledge, baseline, approve, rehearse),
)
for _verb in _VERBS:
    _name = _verb.__name__.rpartition(".")[2]
    app.command(_name)(getattr(_verb, _name))
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.add_typer(rejects.app, name="rejects")


def main() -> None:
    """Run the command line and exit."""
    tolerate()
    sys.exit(answer(sys.argv[1:]))


def answer(arguments: list[str]) -> int:
    """Run one command and return its exit code; every error was told when this returns."""
    as_json = "--json" in arguments
    try:
        code = app(args=arguments or ["--help"], prog_name="datamig", standalone_mode=False)
    except click.ClickException as error:
        return refuse(error, as_json=as_json)
    except DatamigError as error:
        return tell_error(error, as_json=as_json)
    except click.Abort:
        return _stopped("Nothing was changed.", as_json=as_json)
    except Exception as error:  # noqa: BLE001 (the last resort: one line, and the whole story in a file)
        return tell_bug(error, as_json=as_json)
    if code == INTERRUPTED:  # what Typer makes of Ctrl-C
        sentence = "Stopped. What was committed is kept; the same command goes on from there."
        return _stopped(sentence, as_json=as_json)
    return int(code or 0)


def _stopped(sentence: str, *, as_json: bool) -> int:
    remark(f"\n{sentence}")
    if as_json:
        document({"error": {"message": sentence}, "exit_code": INTERRUPTED})
    return INTERRUPTED
