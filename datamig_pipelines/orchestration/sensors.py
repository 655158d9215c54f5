"""Tell people how a run of a migration ended; Dagster's daemon runs them from the start."""

from typing import Any

import dagster as dg

from datamig_pipelines import alerts
from datamig_pipelines.spec import Migration

_SENSORS = {
    "failure": dg.DagsterRunStatus.FAILURE,
    "canceled": dg.DagsterRunStatus.CANCELED,
    "success": dg.DagsterRunStatus.SUCCESS,
}

_TOLD = ("plan", "validate", "rollback", "spread")
"""Jobs that alert besides the whole way; who rehearses or approves sits before the screen."""


def sensors(migration: Migration) -> list[dg.SensorDefinition]:
    """Return sensors for failed and canceled runs, and for successful ones if an alert asks for it.

    They watch every run that touches the migration, those started from the asset graph included.
    """
    asked = {event for alert in migration.alerts for event in alert.on}
    return [_sensor(migration, e) for e in _SENSORS if e != "success" or e in asked]


def _sensor(migration: Migration, event: str) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=_SENSORS[event],
        name=f"{migration.name}_{event}",
        description=f"Sends an alert when a run of {migration.name} ends in {event}.",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def sensor(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        if not concerns(migration, context.dagster_run):
            return dg.SkipReason(f"{context.dagster_run.job_name} is not of {migration.name}")
        for line in alerts.send(migration, event, text_of(context, event)):
            context.log.info(line)
        return None

    return sensor


def concerns(migration: Migration, run: dg.DagsterRun) -> bool:
    """Say whether a run is one of the migration's jobs or materializes one of its assets."""
    name = migration.name
    if run.job_name in {name, *(f"{name}_{job}" for job in _TOLD)}:
        return True
    return any(key.path[0] == name for key in run.asset_selection or ())


def text_of(context: dg.RunStatusSensorContext, event: str) -> str:
    """Return what happened: run, and per failed step the code, the place and the next move."""
    run = context.dagster_run
    lines = [f"{run.job_name} ended in {event}, run {run.run_id}"]
    if event == "failure":
        for step in context.for_run_failure().get_step_failure_events():
            data = step.event_specific_data
            said: Any = getattr(getattr(data, "user_failure_data", None), "description", None)
            error = getattr(data, "error", None)
            lines.append(
                f"{step.step_key}: {said or (error.message.strip() if error else 'failed')}"
            )
    return "\n".join(lines)
