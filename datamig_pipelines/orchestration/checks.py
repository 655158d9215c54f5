"""The user's Great Expectations suites as asset checks, one op each."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import dagster as dg

from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.names import segments
from datamig_pipelines.orchestration.results import key_of
from datamig_pipelines.running import fail_run
from datamig_pipelines.spec import Migration, Suite


def suite_checks(graph: Graph) -> list[dg.AssetChecksDefinition]:
    """Return one check per suite; a blocking one holds back the constraints of its table."""
    suites = graph.migration.validation.suites
    names = _names(suites)
    return [_check(graph, suite, name) for suite, name in zip(suites, names, strict=True)]


def _names(suites: Sequence[Suite]) -> list[str]:
    """Return ``orders`` for ``suites/orders.json``, numbered where a table has two of that name."""
    stems = [PurePosixPath(s.file).stem for s in suites]
    clean = segments(stems)
    names: list[str] = []
    for suite, stem in zip(suites, stems, strict=True):
        taken = sum(
            (suite.table, clean[stem]) == (s.table, n) for s, n in zip(suites, names, strict=False)
        )
        names.append(f"{clean[stem]}_{taken + 1}" if taken else clean[stem])
    return names


def _check(graph: Graph, suite: Suite, name: str) -> dg.AssetChecksDefinition:
    key = key_of(graph, suite.table) or graph.keys.rest

    @dg.asset_check(
        asset=key,
        name=f"suite_{name}",
        description=f"Great Expectations suite {suite.file}.",
        blocking=suite.blocking,
    )
    def check() -> dg.AssetCheckResult:
        return _judged(graph.migration, suite)

    return check


def _judged(migration: Migration, suite: Suite) -> dg.AssetCheckResult:
    from datamig_pipelines.expectations import check_suite

    with explained():
        result = check_suite(migration, suite)
    severe = result.severity == "error"
    if severe and suite.blocking and not result.passed:
        fail_run(migration, result.message)
    return dg.AssetCheckResult(
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        description=result.message,
        metadata={
            "suite": suite.file,
            "evaluated": result.evaluated,
            "failed": dg.MetadataValue.json(list(result.failed)),
        },
    )
