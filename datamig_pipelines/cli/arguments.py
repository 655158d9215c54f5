"""Options that several verbs share: the same word means the same everywhere."""

from typing import Annotated

import typer

MigrationName = Annotated[
    str,
    typer.Argument(
        metavar="MIGRATION", help="Name of a migration, its folder, or the path of its YAML file."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Tables = Annotated[str, typer.Option(help="Only these tables, separated by commas.", metavar="A,B")]
BatchSize = Annotated[
    int | None,
    typer.Option(help="Rows per batch, instead of what the file says.", min=1, max=1_000_000),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def names(text: str) -> tuple[str, ...]:
    """Return the names of a list that is separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
