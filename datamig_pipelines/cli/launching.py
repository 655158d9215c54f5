"""Executes a migration's Dagster job in this process, on the instance that `dagster dev` shows.

The only file of the command line that knows Dagster; it is imported when a job is executed.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._cli.utils import get_possibly_temporary_instance_for_cli

from datamig_pipelines.cli.output import remark
from datamig_pipelines.cli.verdict import SuiteVerdict
from datamig_pipelines.errors import (
    DatamigError,
    ProofFailedError,
    StepError,
)
from datamig_pipelines.orchestration.component import Migration as Component
from datamig_pipelines.running.watch import StepFailed, Watcher, watch
from datamig_pipelines.spec import Launch, Retreat, list_migrations, read_migration
from datamig_pipelines.transfer import Event

_REPOSITORY = {".dagster/repository": "__repository__@datamig_pipelines"}
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """How a run of Dagster ended."""

    run_id: str
    error: DatamigError | None
    shown_in: Path | None
    """Where `dagster dev` shows the run: DAGSTER_HOME, or the folder to start it in."""
    suites: list[SuiteVerdict]


def execute(path: Path, launch: Launch | Retreat, *, job: str, watcher: Watcher) -> Outcome:
    """Execute a job of a migration file and return how it ended.

    Args:
        path: The migration's file.
        launch: The run configuration.
        job: Name of the job.
        watcher: Gets every event of the run.

    Raises:
        KeyboardInterrupt: Ctrl-C ended the run; Dagster shows it as failed by interruption.
        RuntimeError: A step raised what is no error of this project: a bug.
    """
    caught: list[DatamigError] = []

    def see(event: Event) -> None:
        if isinstance(event, StepFailed):
            caught.append(event.error)
        watcher(event)

    ours = path.resolve() in {p.resolve() for p in list_migrations().values()}
    definition = _project_job(job) if ours else _own_job(path, job)
    with _instance() as (instance, shown_in), watch(see):
        result = definition.execute_in_process(
            run_config=launch.model_dump(mode="json"),
            instance=instance,
            raise_on_error=False,
            tags={**(_REPOSITORY if ours else {}), "datamig/from": "cli"},
        )
        if _interrupted(result):
            raise KeyboardInterrupt
        error = None if result.success else (caught[0] if caught else _explain(result))
        return Outcome(result.run_id, error, shown_in, _suites(result))


def _project_job(job: str) -> dg.JobDefinition:
    from datamig_pipelines.definitions import definitions

    return definitions().resolve_job_def(job)


def _own_job(path: Path, job: str) -> dg.JobDefinition:
    component = Component(read_migration(path))
    definitions = component.build_defs(dg.ComponentTree.for_test().load_context)
    return definitions.resolve_job_def(job)


@contextlib.contextmanager
def _instance() -> Iterator[tuple[dg.DagsterInstance, Path | None]]:
    """Yield the instance that `dagster job execute` would take, and where its runs are shown."""
    folder = _folder()
    home = os.environ.get("DAGSTER_HOME")
    if home is None and folder is None:
        remark("no DAGSTER_HOME and no dagster.yaml here: Dagster forgets this run when it ends")
    with (
        contextlib.chdir(folder or Path.cwd()),
        get_possibly_temporary_instance_for_cli("datamig run") as instance,
    ):
        yield instance, Path(home) if home else folder


def _folder() -> Path | None:
    """Return the folder whose dagster.yaml counts: here, above, or the checkout of this project."""
    if os.environ.get("DAGSTER_HOME"):
        return None
    here = Path.cwd()
    return next(
        (f for f in (here, *here.parents, _PROJECT) if (f / "dagster.yaml").is_file()), None
    )


def _interrupted(result: Any) -> bool:
    """Say whether Ctrl-C ended the run: in a step, or between two of them."""
    data = [
        e.event_specific_data for e in result.all_events if e.is_step_failure or e.is_job_failure
    ]
    errors = [error for d in data if (error := getattr(d, "error", None))]
    return any(
        e.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt") for e in errors
    )


def _suites(result: Any) -> list[SuiteVerdict]:
    """Return the verdicts of the suites that were judged in this run."""
    return [_suite(c) for c in _checks(result) if c.check_name.startswith(("suite_", "before_"))]


def _checks(result: Any) -> list[Any]:
    kind = "ASSET_CHECK_EVALUATION"
    return [e.event_specific_data for e in result.all_events if e.event_type_value == kind]


def _suite(check: Any) -> SuiteVerdict:
    facts = {name: value.value for name, value in check.metadata.items()}
    return SuiteVerdict(
        check.check_name,
        str(facts["table"]),
        check.passed,
        bool(check.blocking and check.severity == dg.AssetCheckSeverity.ERROR),
        check.description or "",
        str(facts["judged_on"]),
        str(facts.get("data_docs", "")),
    )


def _explain(result: Any) -> DatamigError:
    """Return the error behind a failed run, from what the failure says of itself."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.event_specific_data
            if data.user_failure_data is not None:
                return _from_metadata(data.user_failure_data)
            if data.error is not None and data.error.cls_name == "DagsterAssetCheckFailedError":
                return ProofFailedError(
                    "a proof or a suite of expectations found a difference",
                    hint="See all of them with `datamig status`; suites stand above.",
                    where=event.step_key,
                )
            if data.error is not None:
                # No error of this project: a bug, and told as one.
                raise RuntimeError((data.error.cause or data.error).to_string())
    return StepError(f"run {result.run_id} failed", hint="Look at it in Dagster's UI.")


def _from_metadata(failure: Any) -> DatamigError:
    facts = {name: str(value.value) for name, value in failure.metadata.items()}
    kind = _classes().get(facts.get("code", ""), StepError)
    message = str(failure.description or "").partition("\n  hint: ")[0]
    place = facts.get("place", facts.get("where", ""))
    message = message.removeprefix(f"{kind.code} at {place}: ").removeprefix(f"{kind.code}: ")
    return kind(message, hint=facts.get("hint", "Look at the run in Dagster's UI."), where=place)


def _classes(top: type[DatamigError] = DatamigError) -> dict[str, type[DatamigError]]:
    found = {top.code: top}
    for child in top.__subclasses__():
        found |= _classes(child)
    return found


@contextlib.contextmanager
def quiet() -> Iterator[str]:
    """Send what Dagster and a user's functions print to a file in the temp folder; yield its path.

    Works on the file descriptors: Dagster captures these, not Python's objects.
    """
    handle, path = tempfile.mkstemp(prefix="datamig-run-", suffix=".log")
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    try:
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        yield path
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, old in enumerate(kept, start=1):
            os.dup2(old, number)
            os.close(old)
        os.close(handle)
