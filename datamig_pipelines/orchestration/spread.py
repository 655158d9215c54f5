"""The load on several machines, as coarse dynamic steps of Dagster's own executors.

The steps are workers, not shards: each takes shards from the ledger until none is free. So a step
that Dagster drops (a run that was interrupted amid the fan-out and is executed again from failure
does that in silence), or a worker that dies, costs time and no shard: ``finish`` compares the
ledger with its manifest, loads what is missing, and proves everything against one snapshot.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import DriverMissingError
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.loading import stands_still
from datamig_pipelines.orchestration.metadata import loaded_facts, step_facts
from datamig_pipelines.orchestration.results import key_of
from datamig_pipelines.orchestration.settings import Settings, mapping, settings_key, settings_of
from datamig_pipelines.planning.artefact import known_table
from datamig_pipelines.running import begin_spread, end_spread, refuse_elsewhere, take_share
from datamig_pipelines.spec import Spread
from datamig_pipelines.steps import StepDone, TableLoaded

_TEXT = "The whole way, the load shared by steps on several machines; goes on where a run stopped."
_EXECUTORS = {
    "celery": ("dagster_celery", "celery_executor"),
    "k8s": ("dagster_k8s", "k8s_job_executor"),
    "processes": ("dagster", "multiprocess_executor"),
}
_ALWAYS: dict[str, dict[str, Any]] = {
    # A task is done when it is done: that of a killed worker goes to another one.
    "celery": {"config_source": {"task_acks_late": True, "task_reject_on_worker_lost": True}},
    "k8s": {},
    "processes": {},
}


class _Nothing(dg.IOManager):
    """Hands nothing from step to step: what they know, they know from the ledger."""

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keep nothing."""

    def load_input(self, context: dg.InputContext) -> None:
        """Return nothing."""


@dg.io_manager
def _nothing() -> _Nothing:
    return _Nothing()


def executor_of(spread: Spread) -> dg.ExecutorDefinition:
    """Return Dagster's executor with the spec's configuration.

    Raises:
        DriverMissingError: Its package is not installed.
    """
    module, name = _EXECUTORS[spread.executor]
    try:
        found = getattr(__import__(module), name)
    except ImportError as error:
        msg = f"spread: executor: {spread.executor} needs {module.replace('_', '-')}"
        hint = (
            f"pip install 'datamig_pipelines[{spread.executor}]' where runs are launched and done."
        )
        raise DriverMissingError(msg, hint=hint) from error
    config: dict[str, Any] = (
        {"max_concurrent": spread.steps} if spread.executor == "processes" else {}
    )
    for key, value in _ALWAYS[spread.executor].items():
        config[key] = {**value, **spread.config.get(key, {})}
    made: dg.ExecutorDefinition = found.configured(
        {**spread.config, **config}, name=f"{spread.executor}_spread"
    )
    return made


def spread_job(graph: Graph, spread: Spread) -> dg.JobDefinition:
    """Return the job ``<name>_spread``."""
    name = graph.migration.name
    begin, share, finish = _begin(graph, spread), _share(graph), _finish(graph)

    @dg.job(
        name=f"{name}_spread",
        description=_TEXT,
        config=mapping(name),
        tags=graph.tags(),
        executor_def=executor_of(spread),
        resource_defs={"io_manager": _nothing, settings_key(name): Settings()},
    )
    def job() -> None:
        finish(begin().map(share).collect())

    return job


def _begin(graph: Graph, spread: Spread) -> dg.OpDefinition:
    name = graph.migration.name

    @dg.op(
        name=f"{name}__begin",
        out=dg.DynamicOut(io_manager_key="io_manager"),
        required_resource_keys={settings_key(name)},
    )
    def begin(context: dg.OpExecutionContext) -> Iterator[dg.DynamicOutput[Any]]:
        settings = settings_of(context, name)
        if stands_still(context, settings):
            return
        count = 0
        with explained():
            refuse_elsewhere(graph.migration, settings.launch().direction)
            for event in heard(context, graph, begin_spread(graph.migration, settings.launch())):
                if isinstance(event, StepDone):
                    context.log.info("%s is done: %s", event.step, event.detail)
                    count = int(event.detail.get("open", 0))
        for number in range(1, min(count, spread.steps) + 1):
            yield dg.DynamicOutput(None, mapping_key=f"worker_{number}")

    return begin


def _share(graph: Graph) -> dg.OpDefinition:
    name = graph.migration.name

    @dg.op(name=f"{name}__share", required_resource_keys={settings_key(name)})
    def share(context: dg.OpExecutionContext, worker: Any) -> None:  # noqa: ARG001 (the arrow of the graph)
        settings = settings_of(context, name)
        with explained():
            for event in heard(context, graph, take_share(graph.migration, settings.launch())):
                context.log.info("%s", event)

    return share


def _finish(graph: Graph) -> dg.OpDefinition:
    name = graph.migration.name

    @dg.op(name=f"{name}__finish", required_resource_keys={settings_key(name)})
    def finish(context: dg.OpExecutionContext, workers: list[Any]) -> None:  # noqa: ARG001 (the arrow of the graph)
        settings = settings_of(context, name)
        if stands_still(context, settings):
            return
        source = get_dialect(graph.migration.source_url())
        with explained():
            for event in heard(context, graph, end_spread(graph.migration, settings.launch())):
                if isinstance(event, TableLoaded):
                    known = known_table(event.route, source)
                    key = key_of(graph, event.route.name) or graph.keys.new_table(known.short)
                    facts = loaded_facts(event, known, graph.keys)
                    context.log_event(dg.AssetMaterialization(key, metadata=facts))
                elif isinstance(event, StepDone) and event.step != "load":
                    facts = step_facts(event.detail)
                    key = graph.keys.step(event.step)
                    context.log_event(dg.AssetMaterialization(key, metadata=facts))

    return finish
