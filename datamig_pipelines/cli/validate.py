"""datamig validate: proves a loaded migration again, on the databases as they are now."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.following import drain
from datamig_pipelines.cli.verdict import SuiteVerdict, conclude
from datamig_pipelines.spec import find_migration, read_migration
from datamig_pipelines.transfer import Event

if TYPE_CHECKING:
    from datamig_pipelines.expectations import SuiteResult


def validate(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Prove again that source and target hold the same, and judge the suites. Without Dagster."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    suites: list[SuiteVerdict] = []

    def heard(events: Iterator[Event]) -> Iterator[Event]:
        for event in events:
            if isinstance(event, running.SuiteJudged):
                suites.append(_verdict(event.result))
            yield event

    error = drain(heard(running.validate(spec)))
    raise typer.Exit(conclude(spec, error, as_json=as_json, suites=suites))


def _verdict(result: "SuiteResult") -> SuiteVerdict:
    blocking = result.blocking and result.severity == "error"
    side = "source" if result.side == "before" else "target"
    message = result.message
    return SuiteVerdict(
        result.file, result.table, result.passed, blocking, message, side, result.page
    )
