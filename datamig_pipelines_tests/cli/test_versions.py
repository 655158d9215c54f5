"""history, acknowledge, baseline, approve, plan --save, run --plan, run --direction."""

import json
from pathlib import Path

import duckdb
import pytest

from datamig_pipelines import running
from datamig_pipelines.spec import read_migration
from datamig_pipelines_tests.cli.conftest import Cli

HEAD = """\
type: datamig_pipelines.Migration
attributes:
  name: {name}
  source: {{url: "sqlite:///../shop.sqlite"}}
  target: {{url: "duckdb:///../target.duckdb"}}
  include: [{table}]
"""


def write(shop: Path, name: str, table: str, more: str = "") -> Path:
    """Write a migration beside others."""
    path = shop.with_name(name) / "defs.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD.format(name=name, table=table) + more)
    return path


@pytest.fixture
def line(shop: Path) -> tuple[Path, Path, Path]:
    """Three migrations of the shop, each after the one before."""
    return (
        write(shop, "one", "regions"),
        write(shop, "two", "countries", "  after: one\n"),
        write(shop, "three", "categories", "  after: two\n"),
    )


def apply(*paths: Path) -> None:
    """Run migrations without Dagster."""
    for path in paths:
        list(running.run(read_migration(path)))


def tables(shop: Path) -> set[str]:
    """Return the tables of the target."""
    with duckdb.connect(str(shop.with_name("target.duckdb")), read_only=True) as target:
        rows = target.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
        ).fetchall()
        return {row[0] for row in rows}


def test_run_walks_the_line(cli: Cli, shop: Path, line: tuple[Path, Path, Path]) -> None:
    """latest brings all, a version goes back to it, down takes the last; one JSON document each."""
    one, _, three = line
    forward = cli("run", one, "--direction", "two", "--json")
    done = json.loads(forward.out)
    assert forward.code == 0, forward.err
    assert [(m["migration"], m["does"]) for m in done["moves"]] == [("one", "run"), ("two", "run")]
    assert tables(shop) == {"regions", "countries"}

    apply(three)
    back = cli("run", three, "--direction", "one", "--yes", "--json")
    assert back.code == 0, back.err
    moved = [(m["migration"], m["does"]) for m in json.loads(back.out)["moves"]]
    assert moved == [("three", "take back"), ("two", "take back")]
    assert tables(shop) == {"regions"}


def test_walk_stops_at_the_first_that_fails(
    cli: Cli, shop: Path, line: tuple[Path, Path, Path]
) -> None:
    """What failed is told with its exit code, and what comes after is not run."""
    one, two, _ = line
    apply(one)
    two.write_text(two.read_text() + "  tables: [{name: countries, where: 'no such column'}]\n")

    said = cli("run", one, "--direction", "latest")

    assert said.code != 0
    assert "stopped at two; not reached: three" in said.err
    assert "categories" not in tables(shop)


def test_walk_in_a_dry_run_lists_the_moves(
    cli: Cli, shop: Path, line: tuple[Path, Path, Path]
) -> None:
    """Nothing is done, not even the target's file."""
    said = cli("run", line[0], "--direction", "latest", "--dry-run", "--json")

    assert [m["migration"] for m in json.loads(said.out)["moves"]] == ["one", "two", "three"]
    assert not shop.with_name("target.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--direction", "four"), 4, "DM164"),
        (("--direction", "latest", "--tables", "regions"), 4, "--tables is for one migration"),
        (("--direction", "not a word"), 4, "--direction: 'not a word'"),
        (("--plan", "xyz"), 4, "--plan: 'xyz'"),
        (("--plan", "abc"), 5, "DM260"),
    ],
)
def test_wrong_words_are_refused(
    cli: Cli, line: tuple[Path, Path, Path], arguments: tuple[str, ...], code: int, told: str
) -> None:
    """Each with its exit code, before Dagster starts."""
    said = cli("run", line[0], *arguments)

    assert said.code == code
    assert told in said.err
    assert "starting Dagster" not in said.err


