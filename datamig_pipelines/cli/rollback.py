"""datamig rollback: takes the last run of a migration back."""

import sys
from typing import Any

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName, Yes
from datamig_pipelines.cli.failures import as_dict, hidden, print_error
from datamig_pipelines.cli.following import drain
from datamig_pipelines.cli.output import document, remark, say
from datamig_pipelines.errors import DatamigError, SpecError
from datamig_pipelines.spec import Migration, find_migration, read_migration

Lost = list[dict[str, Any]]


def rollback(migration: MigrationName, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take the last run back: what it made is dropped, and the original state is proven.

    Works without Dagster and without the source, for the night when only the target answers.
    """
    spec = read_migration(find_migration(migration))
    raise typer.Exit(take_back(spec, yes=yes, as_json=as_json))


def take_back(spec: Migration, *, yes: bool, as_json: bool) -> int:
    """Ask, take a migration back, and return the exit code."""
    from datamig_pipelines import running

    lost = ask(spec, yes=yes)
    return conclude(spec, lost, drain(running.roll_back(spec)), as_json=as_json)


def ask(spec: Migration, *, yes: bool) -> Lost:
    """Name what would be lost and ask. Returns it.

    Raises:
        LedgerError: There is nothing to take back.
        SpecError: Nobody is there to be asked.
        typer.Abort: The answer was no.
    """
    from datamig_pipelines import running

    losses = running.losses(spec)
    target = hidden(spec.target_url().render_as_string(hide_password=True))
    remark(f"rollback of {spec.name} removes from {target}:")
    for loss in losses:
        remark(f"  {loss.table}: {loss.rows:,} rows{_since(loss.rows, loss.loaded)}")
    if not yes:
        if not sys.stdin.isatty():
            hint = "Give --yes if that is what you want; nothing was changed."
            raise SpecError("a rollback asks first, and nobody is there to answer", hint=hint)
        if not typer.confirm("Remove them?", err=True):
            raise typer.Abort
    return [{**loss.__dict__, "written_since": max(0, loss.rows - loss.loaded)} for loss in losses]


def conclude(
    spec: Migration, lost: Lost, error: DatamigError | None, *, as_json: bool, dry_run: bool = False
) -> int:
    """Print how a rollback ended and return the exit code."""
    code = error.exit_code if error else 0
    if as_json:
        removed = {"would_remove" if dry_run else "removed": lost if not error else []}
        told = as_dict(error) if error else None
        document({"migration": spec.name, **removed, "exit_code": code, "error": told})
    elif dry_run:
        say(f"dry run: {len(lost)} tables would be removed; nothing was changed")
    elif not error:
        say(f"{spec.name} is taken back: {len(lost)} tables removed, the catalog is as before")
    if error:
        print_error(error)
    return code


def _since(rows: int, loaded: int) -> str:
    if rows > loaded:
        return f"  !! {rows - loaded:,} OF THEM WERE WRITTEN SINCE THE LOAD AND ARE NOWHERE ELSE"
    return (
        f" ({loaded - rows:,} of {loaded:,} were deleted since the load)" if rows < loaded else ""
    )
