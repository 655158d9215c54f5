"""datamig run: executes the migration's Dagster job, so that the run appears in the UI."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson, BatchSize, MigrationName, Tables, Yes, names
from datamig_pipelines.cli.output import remark
from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import Direction, Launch, Migration, find_migration, read_migration

if TYPE_CHECKING:
    from datamig_pipelines.cli.launching import Outcome

Kind = Annotated[
    str, typer.Option("--type", help="Refuse to run unless the file's kind is this one.")
]
Where = Annotated[
    Direction, typer.Option(help="up, latest: forward. down: take the last run back.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print every statement, touch nothing.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Dagster's own log, too.")]


def run(
    migration: MigrationName,
    *,
    kind: Kind = "",
    direction: Where = Direction.latest,
    dry_run: DryRun = False,
    batch_size: BatchSize = None,
    tables: Tables = "",
    yes: Yes = False,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Run a migration, going on where an earlier run stopped."""
    from datamig_pipelines.cli.plan import show_plan

    path = find_migration(migration)
    spec = read_migration(path)
    if kind and kind != spec.kind.value:
        msg = f"{spec.name} is of kind {spec.kind.value}, not {kind}"
        raise SpecError(
            msg, hint=f"Run it with --type {spec.kind.value}, or leave --type out.", where=str(path)
        )
    launch = Launch(
        direction=direction, dry_run=dry_run, batch_size=batch_size, tables=names(tables)
    )
    if direction is Direction.down:
        raise typer.Exit(_down(spec, path, launch, yes=yes, verbose=verbose, as_json=as_json))
    if dry_run:
        show_plan(spec, launch, sql=True, as_json=as_json)
        return
    raise typer.Exit(_up(spec, path, launch, verbose=verbose, as_json=as_json))


def _up(spec: Migration, path: Path, launch: Launch, *, verbose: bool, as_json: bool) -> int:
    from datamig_pipelines.cli.verdict import conclude
    from datamig_pipelines.planning.artefact import remember_tables
    from datamig_pipelines.running import look

    remember_tables(look(spec, launch))  # what cannot work is said before Dagster takes its seconds
    done = _executed(path, launch, job=spec.name, verbose=verbose)
    code = conclude(spec, done.error, as_json=as_json, suites=done.suites)
    remark(f"report: {spec.home / 'report.md'}")
    return code


def _down(
    spec: Migration, path: Path, launch: Launch, *, yes: bool, verbose: bool, as_json: bool
) -> int:
    from datamig_pipelines.cli.rollback import ask, conclude

    lost = ask(spec, yes=yes or launch.dry_run)
    if launch.dry_run:
        return conclude(spec, lost, None, as_json=as_json, dry_run=True)
    done = _executed(path, launch, job=f"{spec.name}_rollback", verbose=verbose)
    return conclude(spec, lost, done.error, as_json=as_json)


def _executed(path: Path, launch: Launch, *, job: str, verbose: bool) -> "Outcome":
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
