"""datamig backups: what is kept of a migration's databases, and is it still good?"""

from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson
from datamig_pipelines.cli.output import document, duration, say, show_table, size
from datamig_pipelines.errors import SpecError
from datamig_pipelines.spec import find_migration, read_migration

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="[verify] MIGRATION [ID]",
        help="A migration; with the word verify before it, its newest backup (or ID) is proven.",
    ),
]
_VERIFY = "verify"


def backups(words: Words, *, as_json: AsJson = False) -> None:
    """List the backups of a migration, or prove one again: every byte, a restore, a comparison."""
    asked = words[0] == _VERIFY and len(words) > 1
    names = words[1:] if asked else words
    if len(names) > 1 + asked:
        msg = f"{names[-1]} is one word too many"
        raise SpecError(
            msg, hint="Write `datamig backups NAME` or `datamig backups verify NAME ID`."
        )
    spec = read_migration(find_migration(names[0]))
    from datamig_pipelines import running

    if asked:
        proven = running.verify_again(spec, names[1] if names[1:] else "")
        _tell_proof(proven, as_json=as_json)
        return
    found, others = running.list_backups(spec), running.unreadable_backups(spec)
    if as_json:
        document([*found, *others])
        return
    columns = ("id", "of", "time", "size", "tables", "verified", "recovery")
    rows = [
        (
            b["id"],
            b["side"],
            b["time"],
            size(b["bytes"]),
            b["tables"],
            b["verified"],
            _spent(b["recovery_s"]),
        )
        for b in found
    ]
    show_table(f"{spec.name}: backups in {spec.backup.to}", columns, rows, ("tables",))
    for other in others:
        say(f"no backup: {other['place']}: {other['unreadable']}")


def _spent(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)


def _tell_proof(proven: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        document(proven)
        return
    say(
        f"{proven['id']} is whole: every byte as written, restored in "
        f"{duration(proven['recovery_s'])}, {proven['tables']} tables compared"
    )
