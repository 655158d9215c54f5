"""The jobs of one migration: the whole way, the plan alone, the proofs alone, and the way back."""

from typing import Any

import dagster as dg

from datamig_pipelines.orchestration.approvals import approval_jobs
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.pausing import pause_jobs
from datamig_pipelines.orchestration.rehearsal import rehearsal_job
from datamig_pipelines.orchestration.rollback import rollback_job
from datamig_pipelines.orchestration.settings import mapping
from datamig_pipelines.orchestration.spread import spread_job
from datamig_pipelines.proofs import PROOFS
from datamig_pipelines.steps import STEPS

Job = Any  # Dagster's two kinds of job share no public name


_WHOLE = "Plans, backs up, loads, proves and reports; goes on where a run stopped."
_PLAN = "Shows everything that a run would do; nothing is written."
_VALIDATE = "Proves a loaded migration again; fails if anything differs."


def jobs(graph: Graph) -> list[Job]:
    """Return ``<name>``, ``_plan``, ``_validate``, ``_rollback``, ``_rehearse``, and two to pause.

    Where the spec has ``spread``, ``<name>_spread`` as well.

    Where plans need an approval there is ``<name>_approve`` as well. A spec without any proof or
    suite has no ``<name>_validate``: it could only be green.
    """
    steps = [graph.keys.step(s) for s in ("plan", *STEPS) if s != "load"]
    whole = dg.AssetSelection.assets(*steps, *graph.loaded)
    plan = dg.AssetSelection.assets(graph.keys.step("plan")).without_checks()
    found = [_job(graph, "", whole, _WHOLE), _job(graph, "_plan", plan, _PLAN)]
    said = graph.migration.validation
    if said.proofs or graph.migration.suites("after"):
        # The load's checks run all proofs; the step's own checks stand in where it has none.
        of_load = any(PROOFS[n].after_load for n in said.proofs)
        checked = graph.loaded if of_load else [*graph.loaded, graph.keys.step("validate")]
        checks = dg.AssetSelection.checks_for_assets(*checked)
        found.append(_job(graph, "_validate", checks, _VALIDATE))
    if graph.migration.spread:
        found.append(spread_job(graph, graph.migration.spread))
    return [
        *found,
        rollback_job(graph),
        rehearsal_job(graph),
        *pause_jobs(graph),
        *approval_jobs(graph),
    ]


def _job(graph: Graph, suffix: str, selection: dg.AssetSelection, text: str) -> Job:
    name = graph.migration.name
    return dg.define_asset_job(
        f"{name}{suffix}",
        selection,
        config=mapping(name),
        description=text,
        tags=graph.tags(),
        executor_def=dg.in_process_executor,
    )
