"""datamig rollback: takes the last run of a migration back."""

import sys
from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName, Yes
from datamig_pipelines.cli.failures import as_dict, hidden, print_error
from datamig_pipelines.cli.following import drain
from datamig_pipelines.cli.output import document, remark, say
from datamig_pipelines.errors import DatamigError, SpecError
from datamig_pipelines.spec import Migration, find_migration, read_migration

Lost = list[dict[str, Any]]


ByRestore = Annotated[
    bool,
    typer.Option(
        "--restore", help="Restore the backup over everything in the target, even if undo would do."
    ),
]
NoSafety = Annotated[
    bool, typer.Option("--no-safety", help="Do not keep the target as it is before a restore.")
]


def rollback(
    migration: MigrationName,
    *,
    restore: ByRestore = False,
    no_safety: NoSafety = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take the last run back: by undo where that is exact, else by restoring the backup.

    The original state is proven afterwards. Works without Dagster and without the source, for the
    night when only the target answers.
    """
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    if restore or running.needs_restore(spec):
        code = bring_back(spec, safety=not no_safety, yes=yes, as_json=as_json)
    else:
        code = take_back(spec, yes=yes, as_json=as_json)
    raise typer.Exit(code)


def take_back(spec: Migration, *, yes: bool, as_json: bool) -> int:
    """Ask, undo a migration, and return the exit code."""
    from datamig_pipelines import running

    lost = ask(spec, yes=yes)
    return conclude(spec, lost, drain(running.roll_back(spec)), as_json=as_json)


def bring_back(spec: Migration, *, safety: bool, yes: bool, as_json: bool) -> int:
    """Name what a restore overwrites, ask, restore, and return the exit code."""
    from datamig_pipelines import running

    lost = running.overwrites(spec)
    target = hidden(spec.target_url().render_as_string(hide_password=True))
    remark(f"rollback of {spec.name} restores the backup over everything in {target}:")
    for one in lost:
        remark(f"  {one.table}: {_overwritten(one)}")
    if not lost:
        remark("  no row has changed since")
    first = "is kept in a dump of its own first" if safety else "IS NOT KEPT"
    remark(f"  the target as it is now {first}")
    agree("Restore over them?", yes=yes)
    events = running.roll_back(spec, by_restore=True, safety=safety)
    gone: Lost = [dict(one.__dict__) for one in lost]
    return conclude(spec, gone, drain(events), as_json=as_json, how="overwritten")


def _overwritten(one: Any) -> str:
    if one.before is not None:
        return f"{one.rows:,} rows now, {one.before:,} in the backup  !! WRITTEN TO SINCE"
    if one.made:
        return f"{one.rows:,} rows, made by the run"
    return f"{one.rows:,} rows  !! MADE BY OTHERS SINCE"


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
    agree("Remove them?", yes=yes)
    return [{**loss.__dict__, "written_since": max(0, loss.rows - loss.loaded)} for loss in losses]


def agree(question: str, *, yes: bool) -> None:
    """Ask, unless the answer was given beforehand. Raises SpecError, typer.Abort."""
    if yes:
        return
    if not sys.stdin.isatty():
        hint = "Give --yes if that is what you want; nothing was changed."
        raise SpecError("a rollback asks first, and nobody is there to answer", hint=hint)
    if not typer.confirm(question, err=True):
        raise typer.Abort


def conclude(
    spec: Migration,
    lost: Lost,
    error: DatamigError | None,
    *,
    as_json: bool,
    dry_run: bool = False,
    how: str = "removed",
) -> int:
    """Print how a rollback ended and return the exit code."""
    code = error.exit_code if error else 0
    if as_json:
        removed = {"would_remove" if dry_run else how: lost if not error else []}
        told = as_dict(error) if error else None
        document({"migration": spec.name, **removed, "exit_code": code, "error": told})
    elif dry_run:
        say(f"dry run: {len(lost)} tables would be removed; nothing was changed")
    elif not error:
        state = "the catalog is" if how == "removed" else "catalog and rows are"
        say(f"{spec.name} is taken back: {len(lost)} tables {how}, {state} as before")
    if error:
        print_error(error)
    return code


def _since(rows: int, loaded: int) -> str:
    if rows > loaded:
        return f"  !! {rows - loaded:,} OF THEM WERE WRITTEN SINCE THE LOAD AND ARE NOWHERE ELSE"
    return (
        f" ({loaded - rows:,} of {loaded:,} were deleted since the load)" if rows < loaded else ""
    )
