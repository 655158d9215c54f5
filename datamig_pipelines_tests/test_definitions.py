"""What Dagster finds in this project: without databases, without secrets, from a wheel as well."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from datamig_pipelines.definitions import definitions

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def _run(*command: str, cwd: Path, **environment: str) -> str:
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**kept, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_definitions_load() -> None:
    """The demo's jobs are there, the source's file need not be, steps run in one process."""
    found = definitions()

    dg.Definitions.validate_loadable(found)
    jobs = {j.name for j in found.resolve_all_job_defs() if not j.name.startswith("__")}
    verbs = ("plan", "validate", "rollback", "rehearse", "pause", "resume")
    assert jobs == {"shop", *(f"shop_{verb}" for verb in verbs)}
    assert found.executor is dg.in_process_executor


def test_definitions_load_from_a_wheel(tmp_path: Path) -> None:
    """The package loads from a folder without pyproject.toml, as it is after a wheel's install."""
    ignored = shutil.ignore_patterns("__pycache__", ".datamig")
    shutil.copytree(ROOT / "datamig_pipelines", tmp_path / "datamig_pipelines", ignore=ignored)
    program = (
        "import datamig_pipelines.definitions as d; f = d.definitions(); print(d.__file__);"
        "print(sorted(j.name for j in f.resolve_all_job_defs()))"
    )
    said = _run(sys.executable, "-c", program, cwd=tmp_path, PYTHONPATH=str(tmp_path))

    assert str(tmp_path) in said
    assert "shop_rollback" in said


def test_definitions_are_quiet(tmp_path: Path) -> None:
    """Loading them warns of nothing."""
    program = "import datamig_pipelines.definitions as d; d.definitions()"
    said = _run(sys.executable, "-W", "default", "-c", program, cwd=tmp_path, PYTHONPATH=str(ROOT))

    assert "datamig" not in said
    assert "BetaWarning" not in said
    assert "PreviewWarning" not in said


def test_workspace_is_valid(tmp_path: Path) -> None:
    """``dagster definitions validate -w workspace.yaml`` accepts the project."""
    dagster = [sys.executable, "-m", "dagster", "definitions", "validate"]

    assert "Validation successful" in _run(
        *dagster, "-w", str(ROOT / "workspace.yaml"), cwd=tmp_path, PYTHONPATH=str(ROOT)
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [("check yaml", "validated successfully"), ("list components", "datamig_pipelines.Migration")],
)
def test_dg_knows_the_component(command: str, said: str) -> None:
    """``dg`` accepts the YAML of the demo and lists the component's type."""
    if not (BIN / "dg").exists():
        pytest.skip("dagster-dg-cli is not installed")
    path = f"{BIN}:{os.environ['PATH']}"
    environment = {"PATH": path, "PYTHONPATH": str(ROOT), "VIRTUAL_ENV": str(BIN.parent)}

    assert said in _run(str(BIN / "dg"), *command.split(), cwd=ROOT, **environment)
