"""datamig baseline: a database that is there already takes its place in the line."""

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.output import document, say
from datamig_pipelines.spec import find_migration, read_migration


def baseline(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Mark a migration as applied without running it, after a look whether its tables are there."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    entry = running.baseline(spec)
    if as_json:
        document({"migration": spec.name, "run_id": entry.run_id, "plan": entry.fingerprint})
        return
    say(f"{spec.name} counts as applied (baseline {entry.run_id}); no row was compared")
    say(f"  `datamig validate {spec.name}` compares them")
