"""datamig run: through Dagster, on an instance of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines_tests.cli.conftest import DATAMIG, YAML, Cli


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """A folder for Dagster's memory."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


def datamig(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command with an instance."""
    env = {**os.environ, "DAGSTER_HOME": str(home)}
    command = [*DATAMIG, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env)


def runs(home: Path) -> list[Any]:
    """The runs that Dagster remembers, newest first."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(home)) as instance:
        return list(instance.get_runs())


def test_run_goes_forward_and_back_and_appears_in_dagster(migration: Path, instance: Path) -> None:
    """A run loads and proves, with one JSON document; down takes it back; Dagster shows both."""
    up = datamig(instance, "run", migration, "--json")
    down = datamig(instance, "run", migration, "--direction", "down", "--yes", "--json")
    shown = runs(instance)

    assert up.returncode == 0, up.stderr
    document = json.loads(up.stdout)
    assert document["runs"][-1]["status"] == "done"
    assert {p["verdict"] for p in document["proofs"]} == {"equal"}
    assert down.returncode == 0, down.stderr
    assert json.loads(down.stdout)["removed"]
    assert [(r.job_name, r.status.value) for r in shown] == [
        ("small_shop_rollback", "SUCCESS"),
        ("small_shop", "SUCCESS"),
    ]


def test_run_failure_keeps_code_place_and_hint(migration: Path, instance: Path) -> None:
    """What cannot be planned is told before Dagster starts: code, hint, exit code, no password."""
    migration.write_text(YAML.replace('{url: "sqlite:///shop.sqlite"}', "{url_env: RUN_SOURCE}"))
    os.environ["RUN_SOURCE"] = "postgresql://me:Pl4nted-Secret@127.0.0.1:1/db"
    try:
        done = datamig(instance, "run", migration, "--json")
    finally:
        del os.environ["RUN_SOURCE"]

    assert done.returncode == 7, done.stderr
    told = json.loads(done.stdout)["error"]
    assert told["code"] == "DM402"
    assert told["hint"]
    assert "Pl4nted" not in done.stdout + done.stderr
    assert runs(instance) == []
    logs = [p for p in instance.rglob("*") if p.is_file()]
    assert not any(b"Pl4nted" in p.read_bytes() for p in logs)


def test_run_with_suites_is_never_falsely_0(migration: Path, instance: Path) -> None:
    """A blocking suite that does not hold ends the run with 3; a non-blocking one ends with 9.

    On the source it ends with 3 before the target is made, and says why.
    """
    small = f"{YAML}  include: [regions, countries]\n"  # others would prove nothing here
    never = {"type": "expect_table_row_count_to_equal", "kwargs": {"value": -1}}
    migration.with_name("s.json").write_text(json.dumps({"name": "s", "expectations": [never]}))
    migration.write_text(f"{small}  validate: {{before: [{{table: regions, file: s.json}}]}}\n")
    held = datamig(instance, "run", migration, "--json")
    assert held.returncode == 3, held.stderr
    assert json.loads(held.stdout)["error"]["code"] == "DM520"
    assert not migration.with_name("target.duckdb").exists()
    codes, messages = [], []
    for blocking in ("true", "false"):
        suite = f"{{table: regions, file: s.json, blocking: {blocking}}}"
        migration.write_text(f"{small}  validate: {{suites: [{suite}]}}\n")
        done = datamig(instance, "run", migration, "--json")
        codes.append(done.returncode)
        messages += [s["message"] for s in json.loads(done.stdout)["suites"]]

    assert codes == [3, 9]
    assert all("expect_table_row_count_to_equal does not hold" in m for m in messages)
    assert len(messages) == 2


def test_run_refuses_another_kind(cli: Cli, migration: Path) -> None:
    """--type must be the file's kind; Dagster is not even loaded."""
    said = cli("run", migration, "--type", "cloud", "--json")

    assert said.code == 4
    assert json.loads(said.out)["error"]["where"] == str(migration)


def test_run_dry_touches_nothing(cli: Cli, migration: Path) -> None:
    """--dry-run prints every statement; neither the target nor a run of Dagster is made."""
    said = cli("run", migration, "--dry-run", "--type", "platform")

    assert said.code == 0
    assert "CREATE TABLE" in said.out
    assert sorted(p.name for p in migration.parent.iterdir()) == ["defs.yaml", "shop.sqlite"]


def test_run_missing_secret_is_told_before_dagster_starts(cli: Cli, migration: Path) -> None:
    """A variable that is not set exits 4 at once."""
    migration.write_text(
        YAML.replace('{url: "duckdb:///target.duckdb"}', "{url_env: NOT_SET_AT_ALL}")
    )

    said = cli("run", migration)

    assert said.code == 4
    assert "DM102" in said.err
    assert "starting Dagster" not in said.err


def test_run_finds_the_jobs_of_the_project() -> None:
    """The migrations in the project's defs are taken from its definitions."""
    from datamig_pipelines.cli.launching import _project_job
    from datamig_pipelines.spec import list_migrations, read_migration

    for path in list_migrations().values():
        name = read_migration(path).name
        assert _project_job(name).name == name
        assert _project_job(f"{name}_rollback").name == f"{name}_rollback"
