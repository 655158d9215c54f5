"""datamig copy: from one URL to another, without a file and without Dagster."""

import os
from typing import Annotated

import typer
from pydantic import ValidationError

from datamig_pipelines.cli.arguments import AsJson, BatchSize, Tables, Yes, names
from datamig_pipelines.cli.following import follow
from datamig_pipelines.cli.rollback import take_back
from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import Migration, Retreat

SOURCE, TARGET = "DATAMIG_COPY_SOURCE", "DATAMIG_COPY_TARGET"

SourceUrl = Annotated[
    str, typer.Argument(metavar="SOURCE_URL", help="sqlite:///shop.db, or env:NAME of a variable.")
]
TargetUrl = Annotated[
    str, typer.Argument(metavar="TARGET_URL", help="duckdb:///shop.duckdb, or env:NAME.")
]
SourceSchema = Annotated[str, typer.Option("--schema", help="Schema of the source; * is all.")]
TargetSchema = Annotated[str, typer.Option(help="Schema of the target.")]
Exclude = Annotated[
    str, typer.Option(help="Leave these tables, separated by commas.", metavar="A,B*")
]
Workers = Annotated[int, typer.Option(help="Tables loaded at the same time.", min=1, max=64)]
Name = Annotated[str, typer.Option(help="What the ledger calls it; the same name goes on with it.")]
Undo = Annotated[bool, typer.Option("--undo", help="Take an earlier copy of this name back.")]


def copy(
    source_url: SourceUrl,
    target_url: TargetUrl,
    *,
    schema: SourceSchema = "",
    target_schema: TargetSchema = "",
    tables: Tables = "",
    exclude: Exclude = "",
    batch_size: BatchSize = None,
    workers: Workers = 2,
    name: Name = "copy",
    undo: Undo = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Copy all tables of one database into another, prove them, and say so.

    Interrupted, the same command goes on. Relative files are relative to the current folder. Other
    users of this machine see a command line: a password is safer in a variable (env:NAME).
    """
    from datamig_pipelines import running

    spec = _migration(
        {
            "name": name,
            "source": {"url_env": _kept(source_url, SOURCE), "schema": schema},
            "target": {"url_env": _kept(target_url, TARGET), "schema": target_schema},
            "include": names(tables) or ("*",),
            "exclude": names(exclude),
            "workers": workers,
            **({"batch_size": batch_size} if batch_size else {}),
        }
    )
    if undo:
        raise typer.Exit(take_back(spec, Retreat(accept_losses=yes), as_json=as_json))
    raise typer.Exit(follow(spec, running.run(spec), as_json=as_json))


def _kept(url: str, variable: str) -> str:
    """Return the environment variable that holds a URL; the spec refuses a URL with a password."""
    if url.startswith("env:"):
        return url.removeprefix("env:")
    os.environ[variable] = url
    return variable


def _migration(attributes: dict[str, object]) -> Migration:
    try:
        return Migration.model_validate(attributes)
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"{'.'.join(str(p) for p in first['loc'])}: {first['msg']}"
        raise SpecError(msg, hint="`datamig copy --help` lists what can be written.") from None
