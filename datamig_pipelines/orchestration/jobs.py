"""The jobs of one migration: the whole way, the plan alone, the proofs alone, and the way back."""

from typing import Any

import dagster as dg

from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.rollback import rollback_job
from datamig_pipelines.orchestration.settings import mapping
from datamig_pipelines.proofs import PROOFS
from datamig_pipelines.steps import STEPS

Job = Any  # Dagster's two kinds of job share no public name


def jobs(graph: Graph) -> list[Job]:
    """Return ``<name>``, ``<name>_plan``, ``<name>_validate`` and ``<name>_rollback``."""
    steps = [graph.keys.step(s) for s in ("plan", *STEPS) if s != "load"]
    whole = dg.AssetSelection.assets(*steps, *graph.loaded)
    plan = dg.AssetSelection.assets(graph.keys.step("plan"))
    proven = any(PROOFS[n].after_load for n in graph.migration.validation.proofs)
    # The load's checks run all proofs; the step's own checks stand in where there are none.
    checked = graph.loaded if proven else [*graph.loaded, graph.keys.step("validate")]
    checks = dg.AssetSelection.checks_for_assets(*checked)
    return [
        _job(
            graph,
            "",
            whole,
            "Plans, backs up, loads, proves and reports; goes on where a run stopped.",
        ),
        _job(graph, "_plan", plan, "Shows everything that a run would do; nothing is written."),
        _job(
            graph,
            "_validate",
            checks,
            "Proves a loaded migration again; fails if anything differs.",
        ),
        rollback_job(graph),
    ]


def _job(graph: Graph, suffix: str, selection: dg.AssetSelection, text: str) -> Job:
    name = graph.migration.name
    return dg.define_asset_job(
        f"{name}{suffix}",
        selection,
        config=mapping(name),
        description=text,
        tags={"datamig/target": graph.target_tag(), "datamig/migration": name},
        executor_def=dg.in_process_executor,
    )
