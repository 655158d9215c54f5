"""direction: of a job goes along the line, through the jobs of the other migrations."""

from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml

from datamig_pipelines import spec
from datamig_pipelines.orchestration.component import Migration
from datamig_pipelines.running import approve, moves, standing
from datamig_pipelines_tests.orchestration.conftest import write_books
from datamig_pipelines_tests.orchestration.test_jobs import _failure as failure

TABLES = {"one": "authors", "two": "loans-2024"}


class Shelf:
    """Two migrations of the library, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_books(folder / "books.sqlite")
        before = ""
        for name in TABLES:
            self.write(name, **({"after": before} if before else {}))
            before = name

    def write(self, name: str, **more: Any) -> None:
        """Write the file of one of them."""
        attributes = {
            "name": name,
            "source": {"url": "sqlite:///../books.sqlite"},
            "target": {"url": "duckdb:///../target.duckdb"},
            "include": [TABLES[name]],
            **more,
        }
        path = self.folder / name / "defs.yaml"
        path.parent.mkdir(exist_ok=True)
        document = {"type": "datamig_pipelines.Migration", "attributes": attributes}
        path.write_text(yaml.safe_dump(document))

    def read(self, name: str) -> spec.Migration:
        """Return one of them as its file is now."""
        return spec.read_migration(self.folder / name / "defs.yaml")

    def run(self, instance: dg.DagsterInstance, name: str, job: str = "", **config: Any) -> Any:
        """Execute a job with the flat run configuration."""
        context = dg.ComponentTree.for_test().load_context
        found = Migration(self.read(name)).build_defs(context).resolve_job_def(job or name)
        return found.execute_in_process(
            instance=instance, raise_on_error=False, run_config=config or None
        )

    def tables(self) -> set[str]:
        """Return what the target holds."""
        path = self.folder / "target.duckdb"
        if not path.exists():
            return set()
        with duckdb.connect(str(path), read_only=True) as target:
            sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'"
            return {row[0] for row in target.execute(sql).fetchall()}

    def drawn(self) -> list[str]:
        """Return the states of the line."""
        return [v.state for v in standing(self.read("one"))]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Nothing is applied yet."""
    return Shelf(tmp_path)


def jobs(instance: dg.DagsterInstance) -> list[str]:
    """Return the jobs of the instance's runs that ended well, first to last."""
    done = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS])
    return [r.job_name for r in reversed(instance.get_runs(done))]


def test_latest_walks_the_line_from_any_of_its_jobs(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """Each migration is a run of its own job, in order; what is done is not done again."""
    assert shelf.run(instance, "one", direction="latest").success
    assert shelf.tables() == set(TABLES.values())
    assert jobs(instance) == ["one", "one", "two"]

    assert shelf.run(instance, "one", direction="latest").success
    assert jobs(instance)[3:] == ["one"]
    assert shelf.run(instance, "two", direction="one").success
    assert shelf.drawn() == ["applied", "pending"]
    assert shelf.run(instance, "two", direction="down").success
    assert shelf.tables() == set()


def test_own_move_at_the_end_is_made_by_the_assets_of_the_job(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """What comes before is walked, then the job itself goes on: its tables are its own assets."""
    result = shelf.run(instance, "two", direction="two")

    assert result.success
    assert jobs(instance) == ["two", "one"]
    made = {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}
    assert {"two/plan", "two/report"} <= made
    assert shelf.drawn() == ["applied", "applied"]


def test_without_a_direction_nothing_else_is_moved(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """A job alone is refused while the one before it is not applied."""
    assert failure(shelf.run(instance, "two")).metadata["code"].value == "DM620"
    assert shelf.tables() == set()


@pytest.mark.parametrize("config", [{"dry_run": True}, {"job": "two_plan"}])
def test_walk_that_is_only_shown_moves_nothing(
    shelf: Shelf, instance: dg.DagsterInstance, config: dict[str, Any]
) -> None:
    """A dry run and the plan's own job say what would be done, forward and back."""
    assert shelf.run(instance, "two", direction="latest", **config).success
    assert shelf.tables() == set()
    assert shelf.run(instance, "one").success

    assert shelf.run(instance, "two", direction="down", **config).success
    assert shelf.run(instance, "one", **{**config, "job": "one_plan"}, direction="down").success
    assert shelf.drawn() == ["applied", "pending"]


def test_walk_stops_where_a_move_fails_and_goes_on_from_there(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """The failure names the job, why it stopped and what was not reached; approved, it goes on."""
    shelf.write("two", after="one", approval={"required": True, "by": ["anna"]})

    stopped = failure(shelf.run(instance, "one", direction="latest"))

    assert "the walk stopped at job two" in stopped.description
    assert "anna may approve it" in stopped.description
    assert shelf.drawn() == ["applied", "pending"]
    approve(shelf.read("two"), by="anna")
    assert shelf.run(instance, "one", direction="latest").success
    assert shelf.drawn() == ["applied"] * 2


def test_walk_over_an_edited_migration_is_refused(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """What is built upon has to be what its file says, or to be acknowledged."""
    assert shelf.run(instance, "one").success
    shelf.write("one", tables=[{"name": "authors", "where": "id > 5"}])

    refused = failure(shelf.run(instance, "two", direction="latest"))

    assert refused.metadata["code"].value == "DM602"
    assert "where '' → id > 5" in refused.description
    assert shelf.drawn() == ["applied", "pending"]
    assert [m.migration.name for m in moves(shelf.read("one"), "latest")] == ["two"]


def test_options_of_one_migration_do_not_fit_a_walk(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """tables and plan mean one of them."""
    refused = failure(shelf.run(instance, "two", direction="latest", tables=["loans-2024"]))

    assert "tables is for one migration" in refused.description


def test_ring_does_not_take_the_definitions_away(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    """All migrations of the project still load; a run of the ring is refused with advice."""
    shelf.write("one", after="two")
    context = dg.ComponentTree.for_test().load_context
    every = dg.Definitions.merge(
        *(Migration(shelf.read(name)).build_defs(context) for name in TABLES)
    )

    assert every.resolve_job_def("two")
    assert failure(shelf.run(instance, "two")).metadata["code"].value == "DM161"
