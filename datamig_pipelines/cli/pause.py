"""datamig pause, datamig resume: hold a running load up, from any shell, and let it go on."""

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.output import document, say
from datamig_pipelines.spec import find_migration, read_migration


def pause(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Have a running load wait between two batches; what was committed is kept."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    word = running.pause(spec)
    if as_json:
        document({"migration": spec.name, "paused": True, "who": word.who, "at": word.at})
        return
    say(f"{spec.name} is paused: its load waits within two seconds, before its next batch")
    say(f"`datamig resume {spec.name}` lets it go on; until then the source's snapshot stays open")


def resume(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Let a paused load go on."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    ended = running.resume(spec)
    if as_json:
        who = {"who": ended.who, "at": ended.at} if ended else None
        document({"migration": spec.name, "paused": False, "was_paused": who})
    elif ended is None:
        say(f"{spec.name} was not paused")
    else:
        say(f"{spec.name} goes on; it was paused by {ended.who} at {ended.at}")
