"""datamig check."""

import subprocess
import sys
from pathlib import Path

import pytest

from datamig_pipelines_tests.cli.conftest import DATAMIG, YAML, Cli

HEAVY = {
    "dagster",
    "pandas",
    "polars",
    "pyarrow",
    "great_expectations",
    "duckdb",
    "psycopg",
    "pymysql",
}


def test_check_says_ok_without_touching_a_database(cli: Cli, tmp_path: Path) -> None:
    """A right file is OK, though neither of its databases exists."""
    path = tmp_path / "defs.yaml"
    path.write_text(YAML)

    said = cli("check", path)

    assert said.code == 0
    assert said.out.startswith("OK small_shop")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("  batch_size: lots", "defs.yaml:6"),
        ("  colour: red", "there is no such key"),
        ("  tables: [", "this is no YAML"),
        ("  tables: [{name: a}, {name: a}]", "stands there twice"),
    ],
)
def test_check_names_file_and_line_of_a_mistake(
    cli: Cli, tmp_path: Path, line: str, told: str
) -> None:
    """A mistake exits 4 and is told with file, line and reason."""
    path = tmp_path / "defs.yaml"
    path.write_text(f"{YAML}{line}\n")

    said = cli("check", path)

    assert said.code == 4
    assert f"error DM100 at {path}" in said.err
    assert told in said.err
    assert said.out == ""


def test_check_warns_of_what_may_be_elsewhere(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is not set and a suite that is not there are warnings, not errors."""
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    path = tmp_path / "defs.yaml"
    text = YAML.replace('{url: "sqlite:///shop.sqlite"}', "{url_env: NOT_SET_HERE}")
    path.write_text(f"{text}  validate: {{suites: [{{table: a, file: gone.json}}]}}\n")

    said = cli("check", path)

    assert said.code == 0
    assert "NOT_SET_HERE is not set" in said.err
    assert "no file gone.json" in said.err


def test_check_refuses_an_engine_that_nobody_speaks(cli: Cli, tmp_path: Path) -> None:
    """An unknown engine is an error of the file."""
    path = tmp_path / "defs.yaml"
    path.write_text(YAML.replace("duckdb:", "oracle:"))

    said = cli("check", path)

    assert said.code == 4
    assert "DM101" in said.err


def test_check_looks_at_all_files_before_it_fails(cli: Cli, tmp_path: Path) -> None:
    """One wrong file does not hide another: each gets its verdict, the worst decides."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(YAML)
    bad.write_text("a: 1\n")

    said = cli("check", bad, good, "nowhere")

    assert said.code == 4
    assert "OK small_shop" in said.out
    assert said.err.count("error DM100") == 2


COUNTED = """
import sys
calls = 0
def count(frame, event, arg):
    global calls
    calls += event == "call"
sys.setprofile(count)
from datamig_pipelines.cli import answer
code = answer(sys.argv[1:])
sys.setprofile(None)
print(calls, *{m.partition(".")[0] for m in sys.modules})
sys.exit(code)
"""


def test_check_is_cheap(tmp_path: Path) -> None:
    """`datamig check` loads nothing heavy and calls 285,000 functions, which is half a second.

    Calls are counted, not seconds: a busy machine takes twice as long for the same ones.
    """
    path = tmp_path / "defs.yaml"
    path.write_text(YAML)
    subprocess.run(
        [*DATAMIG, "check", path], check=True, capture_output=True
    )  # bytecode is written

    done = subprocess.run(
        [sys.executable, "-c", COUNTED, "check", path], check=True, capture_output=True, text=True
    )
    calls, *modules = done.stdout.splitlines()[-1].split()

    assert HEAVY & set(modules) == set()
    assert int(calls) < 400_000
