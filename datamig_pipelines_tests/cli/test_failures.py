"""Errors, bugs, interruptions: told once, with an exit code, without passwords."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.cli.failures import hidden
from datamig_pipelines_tests.cli.conftest import DATAMIG, YAML, Cli

SECRET = "Pl4nted-Secret"
LIMIT_S = 500
HELD = """
import threading, time
from pathlib import Path
from datamig_pipelines.transfer.crew import Crew
from datamig_pipelines.transfer.tally import Tally

made, kept, stops, calls = Crew.__init__, Tally.progress, [], []

def make(self, *arguments):
    made(self, *arguments)
    stops.append(self.stop)

def progress(*arguments):
    calls.append(1)
    if len(calls) == 4:  # one table's begin, its first batch, and two more
        Path("held").touch()
        while threading.main_thread().is_alive() and not any(s.is_set() for s in stops):
            time.sleep(0.01)
    return kept(*arguments)

Crew.__init__, Tally.progress = make, progress
from datamig_pipelines.cli import main
main()
"""


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://me:{SECRET}@host/db is wrong",
        f"connect failed: postgresql://host/db?user=me&password={SECRET}",
        f"host=h password={SECRET} dbname=d",
        f"the driver says: access denied using {SECRET}",
        "and encoded: p%40ss%2Fword",
        "and decoded: p@ss/word",
    ],
)
def test_hidden_finds_the_password(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Passwords in URLs, in options and those of the environment's URLs are masked."""
    monkeypatch.setenv("A_URL", f"mysql://root:{SECRET}@h/d")
    monkeypatch.setenv("B_URL", "mysql://root:p%40ss%2Fword@h/d")

    shown = hidden(text)

    assert "***" in shown
    assert SECRET not in shown
    assert "p%40ss" not in shown
    assert "p@ss" not in shown


def test_bug_is_one_line_and_a_file(
    cli: Cli, migration: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen exception exits 1 with one line; the traceback is in a file, no password."""
    monkeypatch.setenv("A_URL", f"mysql://root:{SECRET}@h/d")

    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"at mysql://root:{SECRET}@h/d, or {SECRET}")

    monkeypatch.setattr(running, "outlook", broken)

    said = cli("plan", migration, "--json")

    assert said.code == 1
    document = json.loads(said.out)
    story = Path(document["error"]["hint"]).read_text()
    assert "this is a bug: ZeroDivisionError" in said.err
    assert "in broken" in story
    assert SECRET not in said.out + said.err + story
    Path(document["error"]["hint"]).unlink()


@pytest.mark.parametrize("arguments", [["bogus"], ["plan"], ["plan", "x", "--batch-size", "0"]])
def test_wrong_call_exits_4(cli: Cli, arguments: list[str]) -> None:
    """A wrong command line is a wrong spec, not the 2 of rejected rows."""
    said = cli(*arguments)

    assert said.code == 4
    assert "hint:" in said.err


def test_error_goes_to_stderr_and_into_the_document(cli: Cli, tmp_path: Path) -> None:
    """With --json an error is the one document on stdout, too."""
    said = cli("plan", tmp_path / "gone.yaml", "--json")

    assert said.code == 4
    assert json.loads(said.out)["error"]["code"] == "DM100"
    assert "error DM100" in said.err
    assert "datamig explain DM100" in said.err


def test_no_arguments_shows_the_help_with_exit_codes(cli: Cli) -> None:
    """`datamig` alone explains itself."""
    said = cli()

    assert said.code == 0
    assert "Exit codes" in said.out


@pytest.mark.parametrize("verb", ["copy", "run"])
def test_interrupt_exits_130_and_says_that_it_goes_on(migration: Path, verb: str) -> None:
    """Ctrl-C exits 130 with one sentence, with Dagster or without; the same command finishes.

    The worker that loads holds at its fourth word until it is told to stop.
    """
    home = migration.with_name("dagster_home")
    home.mkdir()
    migration.write_text(f"{YAML}  include: [regions, countries, customers, orders]\n")
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    command = {
        "copy": ["copy", "sqlite:///shop.sqlite", "duckdb:///t.duckdb", "--batch-size", "20"],
        "run": ["run", str(migration)],
    }[verb]
    log = migration.with_name("stderr.txt")
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", HELD, *command],
            stderr=stderr,
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        deadline = time.monotonic() + LIMIT_S
        while not migration.with_name("held").exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        process.wait(timeout=LIMIT_S)
    told = log.read_text()

    assert process.returncode == 130, told
    assert "goes on from there" in told
    assert "Traceback" not in told
    again = subprocess.run(
        [*DATAMIG, *command, "--json"], check=False, capture_output=True, text=True, env=environment
    )
    assert again.returncode == 0, again.stderr
    assert {p["verdict"] for p in json.loads(again.stdout)["proofs"]} == {"equal"}
