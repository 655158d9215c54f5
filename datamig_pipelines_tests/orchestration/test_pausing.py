"""Pause and resume as jobs, beside the run that they speak to."""

import signal
import subprocess

import dagster as dg
import pytest
import yaml

from datamig_pipelines_tests.orchestration.conftest import BOOKS, Library, Project

LIMIT_S = 500


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read what a process says until the words come."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"it never said {words!r}:\n{said[-3000:]}")


def _paused(project: Project) -> subprocess.Popen[str]:
    """Return a run whose load waits, because the job was told to pause it.

    Its first batch is held until the word is given; the limit gives it five seconds from there,
    and it looks for a word every two.
    """
    project.library.attributes |= {
        "batch_size": 10,
        "tables": [{"name": "books", "transform": "shapes.gated"}],
        "throttle": {"rows_per_s": 60},
    }
    gate = project.library.folder / "shut"
    gate.touch()
    document = {"type": "datamig_pipelines.Migration", "attributes": project.library.written()}
    (project.library.folder / "defs.yaml").write_text(yaml.safe_dump(document))
    process = project.start()
    _read_until(process, "loading 3 tables")
    assert _say(project, "pause")
    gate.unlink()
    _read_until(process, "the source's snapshot stays open")
    return process


def _say(project: Project, verb: str) -> bool:
    """Run ``library_pause`` or ``library_resume`` and say whether it went through."""
    found = project.library.defs.resolve_job_def(f"library_{verb}")
    with dg.DagsterInstance.ephemeral() as instance:
        return bool(found.execute_in_process(instance=instance, raise_on_error=False).success)


def test_jobs_pause_and_resume_a_run_that_holds_the_target(project: Project) -> None:
    """DuckDB lets nobody else look into the file, and yet the load pauses and goes on."""
    process = _paused(project)
    assert _say(project, "resume")
    rest, _ = process.communicate(timeout=LIMIT_S)

    assert process.returncode == 0, rest
    assert "going on: resumed by" in rest
    assert len(project.library.rows("books")) == BOOKS


def test_terminated_during_a_pause_ends_at_once(project: Project) -> None:
    """SIGTERM, which Dagster's Terminate sends, is not kept waiting; a later run goes on."""
    process = _paused(project)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode != 0, said

    assert _say(project, "resume")
    through, said = project.go_on()
    assert through, said
    assert len(project.library.rows("books")) == BOOKS


def test_pause_jobs_do_not_queue_behind_the_run(library: Library) -> None:
    """Where one run per target is allowed at a time, these two carry no target."""
    jobs = {n: library.defs.resolve_job_def(n) for n in ("library_pause", "library_resume")}

    assert [n for n, job in jobs.items() if "datamig/target" in job.tags] == []
    assert "datamig/target" in library.defs.resolve_job_def("library").tags


def test_nothing_to_pause_fails_with_code_and_hint(
    library: Library, instance: dg.DagsterInstance
) -> None:
    """A pause that nobody would hear is red."""
    result = library.run(instance, "library_pause")
    event = next(e for e in result.all_events if e.is_step_failure)

    assert event.step_failure_data.user_failure_data.metadata["code"].value == "DM600"
