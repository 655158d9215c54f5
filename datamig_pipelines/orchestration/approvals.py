"""Approvals in Dagster: the check that holds a job, the job that approves, the sensor."""

from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import Field

from datamig_pipelines.errors import DatamigError
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.results import evaluation, is_selected
from datamig_pipelines.running import Outlook, approve, outlook
from datamig_pipelines.spec import Migration

_CHECK = "approved"
_INTERVAL_S = 60
_TAGS = ("user", "dagster/user")
"""Tags of a run that may say who launched it; Dagster itself knows nobody."""


def approval_checks(graph: Graph) -> list[dg.AssetCheckSpec]:
    """Return the check of the plan that holds every step behind it; none if nothing is asked."""
    text = "Somebody who may do so approved this very plan, and the approval has not run out."
    return holding(graph, _CHECK, text) if graph.migration.approval.required else []


def holding(graph: Graph, check: str, text: str) -> list[dg.AssetCheckSpec]:
    """Return a check of the plan that holds every step behind it."""
    return [
        dg.AssetCheckSpec(check, asset=graph.keys.step("plan"), description=text, blocking=True)
    ]


def approval_results(
    context: Any, graph: Graph, found: Outlook, *, dry_run: bool
) -> list[dg.AssetCheckResult]:
    """Return the verdict of that check; a dry run is only warned."""
    key = graph.keys.step("plan")
    if not graph.migration.approval.required or not is_selected(context, key, _CHECK):
        return []
    return [_verdict(graph, found, dry_run=dry_run)]


def _verdict(graph: Graph, found: Outlook, *, dry_run: bool = False) -> dg.AssetCheckResult:
    entry, refusal = found.approval.entry, found.unapproved
    said = f"approved by {entry.who} until {entry.valid_until}" if entry else "needs no approval"
    facts = {
        "plan": found.plan.fingerprint,
        "reasons": dg.MetadataValue.json(list(found.approval.reasons)),
    }
    check = (graph.keys.step("plan"), _CHECK)
    return verdict(check, refusal, said, facts, dry_run=dry_run)


def show_verdict(context: Any, of: Callable[[Outlook], dg.AssetCheckResult], graph: Graph) -> None:
    """Let the plan's check say at once what the job has changed, not only the next run."""
    try:
        context.log_event(evaluation(of(outlook(graph.migration))))
    except DatamigError as error:  # what the job did stands; why no plan can be made is told
        context.log.warning("%s", error)


def verdict(
    check: tuple[dg.AssetKey, str],
    refusal: DatamigError | None,
    said: str,
    facts: dict[str, Any],
    *,
    dry_run: bool,
) -> dg.AssetCheckResult:
    """Return the verdict of a check that holds the plan; ``said`` is for a plan that may run."""
    more = {"code": refusal.code, "hint": refusal.hint} if refusal else {}
    return dg.AssetCheckResult(
        asset_key=check[0],
        check_name=check[1],
        passed=refusal is None,
        severity=dg.AssetCheckSeverity.WARN if dry_run else dg.AssetCheckSeverity.ERROR,
        description=str(refusal) if refusal else said,
        metadata={**facts, **more},
    )


def is_plan_job(context: Any, graph: Graph) -> bool:
    """Say whether only the plan is to be shown."""
    return bool(context.run.job_name == f"{graph.migration.name}_plan")


def may_go_on(context: Any, found: Outlook, *, shown_only: bool) -> bool:
    """Say whether there is anything to run; raise why a run would be refused.

    A plan that is only shown is shown with its refusal.
    """
    for difference in found.drift:
        context.log.warning("drift: %s", difference)
    if found.refusal is not None:
        if not shown_only:
            raise found.refusal
        context.log.warning("a run would be refused: %s", found.refusal)
    if found.settled and not shown_only:
        context.log.info("it counts as applied as it is (baseline or acknowledged): nothing runs")
        return False
    return True


def outlook_facts(found: Outlook) -> dict[str, Any]:
    """Return what the plan's asset shows besides the plan."""
    facts: dict[str, Any] = {}
    if found.drift:
        facts["drift"] = dg.MetadataValue.md("\n".join(f"- {d}" for d in found.drift))
    if found.changed:
        facts["changed"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in found.changed))
    if found.refusal:
        facts["refused"] = str(found.refusal)
    if found.proven.entry or found.proven.reasons:
        facts["rehearsal"] = str(found.proven)
    if found.approval.reasons:
        facts["approval"] = _approval_said(found)
    return facts


def _approval_said(found: Outlook) -> str:
    state, by = found.approval, found.plan.context.migration.approval.by
    if state.entry:
        return f"approved by {state.entry.who} until {state.entry.valid_until}"
    may = ", ".join(by) or "anybody with access to the target"
    return f"needed, {'; '.join(state.reasons)}: {state.missing}; {may} may approve"


class Approving(dg.Config):
    """Who approves, and which plan; empty: the user of the run, the plan of now."""

    who: str = Field("", description="Who approves; none: the run's tag `user`, or this process's.")
    plan: str = Field("", description="Fingerprint of the plan that is meant; none: that of now.")


def approval_jobs(graph: Graph) -> list[dg.JobDefinition]:
    """Return the job that approves the present plan, where the spec asks for approvals."""
    migration = graph.migration
    if not migration.approval.required:
        return []

    @dg.op(name=f"{migration.name}__approve", out=dg.Out(dg.Nothing))
    def approve_plan(context: dg.OpExecutionContext, config: Approving) -> None:
        tags = context.run.tags
        tagged = next((tags[name] for name in _TAGS if name in tags), "")
        with explained():
            entry = approve(migration, by=config.who or tagged, fingerprint=config.plan)
        said = (entry.who, entry.fingerprint, entry.valid_until)
        context.log.info("%s approved plan %s until %s", *said)
        show_verdict(context, lambda found: _verdict(graph, found), graph)
        context.add_output_metadata(
            {"plan": entry.fingerprint, "who": entry.who, "until": entry.valid_until}
        )

    @dg.job(
        name=f"{migration.name}_approve",
        description="Approves the plan of now: read it in the asset `plan` before.",
        config=dg.config_mapping(_approving(migration.name)),
        tags=graph.tags(),
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        approve_plan()

    return [job]


def _approving(name: str) -> Any:
    def choose(val: Approving) -> dg.RunConfig:
        return dg.RunConfig(ops={f"{name}__approve": Approving(who=val.who, plan=val.plan)})

    return choose


def approval_sensors(migration: Migration, job: Any) -> list[dg.SensorDefinition]:
    """Return the sensor that launches the migration once its plan is approved; stopped at first."""
    if not migration.approval.required:
        return []

    @dg.sensor(
        name=f"{migration.name}_approved",
        job=job,
        minimum_interval_seconds=_INTERVAL_S,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Launches {migration.name} once somebody has approved its plan.",
    )
    def approved(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:  # noqa: ARG001 (Dagster's signature)
        try:
            found = outlook(migration)
        except DatamigError as error:
            return dg.SkipReason(str(error))
        refusal = found.refusal or found.unproven or found.unapproved
        entry = found.approval.entry
        if refusal or entry is None:
            return dg.SkipReason(str(refusal) if refusal else "this plan needs no approval")
        if found.approval.used:
            text = "a run was begun since the approval was given; what follows is for people"
            return dg.SkipReason(text)
        config = {"plan": entry.fingerprint}
        return dg.RunRequest(
            run_key=f"{entry.fingerprint} {entry.approved_at}",
            run_config=config,
            tags={"datamig/approved_by": entry.who},
        )

    return [approved]
