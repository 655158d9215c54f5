"""Takes a migration back: as a job of its own, as direction down, or after a failure."""

from typing import Any

import dagster as dg

from datamig_pipelines.errors import ProofFailedError
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.metadata import step_facts
from datamig_pipelines.orchestration.settings import mapping_back, settings_key, settings_of
from datamig_pipelines.running import Foreseen, Prospect, foresee, roll_back, undo_if_asked
from datamig_pipelines.spec import Retreat
from datamig_pipelines.steps import STEPS, StepDone


def take_back(context: Any, graph: Graph, retreat: Retreat) -> dict[str, Any]:
    """Roll the migration back and return the figures; a dry run only says what would happen.

    Raises LossesError where rows would go that the run did not bring and nobody said yes.
    """
    migration = graph.migration
    if retreat.dry_run or retreat.accept_losses:
        facts = _facts(context, foresee(migration, by_restore=retreat.restore))
    if retreat.dry_run:
        context.log.info("dry run: nothing was done")
        return {**facts, "dry_run": True}
    events = roll_back(
        migration,
        by_restore=retreat.restore,
        safety=retreat.safety,
        lossless=not retreat.accept_losses,
    )
    for event in heard(context, graph, events):
        if isinstance(event, Foreseen):
            facts = _facts(context, event.found)
        if isinstance(event, StepDone):
            facts |= {f"{event.step}: {n}": v for n, v in step_facts(event.detail).items()}
            _say_done(context, event)
    return {**facts, "dry_run": False}


def _say_done(context: Any, event: StepDone) -> None:
    if event.step in STEPS:
        context.log.info("%s is undone", event.step)
    else:  # the rollback itself comes last
        context.log.info("rolled back, and the original state is proven")


def _facts(context: Any, found: Prospect) -> dict[str, Any]:
    context.log.info("the way back is %s: %s", found.how, found.why)
    for one in found.taken:
        context.log.info("%s: %s", one.table, one.told)
    rows = "".join(f"\n| {x.table} | {x.rows:,} | {x.told} |" for x in found.taken)
    table = dg.MetadataValue.md("| table | rows that go | |\n|---|--:|---|" + rows)
    return {"how": found.how, "why": found.why, "losses": table}


def take_back_if_asked(context: Any, graph: Graph) -> None:
    """Roll back a load that a proof or a suite found wrong, where the spec asks for it."""
    why = ProofFailedError("a proof or a suite found a difference", hint="See the checks.")
    for event in heard(context, graph, undo_if_asked(graph.migration, why)):
        if isinstance(event, StepDone):
            _say_done(context, event)
    for note in getattr(why, "__notes__", ()):
        context.log.error("%s", note)


def rollback_job(graph: Graph) -> dg.JobDefinition:
    """Return the job that takes the last run of a migration back."""
    name = graph.migration.name
    keys = {settings_key(name)}

    @dg.op(name=f"{name}__rollback", required_resource_keys=keys, out=dg.Out(dg.Nothing))
    def rollback(context: dg.OpExecutionContext) -> None:
        with explained():
            retreat = settings_of(context, name).retreat()
            context.add_output_metadata(take_back(context, graph, retreat))

    @dg.job(
        name=f"{name}_rollback",
        description="Takes the last run back, by undo or restore, and proves the original state.",
        config=mapping_back(name),
        tags=graph.tags(),
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        rollback()

    return job
