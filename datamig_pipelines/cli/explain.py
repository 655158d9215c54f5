"""datamig explain: what an error means and what to do; docs/errors.md is written from here."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from datamig_pipelines import errors
from datamig_pipelines.cli.arguments import AsJson
from datamig_pipelines.cli.causes import CAUSES
from datamig_pipelines.cli.exits import MEANINGS
from datamig_pipelines.cli.output import document, remark, say, show_table

Code = Annotated[
    str, typer.Argument(metavar="[CODE]", help="As an error prints it: DM406. None: all of them.")
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print docs/errors.md.")]


@dataclass(frozen=True)
class Entry:
    """One kind of error, explained."""

    code: str
    name: str
    family: str
    exit_code: int
    retried: bool
    meaning: str
    cause: str
    move: str


def explain(code: Code = "", *, markdown: AsMarkdown = False, as_json: AsJson = False) -> None:
    """Say what an error code means: typical cause, next move, exit code."""
    known = {e.code: e for e in entries()}
    wanted = known.get(code.strip().upper())
    if markdown:
        typer.echo(as_markdown(), nl=False)
        return
    if as_json:
        document(asdict(wanted) if wanted else [asdict(e) for e in known.values()])
    elif wanted:
        say(_told(wanted))
    else:
        columns = ("code", "name", "exit", "meaning")
        show_table(
            "errors", columns, [(e.code, e.name, e.exit_code, e.meaning) for e in known.values()]
        )
    if code and not wanted:
        remark(f"there is no error {code}; these are all")
        raise typer.Exit(4)


def entries() -> list[Entry]:
    """Return all kinds of errors, family by family."""
    return [_entry(kind) for kind in _kinds(errors.DatamigError)]


def _entry(kind: type[errors.DatamigError]) -> Entry:
    cause, move = CAUSES[kind.__name__]
    family = next(k for k in reversed(kind.__mro__) if k.__base__ is errors.DatamigError)
    return Entry(
        kind.code,
        kind.__name__,
        family.__name__,
        kind.exit_code,
        kind.retryable,
        " ".join((kind.__doc__ or "").split()),
        cause,
        move,
    )


def _kinds(top: Any) -> Iterator[Any]:
    for child in top.__subclasses__():
        if child.__module__.startswith(f"{errors.__name__}."):
            yield child
            yield from _kinds(child)


def _told(entry: Entry) -> str:
    retried = " · tried again by itself" if entry.retried else ""
    return (
        f"{entry.code} {entry.name} (exit code {entry.exit_code}{retried})\n{entry.meaning}\n\n"
        f"typical cause: {entry.cause}\nnext move: {entry.move}"
    )


def as_markdown() -> str:
    """Return docs/errors.md."""
    lines = [
        "# Errors",
        "",
        "Written by `datamig explain --markdown`; a test compares. The first digit says how",
        "worried to be: 1 and 2 nothing happened, 3 something ran and stopped, 4 an engine spoke,",
        "5 the data differs, 6 memory and world disagree.",
        "",
        "| exit code | means |",
        "|--:|---|",
        *(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()),
    ]
    for entry in entries():
        level = "##" if entry.name == entry.family else "###"
        retried = ", tried again by itself" if entry.retried else ""
        lines += [
            "",
            f"{level} {entry.code} {entry.name}",
            "",
            f"{entry.meaning} (exit code {entry.exit_code}{retried})",
            "",
            f"- Typical cause: {entry.cause}",
            f"- Next move: {entry.move}",
        ]
    return "\n".join(lines) + "\n"
