"""datamig check: is the file right? Reads files only."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson
from datamig_pipelines.cli.failures import as_dict, print_error
from datamig_pipelines.cli.output import document, remark, say
from datamig_pipelines.errors import DatamigError, SpecError
from datamig_pipelines.spec import (
    Migration,
    Side,
    find_migration,
    line_of,
    list_migrations,
    read_migration,
)

Migrations = Annotated[
    list[str] | None,
    typer.Argument(metavar="MIGRATION...", help="Names or paths; none: all of the project."),
]


def check(migrations: Migrations = None, *, as_json: AsJson = False) -> None:
    """Say whether migration files are right, with the line of each mistake; reads files only."""
    names = migrations or list(list_migrations())
    if not names:
        raise SpecError("there is no migration to check", hint="Make one with `datamig new NAME`.")
    verdicts = [_verdict(name) for name in names]
    for verdict in verdicts:
        _tell(verdict)
    worst = max((v["error"].exit_code for v in verdicts if v["error"]), default=0)
    if as_json:
        document([{**v, "error": as_dict(v["error"]) if v["error"] else None} for v in verdicts])
    else:
        for good in (v for v in verdicts if not v["error"]):
            say(f"OK {good['migration']} ({good['file']})")
    raise typer.Exit(worst)


def _verdict(name: str) -> dict[str, Any]:
    try:
        path = find_migration(name)
        migration = read_migration(path)
        line_of(migration)
        warnings = [*_engines(migration, path), *_files(migration)]
    except DatamigError as error:
        return {"migration": name, "file": "", "error": error, "warnings": []}
    return {"migration": migration.name, "file": str(path), "error": None, "warnings": warnings}


def _tell(verdict: dict[str, Any]) -> None:
    if verdict["error"]:
        print_error(verdict["error"])
    for warning in verdict["warnings"]:
        remark(f"warning {verdict['migration']}: {warning}")


def _engines(migration: Migration, path: Path) -> list[str]:
    """Return the environment variables that are not set. Raises UnknownEngineError."""
    from datamig_pipelines.dialects import get_dialect

    warnings = []
    for end, connection in (("source", migration.source), ("target", migration.target)):
        if connection.url_env and not os.environ.get(connection.url_env):
            warnings.append(f"{end}: the environment variable {connection.url_env} is not set here")
            continue
        try:
            get_dialect(connection.resolve(migration.base))
        except SpecError as error:
            raise error.at(f"{path} {end}") from None
    missing = [a.env for a in migration.alerts if not os.environ.get(a.env)]
    return warnings + [
        f"alerts: the environment variable {name} is not set here" for name in missing
    ]


def _files(migration: Migration) -> list[str]:
    sides: dict[Side, str] = {"before": "validate.before", "after": "validate.suites"}
    return [
        f"{where}: there is no file {suite.file}"
        for side, where in sides.items()
        for suite in migration.suites(side)
        if not migration.path(suite.file).is_file()
    ]
