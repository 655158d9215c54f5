"""datamig validate: proves a loaded migration again, on the databases as they are now."""

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.following import follow
from datamig_pipelines.spec import find_migration, read_migration


def validate(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Prove again that source and target hold the same. Runs without Dagster."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    raise typer.Exit(follow(spec, running.validate(spec), as_json=as_json))
