"""The component behind ``type: datamig_pipelines.Migration``: one YAML file, one migration."""

from typing import Self

import dagster as dg
from pydantic import BaseModel

from datamig_pipelines import spec
from datamig_pipelines.orchestration.approvals import approval_sensors
from datamig_pipelines.orchestration.assets import step_assets
from datamig_pipelines.orchestration.checks import suite_checks
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.jobs import jobs
from datamig_pipelines.orchestration.rollback import take_back_if_asked
from datamig_pipelines.orchestration.schedules import schedules
from datamig_pipelines.orchestration.sensors import sensors
from datamig_pipelines.orchestration.settings import Settings, settings_key


def _find_job(migration: spec.Migration, name: str) -> dg.JobDefinition:
    context = dg.ComponentTree.for_test().load_context  # `build_defs` asks it for nothing
    return Migration(migration).build_defs(context).resolve_job_def(name)


class Migration(dg.Component):
    """A database migration: its assets, checks, jobs, schedule and sensors."""

    def __init__(self, migration: spec.Migration) -> None:
        """Keep what the file says."""
        self.migration = migration

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """Return what `dg list components` shows."""
        return dg.ComponentTypeSpec(
            description="A database migration from one YAML file.", tags=["migration"]
        )

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return the spec itself: the YAML is checked by it, with the line of every mistake."""
        return spec.Migration

    @classmethod
    def load(cls, attributes: BaseModel | None, context: dg.ComponentLoadContext) -> Self:
        """Return the component, with paths relative to the folder of its file."""
        if not isinstance(attributes, spec.Migration):
            msg = "a migration needs attributes"
            raise TypeError(msg)
        return cls(attributes.based(context.path))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002 (Dagster's signature)
        """Return assets, checks, jobs, schedule and sensors.

        No database is asked and no environment variable is read: the tables are those of the last
        plan (see `Graph`).
        """
        graph = Graph.of(self.migration)
        made = jobs(graph)
        return dg.Definitions(
            assets=[*graph.source_specs(), *step_assets(graph, _find_job)],
            asset_checks=suite_checks(graph, take_back_if_asked),
            jobs=made,
            schedules=schedules(self.migration, made[0]),
            sensors=[*sensors(self.migration), *approval_sensors(self.migration, made[0])],
            resources={settings_key(self.migration.name): Settings()},
        )
