"""datamig tests: a pytest file for the user's own project."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from datamig_pipelines import running
from datamig_pipelines.cli import answer
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.scenarios.conftest import shop_master, shop_path, shop_url

__all__ = ["shop_master", "shop_path", "shop_url"]


@pytest.fixture
def project(tmp_path, shop_url, pg_url, monkeypatch) -> Path:
    """A user's project with the finished migration of a shop."""
    monkeypatch.setenv("SHOP_SOURCE_URL", shop_url)
    monkeypatch.setenv("SHOP_TARGET_URL", pg_url)
    folder = tmp_path / "project"
    folder.mkdir()
    ends = {end: {"url_env": f"SHOP_{end.upper()}_URL"} for end in ("source", "target")}
    attributes = {"name": "shop", **ends, "backup": {"verify": "none"}}
    written = {"type": "datamig_pipelines.Migration", "attributes": attributes}
    (folder / "shop.yaml").write_text(yaml.safe_dump(written))
    list(running.run(read_migration(folder / "shop.yaml")))
    monkeypatch.chdir(folder)
    return folder


def _pytest(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "tests"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # it needs none
    done = subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True, env=environment
    )
    return done.returncode, done.stdout


def test_written_tests_are_green_and_turn_red_for_a_fault(project, pg_url, postgres_server) -> None:
    """The shop's tests pass; a changed value fails one of them, which names table and column."""
    assert answer(["tests", "shop.yaml"]) == 0

    code, told = _pytest(project)

    assert code == 0, told
    assert len(re.findall(r"^PASSED .*test_values_are_equal\[", told, re.MULTILINE)) == 16
    assert "test_row_counts_are_equal[customers]" in told
    assert "FAILED" not in told
    assert "set DATAMIG_TEST_FAULTS=1" in told
    assert re.findall(r"^PASSED .*test_fault_is_found", told, re.MULTILINE) == []
    postgres_server.query(pg_url.rpartition("/")[2], "UPDATE orders SET note = 'x' WHERE id = 3")
    code, told = _pytest(project)
    failed = re.findall(r"^FAILED \S+::(\S+) - (.*)$", told, re.MULTILINE)
    assert code == 1
    assert [name for name, _ in failed] == ["test_values_are_equal[orders]"]
    assert "differs in note" in told


def test_written_tests_fail_where_nothing_is_loaded(project) -> None:
    """A migration that was taken back proves nothing."""
    assert answer(["tests", "shop.yaml", "--out", "tests"]) == 0
    list(running.roll_back(read_migration(project / "shop.yaml")))

    code, told = _pytest(project)

    assert code == 1
    assert "is not loaded" in told
    assert "PASSED" not in told


def test_file_that_is_there_is_kept(project, capsys) -> None:
    """A second time the file is not overwritten, unless --force says so."""
    assert answer(["tests", "shop.yaml"]) == 0
    (file,) = (project / "tests").iterdir()
    file.write_text("mine")

    assert answer(["tests", "shop.yaml"]) == 4
    assert file.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
    assert answer(["tests", "shop.yaml", "--force"]) == 0
    assert "test_values_are_equal" in file.read_text()


def test_written_tests_plant_faults_in_a_scratch_copy(
    project, pg_url, postgres_server, monkeypatch
) -> None:
    """Asked for, every fault that fits the tables is found; the target is as it was before."""
    monkeypatch.setenv("DATAMIG_TEST_FAULTS", "1")
    monkeypatch.setenv("DATAMIG_TEST_SAMPLE", "30")
    before = postgres_server.query("postgres", "SELECT datname FROM pg_database ORDER BY 1")
    rows = "SELECT sum(hashtext(o::text)::bigint), count(*) FROM orders o"
    held = postgres_server.query(pg_url.rpartition("/")[2], rows)
    assert answer(["tests", "shop.yaml"]) == 0
    _keep_tables(project, {"customers", "orders", "events"})

    code, told = _pytest(project)

    found = set(re.findall(r"^PASSED .*test_fault_is_found\[\w+-(\w+)\]", told, re.MULTILINE))
    assert code == 0, told
    assert len(found) >= 25, sorted(found)
    wanted = {"batch_lost", "batch_doubled", "value_changed", "text_truncated", "zone_shifted"}
    assert {*wanted, "index_lost", "counter_set_back", "foreign_key_disabled"} - found == set()
    assert postgres_server.query(pg_url.rpartition("/")[2], rows) == held
    assert postgres_server.query("postgres", "SELECT datname FROM pg_database ORDER BY 1") == before


def _keep_tables(project: Path, tables: set[str]) -> None:
    """Leave in the file the faults of some tables: a user may do so, too."""
    (file,) = (project / "tests").glob("*.py")
    lines = file.read_text().splitlines(keepends=True)
    mine = [n for n in lines if not n.startswith("    ('") or n.split("'")[1] in tables]
    file.write_text("".join(mine))
