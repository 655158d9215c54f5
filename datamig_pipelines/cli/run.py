"""datamig run: executes the migration's Dagster job, so that the run appears in the UI."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from datamig_pipelines.cli.arguments import AsJson, BatchSize, MigrationName, Tables, Yes, names
from datamig_pipelines.cli.output import remark
from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import (
    Direction,
    Launch,
    Migration,
    Retreat,
    find_migration,
    line_of,
    read_migration,
)

if TYPE_CHECKING:
    from datamig_pipelines.cli.launching import Outcome

Kind = Annotated[
    str, typer.Option("--type", help="Refuse to run unless the file's kind is this one.")
]
Where = Annotated[
    str,
    typer.Option(
        help="up: the next of the line. latest: all of it. down: the last back. A version: there. "
        "None: this migration alone."
    ),
]
AskedPlan = Annotated[
    str, typer.Option("--plan", metavar="FINGERPRINT", help="Run this plan, or nothing.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print every statement, touch nothing.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Dagster's own log, too.")]


def run(
    migration: MigrationName,
    *,
    kind: Kind = "",
    direction: Where = "",
    dry_run: DryRun = False,
    batch_size: BatchSize = None,
    tables: Tables = "",
    plan: AskedPlan = "",
    yes: Yes = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Run a migration, going on where a run stopped; with --direction, go along its line."""
    from datamig_pipelines.cli.plan import show_plan

    path = find_migration(migration)
    spec = read_migration(path)
    if kind and kind != spec.kind.value:
        msg = f"{spec.name} is of kind {spec.kind.value}, not {kind}"
        raise SpecError(
            msg, hint=f"Run it with --type {spec.kind.value}, or leave --type out.", where=str(path)
        )
    line_of(spec)
    chosen = {"dry_run": dry_run, "batch_size": batch_size, "tables": names(tables), "plan": plan}
    launch = _launch({**chosen, "direction": direction})
    if direction and not _alone(spec, direction):
        from datamig_pipelines.cli.walking import Manner, walk

        manner = Manner(yes=yes, verbose=verbose, as_json=as_json)
        raise typer.Exit(walk(spec, path, launch, manner))
    if direction == Direction.down:
        raise typer.Exit(take_down(spec, path, launch, yes=yes, verbose=verbose, as_json=as_json))
    if dry_run:
        show_plan(spec, launch, sql=True, as_json=as_json)
        return
    raise typer.Exit(bring_up(spec, path, launch, verbose=verbose, as_json=as_json))


def _alone(spec: Migration, direction: str) -> bool:
    """Say whether a migration is its whole line, so that a direction means it and nothing else."""
    return direction in (*Direction, spec.name) and len(line_of(spec).names) == 1


def _launch(chosen: dict[str, object]) -> Launch:
    """Return the arguments of the run. Raises SpecError."""
    try:
        return Launch.model_validate(chosen)
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"--{first['loc'][0]}: {first['input']!r} is none"
        raise SpecError(msg, hint="`datamig run --help` lists what can be written.") from None


def bring_up(spec: Migration, path: Path, launch: Launch, *, verbose: bool, as_json: bool) -> int:
    """Run a migration forward as a job of Dagster and return the exit code."""
    from datamig_pipelines.cli.verdict import conclude
    from datamig_pipelines.planning.artefact import remember_tables
    from datamig_pipelines.running import outlook

    found = outlook(spec, launch)  # what cannot work is said before Dagster takes its seconds
    remember_tables(found.plan)
    if refusal := found.refusal or found.unproven or found.unapproved:
        raise refusal
    if found.settled:
        remark(f"{spec.name} counts as applied as it is: nothing is run")
        return conclude(spec, None, as_json=as_json)
    own = launch.model_copy(update={"direction": ""})
    done = _executed(path, own, job=spec.name, verbose=verbose)
    code = conclude(spec, done.error, as_json=as_json, suites=done.suites)
    remark(f"report: {spec.home / 'report.md'}")
    return code


def take_down(
    spec: Migration, path: Path, launch: Launch, *, yes: bool, verbose: bool, as_json: bool
) -> int:
    """Take a migration back as a job of Dagster and return the exit code."""
    from datamig_pipelines.cli.rollback import ask, conclude

    found = ask(spec, Retreat(accept_losses=yes, dry_run=launch.dry_run))
    if launch.dry_run:
        return conclude(spec, found, None, as_json=as_json, dry_run=True)
    own = Retreat(accept_losses=True)  # it was asked for just now
    done = _executed(path, own, job=f"{spec.name}_rollback", verbose=verbose)
    return conclude(spec, found, done.error, as_json=as_json)


def _executed(path: Path, launch: Launch | Retreat, *, job: str, verbose: bool) -> "Outcome":
    from datamig_pipelines.cli.progress import Live

    remark(f"starting Dagster for job {job} ...")
    from datamig_pipelines.cli import launching

    with Live() as live:
        hush = contextlib.nullcontext("") if verbose else launching.quiet()
        with hush as log:
            outcome = launching.execute(path, launch, job=job, watcher=live.show)
    shown = f", shown by `dagster dev` in {outcome.shown_in}" if outcome.shown_in else ""
    remark(f"Dagster run {outcome.run_id}{shown}" + (f", log {log}" if log else ""))
    return outcome
