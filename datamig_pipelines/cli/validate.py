"""datamig validate: proves a loaded migration again, on the databases as they are now."""

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName
from datamig_pipelines.cli.exits import DIFFERENT
from datamig_pipelines.cli.following import drain
from datamig_pipelines.cli.output import remark
from datamig_pipelines.cli.verdict import SuiteVerdict, conclude
from datamig_pipelines.spec import Migration, find_migration, read_migration


def validate(migration: MigrationName, *, as_json: AsJson = False) -> None:
    """Prove again that source and target hold the same, and judge the suites. Without Dagster."""
    from datamig_pipelines import running

    spec = read_migration(find_migration(migration))
    error = drain(running.validate(spec))
    judged = [] if error and error.exit_code != DIFFERENT else _suites(spec)
    raise typer.Exit(conclude(spec, error, as_json=as_json, suites=judged))


def _suites(spec: Migration) -> list[SuiteVerdict]:
    from datamig_pipelines.expectations import check_suite

    verdicts = []
    for suite in spec.validation.suites:
        remark(f"suite {suite.file} on {suite.table}")
        result = check_suite(spec, suite)
        blocking = suite.blocking and result.severity == "error"
        verdicts.append(
            SuiteVerdict(suite.file, suite.table, result.passed, blocking, result.message)
        )
    return verdicts
