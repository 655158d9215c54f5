"""The load shared by several processes: on one machine, and by Celery workers of which one dies."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
import yaml

from datamig_pipelines_tests.engines import free_port
from datamig_pipelines_tests.orchestration.conftest import ROOT, Library, Project

ROWS = 6_000
LIMIT_S = 500
MAKE = f"""
CREATE TABLE "lines" (id bigint PRIMARY KEY, note text NOT NULL);
INSERT INTO "lines" SELECT i, 'line ' || i FROM generate_series(1, {ROWS}) i;
CREATE TABLE units (id int PRIMARY KEY, name text);
INSERT INTO units VALUES (1, 'piece'), (2, 'box');
ANALYZE;
"""
SEEN = """
import os, pathlib, time

def slowly(frame):
    here = pathlib.Path(__file__).with_name("seen")
    here.mkdir(exist_ok=True)
    (here / f"{os.getpid()}-{time.monotonic_ns()}").touch()
    time.sleep(float(os.environ.get("SLOWLY_S", "0")))
    while waits([p.name.partition("-")[0] for p in here.glob("*")]):
        time.sleep(0.05)
    return frame

def waits(seen):
    if "TOGETHER" in os.environ:
        return len(set(seen)) < 2
    return len(seen) >= int(os.environ.get("HOLD_AT", "1000000"))
"""


@pytest.fixture
def lines(project: Project, pg_url: str, pg_url2: str) -> Project:
    """A project that moves ``lines`` between two PostgreSQL databases, in small batches."""
    with psycopg.connect(pg_url) as connection:
        connection.execute(MAKE)
    project.library.attributes = {
        "source": {"url_env": "LINES_SOURCE"},
        "target": {"url_env": "LINES_TARGET"},
        "batch_size": 100,
        "tables": [{"name": "lines", "transform": "seen.slowly"}],
        "spread": {"executor": "processes", "steps": 2},
    }
    (project.library.folder / "seen.py").write_text(SEEN)
    project.environment |= {"LINES_SOURCE": pg_url, "LINES_TARGET": pg_url2}
    project.environment["DAGSTER_HOME"] = str(_home(project))
    return project


def _paths(project: Project) -> str:
    return os.pathsep.join([str(project.root), str(ROOT)])


def _home(project: Project) -> Path:
    home = project.root / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs(limit=1)  # makes the storage, which several processes would race for
    return home


def _set(project: Project, **attributes: Any) -> None:
    project.library.attributes |= attributes
    document = {"type": "datamig_pipelines.Migration", "attributes": project.library.written()}
    (project.library.folder / "defs.yaml").write_text(yaml.safe_dump(document))


def _batches(project: Project) -> list[str]:
    """Return the process that saw each batch."""
    return [p.name.partition("-")[0] for p in (project.library.folder / "seen").glob("*")]


def _whole(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            'SELECT count(*), count(DISTINCT id), sum(id), min(note), count(DISTINCT note) FROM "lines"'
        ).fetchone()
    return found == (ROWS, ROWS, ROWS * (ROWS + 1) // 2, "line 1", ROWS)


def _ledger(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def _wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_spread_load_is_shared_by_processes(lines: Project, pg_url2: str) -> None:
    """Two steps take shards of one table, and the last one finds nothing missing and all equal.

    Whoever comes first waits in its first batch for the other one.
    """
    lines.environment["TOGETHER"] = "yes"
    _set(lines)
    code, said = lines.execute("library_spread")

    assert code == 0, said
    assert _whole(pg_url2)
    assert len(set(_batches(lines))) == 2
    assert len(_batches(lines)) <= ROWS / 100 + 8  # a shard's last batch may be short
    assert _ledger(pg_url2, "SELECT status FROM datamig.run") == [("done",)]
    verdicts = _ledger(pg_url2, "SELECT DISTINCT verdict FROM datamig.proof")
    assert verdicts == [("equal",)], said


@pytest.mark.slow
def test_spread_run_that_was_terminated_loses_no_shard(lines: Project, pg_url2: str) -> None:
    """Interrupted amid the fan-out and executed again from failure, every row is there once."""
    lines.environment["HOLD_AT"] = "6"
    _set(lines)
    process = lines.start("library_spread")
    _wait_for(
        lambda: len(_batches(lines)) > 5 if (lines.library.folder / "seen").exists() else False,
        process,
    )
    os.kill(process.pid, signal.SIGTERM)
    said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode != 0, said
    assert not _whole(pg_url2)

    del lines.environment["HOLD_AT"]
    code, said = _from_failure(lines)

    assert code == 0, said
    assert _whole(pg_url2)
    assert _ledger(pg_url2, "SELECT status FROM datamig.run") == [("done",)]


def _from_failure(project: Project) -> tuple[int, str]:
    """Execute the last run again from failure, as the button of the UI does."""
    script = project.root / "again.py"
    script.write_text(
        """
