"""Rehearses a migration from Dagster's UI, as a run of its own; the target is only read."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import dagster as dg

from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.running import Rehearsed, SuiteJudged, rehearse
from datamig_pipelines.transfer import Event, Progress

_TEXT = "Goes forward, back and forward again on a scratch copy of the target; touches no target."


class Part(dg.Config):
    """How much is rehearsed, and what stays of a rehearsal that failed."""

    sample: str = ""
    keep: bool = False


def rehearsal_job(graph: Graph) -> dg.JobDefinition:
    """Return ``<name>_rehearse``; fails if the way back does not lead to the original state."""
    name = graph.migration.name

    @dg.op(name=f"{name}__rehearse", out=dg.Out(dg.Nothing))
    def rehearsal(context: dg.OpExecutionContext, config: Part) -> None:
        with explained():
            events = rehearse(graph.migration, config.sample, keep=config.keep)
            for event in heard(context, graph, _without_progress(events)):
                if isinstance(event, Rehearsed):
                    context.log.info("the way back is %s", event.found["class"])
                    context.add_output_metadata(_facts(event))

    def choose(val: Part) -> dg.RunConfig:
        return dg.RunConfig(ops={f"{name}__rehearse": val})

    @dg.job(
        name=f"{name}_rehearse",
        description=_TEXT,
        config=dg.config_mapping(choose),
        tags={"datamig/migration": name},
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        rehearsal()

    return job


def _without_progress(events: Iterator[Event]) -> Iterator[Event]:
    """Pass on what is of no asset: these are of the target, where nothing happens."""
    with closing(cast("Any", events)):
        for event in events:
            if not isinstance(event, Progress | SuiteJudged):
                yield event


def _facts(event: Rehearsed) -> dict[str, Any]:
    found = event.found
    head = "| step | class | seconds | seconds back |\n|---|---|--:|--:|\n"
    rows = (
        f"| {s['step']} | {s['class']} | {s['seconds']} | {s['undo seconds']} |"
        for s in found["steps"]
    )
    return {
        "class": found["class"],
        "passed": found["passed"],
        "seconds": found["seconds"],
        "sample": found["sample"] or "all rows",
        "steps": dg.MetadataValue.md(head + "\n".join(rows)),
        "file": dg.MetadataValue.path(str(event.path)),
        "evidence": dg.MetadataValue.json(found),
    }
