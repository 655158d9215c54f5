"""The steps of a migration as assets; the load is in `loading`."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from datamig_pipelines.errors import DatamigError, ProofFailedError
from datamig_pipelines.orchestration.approvals import (
    approval_checks,
    approval_results,
    is_plan_job,
    may_go_on,
    outlook_facts,
)
from datamig_pipelines.orchestration.checks import source_results, source_specs
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import as_failure, explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.loading import load_asset, stands_still
from datamig_pipelines.orchestration.metadata import plan_facts, step_facts
from datamig_pipelines.orchestration.rehearsal import rehearsal_checks, rehearsal_results
from datamig_pipelines.orchestration.restored import NAME as RESTORED
from datamig_pipelines.orchestration.restored import restored_result, restored_spec
from datamig_pipelines.orchestration.results import check_specs, is_selected, together
from datamig_pipelines.orchestration.rollback import take_back
from datamig_pipelines.orchestration.settings import settings_key, settings_of
from datamig_pipelines.orchestration.walking import FindJob, go
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.artefact import remember_tables
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running import Outlook, outlook, run_step
from datamig_pipelines.steps import STEPS, StepDone

_CHECKED = ("backup", "validate")
Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


def step_assets(graph: Graph, find_job: FindJob) -> list[dg.AssetsDefinition]:
    """Return plan, the steps and, in place of `load`, the tables; each after the one before."""
    before = [graph.keys.step("plan")]
    assets = [_plan_asset(graph, find_job)]
    for step in STEPS:
        if step == "load":
            assets.append(load_asset(graph))
            before = graph.loaded
        else:
            assets.append(_step_asset(graph, step, before))
            before = [graph.keys.step(step)]
    return assets


def _plan_asset(graph: Graph, find_job: FindJob) -> dg.AssetsDefinition:
    name = graph.migration.name
    text = "Everything a run will do. With a direction the line is walked from here."
    spec = graph.spec(
        graph.keys.step("plan"), deps=graph.before(), description=text, kinds={"plan"}
    )

    @dg.multi_asset(
        name=f"{name}__plan",
        specs=[spec],
        check_specs=[
            *rehearsal_checks(graph),
            *approval_checks(graph),
            *source_specs(graph),
        ],
        can_subset=True,  # the plan can be shown without the check that holds a run
        required_resource_keys={settings_key(name)},
    )
    def plan(context: dg.AssetExecutionContext) -> Results:
        settings = settings_of(context, name)
        with explained():
            shown_only = is_plan_job(context, graph)
            still = shown_only or settings.dry_run
            move = go(context, graph, settings, find_job, shown_only=still)
            if move is None:
                return
            if not move.forward:
                retreat = settings.retreat().model_copy(update={"dry_run": still})
                facts = take_back(context, graph, retreat)
                context.log_event(dg.AssetObservation(spec.key, "taken back", metadata=facts))
                return
            found = outlook(graph.migration, settings.launch())
            _remember(context, graph, found.plan)
            if not may_go_on(context, found, shown_only=shown_only):
                return
            checked, held = _held(context, graph, found, dry_run=settings.dry_run)
        facts = {**plan_facts(found.plan), **outlook_facts(found)}
        if spec.key in context.selected_asset_keys:
            yield dg.MaterializeResult(asset_key=spec.key, metadata=facts, check_results=checked)
        else:
            yield from checked
        if held:  # Dagster itself would name the checks only
            raise as_failure(*held)

    return plan


def _held(
    context: Any, graph: Graph, found: Outlook, *, dry_run: bool
) -> tuple[list[dg.AssetCheckResult], list[DatamigError]]:
    """Return the verdicts of the selected checks of the plan, and why they hold the run."""
    rehearsed = rehearsal_results(context, graph, found, dry_run=dry_run)
    approved = approval_results(context, graph, found, dry_run=dry_run)
    judged: list[dg.AssetCheckResult] = []
    failed: DatamigError | None = None
    if not dry_run and found.unproven is None and found.unapproved is None:
        judged, failed = source_results(context, graph, found.plan)
    why = (found.unproven if rehearsed else None, found.unapproved if approved else None, failed)
    held = [] if dry_run else [error for error in why if error is not None]
    return [*rehearsed, *approved, *judged], held


def _remember(context: Any, graph: Graph, planned: Plan) -> None:
    try:
        remember_tables(planned)
    except DatamigError as error:
        context.log.warning(str(error))
    names = {n for r in planned.context.routes for n in (r.name, r.source.name.name)}
    gone = [t.name for t in graph.tables if t.name not in names]
    if gone:
        msg = f"{', '.join(gone)} of the asset graph is not in the plan any more"
        hint = {"hint": "Reload the definitions and run again."}
        raise dg.Failure(msg, metadata=hint, allow_retries=False)
    new = [
        r.name for r in planned.context.routes if not graph.keys.table(r.name, r.source.name.name)
    ]
    if new:
        context.log.info("reload the definitions to see the assets of %s", ", ".join(new))


def _step_asset(graph: Graph, step: str, before: list[dg.AssetKey]) -> dg.AssetsDefinition:
    name = graph.migration.name
    does = STEPS[step].does
    key = graph.keys.step(step)
    kinds = graph.step_kinds() if step in ("schema", "constraints") else {step}
    spec = graph.spec(key, deps=before, description=f"{does[0].upper()}{does[1:]}.", kinds=kinds)

    @dg.multi_asset(
        name=f"{name}__{step}",
        specs=[spec],
        check_specs=_checks(graph, step, key),
        can_subset=step in _CHECKED,
        required_resource_keys={settings_key(name)},
    )
    def run(context: dg.AssetExecutionContext) -> Results:
        settings = settings_of(context, name)
        if stands_still(context, settings):
            return
        with explained():
            events = run_step(graph.migration, settings.launch(), step)
            yield from _results(context, key, heard(context, graph, events))

    return run


def _checks(graph: Graph, step: str, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    if step == "backup":
        return [restored_spec(key)]
    return check_specs(graph, [key], after_load=False) if step == "validate" else []


def _results(context: Any, key: dg.AssetKey, events: Iterator[Any]) -> Results:
    proofs: list[ProofResult] = []
    try:
        for event in events:
            if isinstance(event, ProofResult):
                proofs.append(event)
            elif isinstance(event, StepDone) and key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata=_facts(event))
            if isinstance(event, StepDone) and is_selected(context, key, RESTORED):
                yield restored_result(key, event.detail)
    except ProofFailedError:
        yield from _shown(context, key, proofs)
        raise
    yield from _shown(context, key, proofs)


def _shown(
    context: Any, key: dg.AssetKey, proofs: list[ProofResult]
) -> Iterator[dg.AssetCheckResult]:
    yield from together(key, [p for p in proofs if is_selected(context, key, p.proof)])


def _facts(event: StepDone) -> dict[str, Any]:
    facts = step_facts(event.detail)
    path = event.detail.get("markdown")
    if path:
        facts["markdown"] = dg.MetadataValue.path(path)
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 (a path in a step's detail)
            facts["report"] = dg.MetadataValue.md(file.read())
    return facts