import sys
import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import ReexecutionOptions, execute_job
from dagster._core.code_pointer import ModuleCodePointer


if __name__ == "__main__":
    with dg.DagsterInstance.get() as instance:
        last = instance.get_runs(limit=1)[0]
        pointer = ModuleCodePointer("house.definitions", "defs", working_directory=None)
        job = ReconstructableRepository(pointer).get_reconstructable_job("library_spread")
        options = ReexecutionOptions.from_failure(last.run_id, instance)
        result = execute_job(job, instance, run_config=last.run_config, reexecution_options=options)
        steps = sorted({e.step_key for e in result.all_events if e.event_type_value == "STEP_START"})
        print("steps", steps)
        sys.exit(0 if result.success else 1)
"""
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=project.root,
        env={
            **os.environ,
            **project.environment,
            "PYTHONPATH": _paths(project),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    return done.returncode, done.stdout + done.stderr


# ---- Celery


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A private Redis."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    quiet = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        [program, "--port", str(port), *quiet], stdout=subprocess.DEVNULL
    ) as server:
        try:
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()


CELERY = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_concurrency": 1,
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {"visibility_timeout": 10, "unacked_restore_throttle": 1},
}


def _worker(project: Project, name: str, url: str) -> subprocess.Popen[str]:
    """Start a Celery worker as deploy/celery.yaml says."""
    settings = project.root / "celery.yaml"
    config = {"broker": url, "backend": url, "config_source": CELERY}
    settings.write_text(yaml.safe_dump({"execution": {"config": config}}))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["worker", "start", "-A", "dagster_celery.app", "-y", str(settings), "--name", name]
    with (project.root / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "dagster_celery.cli", *command],
            cwd=project.root,
            env={**os.environ, **project.environment, "PATH": path, "PYTHONPATH": _paths(project)},
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@pytest.mark.slow
def test_spread_load_survives_a_killed_celery_worker(
    lines: Project, pg_url2: str, redis_url: str
) -> None:
    """Two workers share the load; one is killed with all it has; the run ends with every row once."""
    lines.environment |= {"SLOWLY_S": "0.3", "TOGETHER": "yes"}
    config = {"broker": redis_url, "backend": redis_url, "config_source": CELERY}
    _set(lines, spread={"executor": "celery", "steps": 2, "config": config})
    workers = [_worker(lines, name, redis_url) for name in ("one", "two")]
    process = lines.start("library_spread")
    try:
        _wait_for(lambda: len(set(_batches(lines))) == 2 and len(_batches(lines)) > 8, process)
        os.killpg(workers[0].pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
        for worker in workers:
            _end(worker)

    assert process.returncode == 0, said
    assert _whole(pg_url2)
    assert _ledger(pg_url2, "SELECT status FROM datamig.run") == [("done",)]


def _end(worker: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


# ---- what the page says


def _documented(mark: str) -> dict[str, Any]:
    """Return the YAML that stands below a mark in docs/spread.md."""
    text = (ROOT / "docs" / "spread.md").read_text()
    found = text.split(f"<!-- {mark} -->\n```yaml\n")[1].split("```")[0]
    return dict(yaml.safe_load(found))


@pytest.mark.parametrize("on", ["celery", "k8s"])
def test_documented_configuration_is_what_the_executor_takes(
    on: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's configuration passes the executor's own schema, and a misspelt key does not."""
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://broker")
    monkeypatch.setenv("CELERY_BACKEND_URL", "redis://broker")
    said = _documented(on)["spread"]
    job = _job_of(tmp_path, said)
    assert dg.validate_run_config(job, {}) is not None

    wrong = {**said, "config": {**said["config"], "brokre": "x"}}
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(_job_of(tmp_path, wrong), {})


def _job_of(folder: Path, spread: dict[str, Any]) -> dg.JobDefinition:
    library = Library(folder, {"spread": spread})
    return library.defs.resolve_job_def("library_spread")


def test_documented_worker_settings_are_those_of_the_test() -> None:
    """What was tested with a killed worker is what the page tells people to write."""
    told = _documented("celery worker")["execution"]["config"]["config_source"]
    tested = dict(CELERY)
    assert {**told, "broker_transport_options": 0} == {**tested, "broker_transport_options": 0}
    assert set(told["broker_transport_options"]) == set(tested["broker_transport_options"])


def test_spread_into_one_writer_is_refused(project: Project) -> None:
    """DuckDB has one writer: the job says so before it touches anything."""
    _set(project, spread={"executor": "processes", "steps": 2})
    project.environment["DAGSTER_HOME"] = str(_home(project))
    code, said = project.execute("library_spread")

    assert code == 1
    assert "DM207" in said
    assert not project.library.target.exists()
