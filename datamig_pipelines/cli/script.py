"""datamig script: the schema of a plan as SQL files and an Alembic revision, to be run by hand."""

from pathlib import Path
from typing import Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.output import document, say
from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.spec import find_migration, read_migration

Out = Annotated[Path, typer.Option(help="Folder of the files; made if it is missing.")]


def script(migration: MigrationName, *, out: Out = Path(), as_json: AsJson = False) -> None:
    """Write up.sql, down.sql and an Alembic revision of the target's schema."""
    spec = read_migration(find_migration(migration))
    from datamig_pipelines import running
    from datamig_pipelines.planning.scripts import scripts

    written = [write_file(out / name, text) for name, text in scripts(running.look(spec)).items()]
    if as_json:
        document({"migration": spec.name, "files": [str(path) for path in written]})
    else:
        for path in written:
            say(f"wrote {path}")


def write_file(path: Path, text: str) -> Path:
    """Write a file that the user named, and return its path. Raises PermissionDeniedError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise PermissionDeniedError(msg, hint="Name another folder with --out.") from error
    return path
