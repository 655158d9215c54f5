"""The user's Great Expectations suites as asset checks.

Those of the source are checks of the plan, so that a decisive one holds back every step; those of
the target are checks of their tables, one op each, and hold back the constraints.
"""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

import dagster as dg

from datamig_pipelines.errors import SuiteFailedError
from datamig_pipelines.expectations import SuiteResult
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.names import segments
from datamig_pipelines.planning import Plan
from datamig_pipelines.running import (
    forget_source,
    has_begun,
    judge_alone,
    judge_source,
    refuse_failed,
)
from datamig_pipelines.spec import Migration, Suite

TakeBack = Callable[[dg.OpExecutionContext, Graph], None]


def suite_checks(graph: Graph, after: TakeBack) -> list[dg.AssetChecksDefinition]:
    """Return one check per suite; a blocking one holds back the constraints of its table.

    A decisive one in a run that loads is a failure of that run: ``after`` it the spec may ask for
    the way back.
    """
    suites = graph.migration.suites("after")
    named = zip(suites, _target_names(suites), strict=True)
    return [_check(graph, suite, name, after) for suite, name in named]


def source_specs(graph: Graph) -> list[dg.AssetCheckSpec]:
    """Return one check of the plan per suite of the source; the plan's op evaluates them."""
    suites = graph.migration.suites("before")
    return [
        dg.AssetCheckSpec(
            name,
            asset=graph.keys.step("plan"),
            description=f"Great Expectations suite {suite.file}, judged on {suite.table} of the "
            "source before anything is touched.",
            blocking=suite.blocking,
        )
        for suite, name in zip(suites, _source_names(suites), strict=True)
    ]


def source_results(
    context: Any, graph: Graph, plan: Plan
) -> tuple[list[dg.AssetCheckResult], SuiteFailedError | None]:
    """Judge the suites of the source, if their checks are selected.

    Returns the verdicts, and the error that holds the run if a decisive one is bad.
    """
    key = graph.keys.step("plan")
    selected = {k.name for k in context.selected_asset_check_keys if k.asset_key == key}
    if not selected & set(_source_names(graph.migration.suites("before"))):
        return [], None
    named = [(r, _name_of(graph, r)) for r in judge_source(plan)]
    shown = [(r, name) for r, name in named if name in selected]
    found = [
        dg.AssetCheckResult(asset_key=key, check_name=name, **_outcome(r)) for r, name in shown
    ]
    if not any(r.decisive for r, _ in named):
        return found, None
    forget_source(graph.migration)
    try:
        refuse_failed([r for r, _ in shown], begun=has_begun(graph.migration))
    except SuiteFailedError as error:
        return found, error
    return found, None


def evaluation_of(graph: Graph, result: SuiteResult) -> dg.AssetCheckEvaluation:
    """Return the event of a suite that was judged by a step which the check does not belong to."""
    return dg.AssetCheckEvaluation(
        asset_key=graph.keys.step("plan")
        if result.side == "before"
        else _key_of(graph, result.table),
        check_name=_name_of(graph, result),
        blocking=result.blocking,
        **_outcome(result),
    )


def _key_of(graph: Graph, table: str) -> dg.AssetKey:
    return graph.keys.table(table, table.rpartition(".")[2]) or graph.keys.rest


def _name_of(graph: Graph, result: SuiteResult) -> str:
    suites = graph.migration.suites(result.side)
    names = _source_names(suites) if result.side == "before" else _target_names(suites)
    called = (result.table, result.table.rpartition(".")[2])
    return next(
        name
        for suite, name in zip(suites, names, strict=True)
        if suite.file == result.file and suite.table in called
    )


def _source_names(suites: Sequence[Suite]) -> list[str]:
    """Return ``before_orders`` for ``suites/orders.json``: all are checks of one asset."""
    one_asset = [s.model_copy(update={"table": ""}) for s in suites]
    return [f"before_{name}" for name in _names(one_asset)]


def _target_names(suites: Sequence[Suite]) -> list[str]:
    return [f"suite_{name}" for name in _names(suites)]


def _names(suites: Sequence[Suite]) -> list[str]:
    """Return ``orders`` for ``suites/orders.json``, numbered where a table has two of that name."""
    stems = [PurePosixPath(s.file).stem for s in suites]
    clean = segments(stems)
    names: list[str] = []
    for suite, stem in zip(suites, stems, strict=True):
        taken = sum(
            (suite.table, stem) == (s.table, t)
            for s, t in zip(suites[: len(names)], stems, strict=False)
        )
        names.append(f"{clean[stem]}_{taken + 1}" if taken else clean[stem])
    return names


def _check(graph: Graph, suite: Suite, name: str, after: TakeBack) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=_key_of(graph, suite.table),
        name=name,
        description=f"Great Expectations suite {suite.file}, judged on the target.",
        blocking=suite.blocking,
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with explained():
            result = judge_alone(graph.migration, suite)
            if result.decisive and _loads(context, graph.migration):
                after(context.op_execution_context, graph)
        return dg.AssetCheckResult(**_outcome(result))

    return check


def _loads(context: dg.AssetCheckExecutionContext, migration: Migration) -> bool:
    """Say whether this run brings rows; else it only looks, and takes nothing back."""
    jobs = (migration.name, f"{migration.name}_spread")
    return context.run.job_name in jobs or bool(context.run.asset_selection)


def _outcome(result: SuiteResult) -> dict[str, Any]:
    severe = result.severity == "error"
    return {
        "passed": result.passed,
        "severity": dg.AssetCheckSeverity.ERROR if severe else dg.AssetCheckSeverity.WARN,
        "description": result.message,
        "metadata": {
            "suite": result.file,
            "table": result.table,
            "judged_on": "source" if result.side == "before" else "target",
            "evaluated": result.evaluated,
            "failed": dg.MetadataValue.json(list(result.failed)),
            **({"data_docs": dg.MetadataValue.path(result.page)} if result.page else {}),
        },
    }
