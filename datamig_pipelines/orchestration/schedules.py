"""Runs a migration by the clock."""

import dagster as dg

from datamig_pipelines.orchestration.jobs import Job
from datamig_pipelines.spec import Migration


def schedules(migration: Migration, job: Job) -> list[dg.ScheduleDefinition]:
    """Return the spec's schedule; it begins to tick when somebody switches it on in the UI."""
    if migration.schedule is None:
        return []
    return [
        dg.ScheduleDefinition(
            name=f"{migration.name}_schedule",
            job=job,
            cron_schedule=migration.schedule.cron,
            execution_timezone=migration.schedule.timezone,
            description=f"Runs {migration.name} by itself.",
        )
    ]
