"""Takes a migration back: as a job of its own, as direction down, or after a failure."""

from typing import Any

import dagster as dg

from datamig_pipelines.errors import ProofFailedError
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.metadata import step_facts
from datamig_pipelines.orchestration.settings import mapping, settings_key, settings_of
from datamig_pipelines.running import losses, roll_back, undo_if_asked
from datamig_pipelines.steps import StepDone


def take_back(context: Any, graph: Graph, *, dry_run: bool) -> dict[str, Any]:
    """Roll the migration back and return the figures; a dry run only says what would be lost."""
    migration = graph.migration
    lost = losses(migration)
    table = "\n".join(f"| {x.table} | {x.rows:,} | {x.loaded:,} |" for x in lost)
    head = "| table | rows that go | of them loaded |\n|---|--:|--:|\n"
    facts: dict[str, Any] = {"losses": dg.MetadataValue.md(head + table), "dry_run": dry_run}
    if dry_run:
        context.log.info("dry run: %d tables would be removed, nothing was done", len(lost))
        return facts
    for event in heard(context, graph, roll_back(migration)):
        if isinstance(event, StepDone):
            facts |= {f"{event.step}: {n}": v for n, v in step_facts(event.detail).items()}
            context.log.info("%s is undone", event.step)
    return facts


def take_back_if_asked(context: Any, graph: Graph) -> None:
    """Roll back a load that a proof found different, where the spec asks for it on failure."""
    why = ProofFailedError("a proof of the load found a difference", hint="See the checks.")
    for event in heard(context, graph, undo_if_asked(graph.migration, why)):
        if isinstance(event, StepDone):
            context.log.info("%s is undone", event.step)
    for note in getattr(why, "__notes__", ()):
        context.log.error("%s", note)


def rollback_job(graph: Graph) -> dg.JobDefinition:
    """Return the job that takes the last run of a migration back."""
    name = graph.migration.name
    keys = {settings_key(name)}

    @dg.op(name=f"{name}__rollback", required_resource_keys=keys, out=dg.Out(dg.Nothing))
    def rollback(context: dg.OpExecutionContext) -> None:
        with explained():
            dry_run = settings_of(context, name).dry_run
            context.add_output_metadata(take_back(context, graph, dry_run=dry_run))

    @dg.job(
        name=f"{name}_rollback",
        description="Takes the last run back, newest step first, and proves the original state.",
        config=mapping(name),
        tags={"datamig/target": graph.target_tag()},
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        rollback()

    return job
