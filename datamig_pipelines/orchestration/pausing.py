"""Pauses and resumes a running load from Dagster's UI, as runs of their own.

They do not carry the tag of the target: where runs of one target wait for each other, these two
must get past the one that they speak to.
"""

from typing import Any

import dagster as dg

from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.running import pause, resume
from datamig_pipelines.spec import Migration


def pause_jobs(graph: Graph) -> list[dg.JobDefinition]:
    """Return ``<name>_pause`` and ``<name>_resume``."""
    return [
        _job(graph.migration, "pause", _pause, "Has the running load wait before its next batch."),
        _job(graph.migration, "resume", _resume, "Lets a paused load go on."),
    ]


def _pause(context: Any, migration: Migration) -> None:
    word = pause(migration)
    context.log.info("%s is paused by %s at %s", migration.name, word.who, word.at)


def _resume(context: Any, migration: Migration) -> None:
    ended = resume(migration)
    said = f"it was paused by {ended.who} at {ended.at}" if ended else "it was not paused"
    context.log.info("%s goes on: %s", migration.name, said)


def _job(migration: Migration, verb: str, do: Any, text: str) -> dg.JobDefinition:
    @dg.op(name=f"{migration.name}__{verb}", out=dg.Out(dg.Nothing))
    def op(context: dg.OpExecutionContext) -> None:
        with explained():
            do(context, migration)

    @dg.job(
        name=f"{migration.name}_{verb}",
        description=text,
        tags={"datamig/migration": migration.name},
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        op()

    return job
