"""datamig acknowledge: a person's word that a change is meant."""

from typing import Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.output import document, say
from datamig_pipelines.spec import find_migration, read_migration

Drift = Annotated[
    bool, typer.Option("--drift", help="Of the target's tables, instead of the file.")
]


def acknowledge(migration: MigrationName, *, drift: Drift = False, as_json: AsJson = False) -> None:
    """Say that an edited file, or with --drift a changed target, is meant.

    It goes into the history with what was changed. After that nothing is run for the edited file
    until the migration is taken back: what was applied stands.
    """
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    changed = running.acknowledge_drift(spec) if drift else running.acknowledge(spec)
    if as_json:
        document({"migration": spec.name, "acknowledged": changed})
        return
    say(f"{spec.name}: acknowledged")
    for line in changed:
        say(f"  {line}")