def test_run_alone_needs_its_predecessor(cli: Cli, line: tuple[Path, Path, Path]) -> None:
    """Without a direction nothing else is run in silence."""
    said = cli("run", line[1])

    assert said.code == 8
    assert "DM620: two comes after one, which is not applied" in said.err


def test_broken_line_is_refused_by_check_plan_and_run(
    cli: Cli, shop: Path, line: tuple[Path, Path, Path]
) -> None:
    """Two heads are one error with advice, from files alone."""
    write(shop, "rival", "products", "  after: one\n")

    for verb in ("check", "plan", "run"):
        said = cli(verb, line[2])
        assert (said.code, "DM162" in said.err) == (4, True), verb


def test_status_draws_the_line(cli: Cli, line: tuple[Path, Path, Path]) -> None:
    """Every version with its state, and where the target stands."""
    apply(*line[:2])

    said = cli("status", line[0])

    assert "line: one (applied) → two (applied) <- here → three (pending)" in said.out


def test_history_shows_runs_and_edits(cli: Cli, line: tuple[Path, Path, Path]) -> None:
    """Checksums, people, results, what was taken back, and how the file differs now."""
    one = line[0]
    apply(one)
    list(running.roll_back(read_migration(one)))
    apply(one)
    one.write_text(one.read_text() + "  tables: [{name: regions, where: id > 1}]\n")

    said = cli("history", one)
    told = json.loads(cli("history", one, "--json").out)

    assert "rolled back" in said.out
    assert "the file was edited since: +   where: id > 1" in said.out
    assert [r["result"] for r in told["runs"]] == ["rolled back", "applied"]
    refused = cli("run", one)
    assert refused.code == 8
    assert "plan: table regions: changed: where '' → id > 1" in refused.err
    assert "changed since the run: file: +   where: id > 1" in cli("plan", one).out

    assert "file: +   where: id > 1" in cli("acknowledge", one).out
    settled = cli("run", one)
    assert (settled.code, "nothing is run" in settled.err) == (0, True)
    assert "acknowledged by" in cli("history", one).out


def test_drift_is_shown_and_acknowledged(
    cli: Cli, shop: Path, line: tuple[Path, Path, Path]
) -> None:
    """Status and plan name it, a run is refused, a word of yours makes it the record."""
    apply(line[0])
    with duckdb.connect(str(shop.with_name("target.duckdb"))) as target:
        target.execute("ALTER TABLE regions ADD COLUMN more INTEGER")

    assert "column more: added" in cli("status", line[0]).out
    assert "drift: table main.regions, column more: added" in cli("plan", line[1]).out
    assert cli("run", line[1]).code == 8
    assert cli("acknowledge", line[0], "--drift").code == 0
    assert "drift: " not in cli("plan", line[1]).out


def test_baseline_marks(cli: Cli, shop: Path, line: tuple[Path, Path, Path]) -> None:
    """Without its tables it is refused; with them it counts as applied."""
    assert cli("baseline", line[0]).code == 5
    apply(line[0])
    with duckdb.connect(str(shop.with_name("target.duckdb"))) as target:
        target.execute("DROP SCHEMA datamig CASCADE")

    assert cli("baseline", line[0], "--json").code == 0
    assert "one (baseline) <- here" in cli("status", line[0]).out
    apply(line[1])


def test_saved_plan_and_approval(cli: Cli, shop: Path) -> None:
    """plan --save writes a file; approve --plan holds to it; run is refused without."""
    path = write(shop, "one", "regions", "  approval: {required: true}\n")
    plan = json.loads(cli("plan", path, "--save", "--json").out)

    assert json.loads(Path(plan["saved"]).read_text())["fingerprint"] == plan["fingerprint"]
    assert plan["refusal"]["code"] == "DM622"
    refused = cli("run", path, "--plan", plan["fingerprint"])
    assert (refused.code, "DM622" in refused.err) == (8, True)
    assert cli("approve", path, "--plan", "abc").code == 5
    given = cli("approve", path, "--plan", plan["fingerprint"], "--as", "anna", "--json")
    assert json.loads(given.out)["who"] == "anna"
    assert "approval: given by anna" in cli("plan", path).out
    assert "approved by anna until" in cli("history", path).out
