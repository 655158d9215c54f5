"""A direction in Dagster: the other migrations of the line are moved by their own jobs."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from datamig_pipelines.errors import SpecError
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.settings import Settings
from datamig_pipelines.planning.artefact import remember_tables
from datamig_pipelines.running import Move, outlook, refuse_edited, way
from datamig_pipelines.spec import Migration

FindJob = Callable[[Migration, str], dg.JobDefinition]
"""Gives a job of a migration by its name."""

_REPOSITORY = ".dagster/repository"
_KEPT = ("user", "dagster/user", _REPOSITORY)


def go(
    context: Any, graph: Graph, settings: Settings, find_job: FindJob, *, shown_only: bool
) -> Move | None:
    """Make every move but the last; return it if it is this migration's own, else make it as well.

    Each is a run of Dagster of its own, one after the other, in this process. The walk stops at the
    first that does not end well, and the same launch goes on from there. Nothing is done if it is
    only to be shown.

    Raises:
        SpecError: The line is broken, or an option means a single migration.
        UnknownVersionError: The line has no such version.
        PlanChangedError: A migration of the line was edited after it was applied.
        dagster.Failure: A move failed.
    """
    migration, direction = graph.migration, settings.launch().direction
    todo = way(migration, direction)
    own = todo[-1] if todo and todo[-1].migration.name == migration.name else None
    if direction and not shown_only:
        for remark in refuse_edited(migration, todo):
            context.log.warning("%s", remark)
    if own is not None and len(todo) == 1:
        return own
    _refuse_options(settings, direction)
    names = [f"{'run' if m.forward else 'take back'} {m.migration.name}" for m in todo]
    context.log.info("direction %s: %s", direction, ", ".join(names) or "nothing to do")
    if shown_only:
        return None
    for number, move in enumerate(todo):
        if move is own:
            return own
        chosen = {"dry_run": False} if move.forward else settings.retreat().model_dump()
        _make(context, move, find_job, chosen, left=names[number + 1 :])
    return None


def _refuse_options(settings: Settings, direction: str) -> None:
    for option in ("tables", "plan"):
        if getattr(settings, option):
            msg = f"{option} is for one migration, direction {direction} for a line"
            raise SpecError(msg, hint="Leave one of both out.", where="launch")


def _make(
    context: Any, move: Move, find_job: FindJob, chosen: dict[str, Any], left: list[str]
) -> None:
    name = move.migration.name
    job = name if move.forward else f"{name}_rollback"
    if move.forward:
        remember_tables(outlook(move.migration).plan)  # so that its tables are assets of the run
    done = find_job(move.migration, job).execute_in_process(
        run_config=chosen,
        instance=context.instance,
        raise_on_error=False,
        tags={
            "datamig/walk": context.run.run_id,
            **_tags(context.run),
        },
    )
    if done.success:
        context.log.info("%s is done, run %s", job, done.run_id)
        return
    facts = {"run": dg.MetadataValue.dagster_run(done.run_id), **_why(done)}
    rest = f"; not reached: {', '.join(left)}" if left else ""
    msg = f"the walk stopped at job {job}{rest}\n  {facts.get('why', '')}"
    raise dg.Failure(msg, metadata=facts, allow_retries=False)


def _tags(run: dg.DagsterRun) -> dict[str, str]:
    """Return who launched the walk, and the tag by which the UI finds the jobs of its moves."""
    origin = run.remote_job_origin
    place = {_REPOSITORY: origin.repository_origin.get_label()} if origin else {}
    return place | {tag: value for tag, value in run.tags.items() if tag in _KEPT}


def _why(done: Any) -> dict[str, Any]:
    """Return what the first step that failed said of itself, with its code and its hint."""
    for event in done.all_events:
        data = event.event_specific_data if event.is_step_failure else None
        failure = getattr(data, "user_failure_data", None)
        if failure is not None:
            return {**failure.metadata, "why": failure.description or ""}
    checks = [c for c in done.get_asset_check_evaluations() if not c.passed]
    return {"why": checks[0].description or checks[0].check_name} if checks else {}
