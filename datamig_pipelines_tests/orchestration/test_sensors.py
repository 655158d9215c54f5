"""Alerts and the clock."""

import http.server
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from datamig_pipelines import alerts
from datamig_pipelines.orchestration.sensors import concerns
from datamig_pipelines_tests.orchestration.conftest import Library


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """A server that keeps what is posted; OPS_ALERT_URL leads to it."""
    pytest.importorskip("apprise")
    got: list[dict[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    patient = "cto=60&rto=60"  # seconds to connect and to answer; Apprise's own four may be short
    address = f"json://127.0.0.1:{server.server_port}/s3cret?{patient}"
    monkeypatch.setenv("OPS_ALERT_URL", address)
    yield got
    server.shutdown()
    server.server_close()


def _sensor(library: Library, event: str) -> Any:
    return library.defs.resolve_sensor_def(f"library_{event}")


def _tick(library: Library, instance: dg.DagsterInstance, event: str, result: Any) -> Any:
    ends = ("PIPELINE_SUCCESS", "PIPELINE_FAILURE")
    said = [e for e in result.all_events if e.event_type_value in ends]
    context = dg.build_run_status_sensor_context(
        sensor_name=f"library_{event}",
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),
        dagster_event=said[-1],
    )
    return _sensor(library, event)(context)


def test_sensors_run_from_the_start(library: Library) -> None:
    """Failed and canceled runs are watched without a click; successful ones if an alert asks."""
    names = {s.name for s in library.defs.sensors or []}
    assert names == {"library_failure", "library_canceled"}
    for event in ("failure", "canceled"):
        assert _sensor(library, event).default_status is dg.DefaultSensorStatus.RUNNING

    library.attributes = {"alerts": [{"env": "OPS_ALERT_URL", "on": ["success"]}]}
    assert "library_success" in {s.name for s in library.defs.sensors or []}


def test_failure_sends_code_and_contacts(
    planned: Library, instance: dg.DagsterInstance, inbox: list[dict[str, Any]]
) -> None:
    """A failed run posts the step, the code, the next move and who to call."""
    planned.attributes = {
        "alerts": [{"env": "OPS_ALERT_URL"}],
        "contacts": [{"name": "Ann", "phone": "+00 000"}],
    }
    failed = planned.run(instance, batch_size=0)
    _tick(planned, instance, "failure", failed)

    (message,) = inbox
    assert message["title"] == "datamig: library failure"
    for part in ("library__plan", "DM100", "hint:", failed.run_id, "contact: Ann +00 000"):
        assert part in message["message"]


def test_canceled_and_success_are_sent(
    planned: Library, instance: dg.DagsterInstance, inbox: list[dict[str, Any]]
) -> None:
    """The other two sensors post as well."""
    planned.attributes = {"alerts": [{"env": "OPS_ALERT_URL", "on": ["canceled", "success"]}]}
    done = planned.run(instance, "library_plan")
    for event in ("canceled", "success"):
        _tick(planned, instance, event, done)

    assert [m["title"] for m in inbox] == ["datamig: library canceled", "datamig: library success"]


def test_sensor_leaves_other_runs_alone(planned: Library, instance: dg.DagsterInstance) -> None:
    """A run of something else is skipped; one from the asset graph is not."""

    @dg.job
    def another() -> None:
        """Do nothing."""

    other = another.execute_in_process(instance=instance)
    assert isinstance(_tick(planned, instance, "failure", other), dg.SkipReason)
    own = planned.materialize(instance, "plan")
    assert _tick(planned, instance, "canceled", own) is None


def test_send_never_raises_and_never_tells_the_address(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable, a wrong address, nobody to tell: each is a line; none holds the secret."""
    library.attributes = {"alerts": [{"env": "OPS_ALERT_URL"}]}
    monkeypatch.delenv("OPS_ALERT_URL", raising=False)
    assert "not set" in alerts.send(library.migration, "failure", "x")[0]

    monkeypatch.setenv("OPS_ALERT_URL", "nonsense://s3cret")
    (line,) = alerts.send(library.migration, "failure", "x")
    assert "not sent" in line
    assert "s3cret" not in line

    told = alerts.send(library.migration, "success", "x postgresql://me:s3cret@h/d")
    assert told[0] == "x postgresql://me:***@h/d"


def test_schedule_starts_the_whole_way(library: Library, instance: dg.DagsterInstance) -> None:
    """The spec's cron becomes a schedule of the migration's job, stopped until switched on."""
    assert not library.defs.schedules
    library.attributes = {"schedule": {"cron": "0 2 * * 6", "timezone": "Europe/Berlin"}}
    schedule = library.defs.resolve_schedule_def("library_schedule")

    assert schedule.job_name == "library"
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * 6", "Europe/Berlin")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    when = datetime(2030, 1, 5, 1, 0, tzinfo=UTC)
    tick = schedule.evaluate_tick(
        dg.build_schedule_context(instance=instance, scheduled_execution_time=when)
    )
    assert len(tick.run_requests or []) == 1


def test_jobs_that_move_or_judge_alert(library: Library) -> None:
    """A spread load has no asset in its selection and is watched all the same; an approval not."""
    migration = library.migration
    concerned = [
        job
        for job in ("", "_plan", "_validate", "_rollback", "_spread", "_approve", "_rehearse")
        if concerns(migration, dg.DagsterRun(job_name=f"library{job}"))
    ]
    assert concerned == ["", "_plan", "_validate", "_rollback", "_spread"]
