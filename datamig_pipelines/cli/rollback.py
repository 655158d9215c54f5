"""datamig rollback: takes the last run of a migration back."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.failures import as_dict, hidden, print_error
from datamig_pipelines.cli.following import drain
from datamig_pipelines.cli.output import document, remark, say
from datamig_pipelines.errors import DatamigError, SpecError
from datamig_pipelines.spec import Migration, Retreat, find_migration, read_migration

if TYPE_CHECKING:
    from datamig_pipelines.running import Prospect

_UNDO = "undo"
_WORDS = {"undo": ("would_remove", "removed"), "restore": ("would_overwrite", "overwritten")}
ByRestore = Annotated[
    bool,
    typer.Option(
        "--restore", help="Restore the backup over everything in the target, even if undo would do."
    ),
]
NoSafety = Annotated[
    bool, typer.Option("--no-safety", help="Do not keep the target as it is before a restore.")
]
Agreed = Annotated[
    bool,
    typer.Option("--yes", "-y", "--accept-losses", help="Do not ask: what is named may go."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, touch nothing.")]


def rollback(
    migration: MigrationName,
    *,
    restore: ByRestore = False,
    no_safety: NoSafety = False,
    yes: Agreed = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take the last run back: by undo where that is exact, else by restoring the backup.

    The original state is proven afterwards. Works without Dagster and without the source, for the
    night when only the target answers.
    """
    spec = read_migration(find_migration(migration))
    retreat = Retreat(restore=restore, accept_losses=yes, safety=not no_safety, dry_run=dry_run)
    raise typer.Exit(take_back(spec, retreat, as_json=as_json))


def take_back(spec: Migration, retreat: Retreat, *, as_json: bool) -> int:
    """Name what goes, ask, take a migration back, and return the exit code."""
    from datamig_pipelines import running

    found = ask(spec, retreat)
    if retreat.dry_run:
        return conclude(spec, found, None, as_json=as_json, dry_run=True)
    events = running.roll_back(spec, by_restore=retreat.restore, safety=retreat.safety)
    return conclude(spec, found, drain(events), as_json=as_json)


def ask(spec: Migration, retreat: Retreat) -> "Prospect":
    """Name what a rollback takes away and ask, unless it is a dry run. Returns what was named.

    Raises:
        LedgerError: There is nothing to take back.
        BackupError: A restore is wanted, and there is no whole backup.
        SpecError: Nobody is there to be asked.
        typer.Abort: The answer was no.
    """
    from datamig_pipelines import running

    found = running.foresee(spec, by_restore=retreat.restore)
    target = hidden(spec.target_url().render_as_string(hide_password=True))
    if found.how == _UNDO:
        remark(f"rollback of {spec.name} removes from {target}:")
    else:
        remark(f"rollback of {spec.name} restores the backup over everything in {target}:")
    for one in found.taken:
        remark(f"  {one.table}: {one.told}")
    if found.how != _UNDO:
        if not found.taken:
            remark("  no row has changed since")
        first = "is kept in a dump of its own first" if retreat.safety else "IS NOT KEPT"
        remark(f"  the target as it is now {first}")
    question = "Remove them?" if found.how == _UNDO else "Restore over them?"
    agree(question, yes=retreat.accept_losses or retreat.dry_run)
    return found


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
    found: "Prospect",
    error: DatamigError | None,
    *,
    as_json: bool,
    dry_run: bool = False,
) -> int:
    """Print how a rollback ended and return the exit code."""
    code = error.exit_code if error else 0
    would, did = _WORDS[found.how]
    count = len(found.taken)
    if as_json:
        taken = {would if dry_run else did: [_as_dict(x) for x in found.taken] if not error else []}
        told = as_dict(error) if error else None
        told_all = {"migration": spec.name, "how": found.how, "why": found.why, **taken}
        document({**told_all, "exit_code": code, "error": told})
    elif dry_run:
        say(f"dry run ({found.how}): {count} tables would be {did}; nothing was changed")
    elif not error:
        state = "the catalog is" if found.how == _UNDO else "catalog and rows are"
        say(f"{spec.name} is taken back: {count} tables {did}, {state} as before")
    if error:
        print_error(error)
    return code


def _as_dict(one: Any) -> dict[str, Any]:
    more = {"written_since": max(0, one.rows - one.loaded)} if hasattr(one, "loaded") else {}
    return {**one.__dict__, **more}
