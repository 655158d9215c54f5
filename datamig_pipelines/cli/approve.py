"""datamig approve: lets a plan run where the file asks for an approval."""

from datetime import datetime
from typing import Annotated

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.output import document, say
from datamig_pipelines.spec import find_migration, read_migration

Plan = Annotated[
    str,
    typer.Option("--plan", "--fingerprint", help="The plan that is meant; none: that of now."),
]
Until = Annotated[
    datetime | None,
    typer.Option(help="When it runs out (local time); none: after approval.valid_hours."),
]
Who = Annotated[str, typer.Option("--as", help="Who approves; none: user@host of this process.")]


def approve(
    migration: MigrationName,
    *,
    plan: Plan = "",
    until: Until = None,
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Approve the plan of now.

    It is kept in the target, so that Dagster sees it. Nobody is authenticated: whoever may write
    to the target may approve.
    """
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    entry = running.approve(spec, by=who, fingerprint=plan, until=until)
    if as_json:
        document(entry.__dict__)
        return
    say(f"plan {entry.fingerprint} of {spec.name} is approved by {entry.who}")
    say(f"  until {entry.valid_until}, with the backup, rejects, rollback and proofs of now")
