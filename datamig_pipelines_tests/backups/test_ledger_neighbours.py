"""Backups of targets in which something leans on a ledger, or a ledger of others lies."""

import json
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.dialects.mysql import backup as mysql_backup
from datamig_pipelines.errors import RestoreError
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.engines import Server
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TARGETS = ("pg_url", "mariadb_url", "sqlite_url", "duckdb_url")


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database with a table of its own."""
    made = going(shop_url, request.getfixturevalue(request.param), include=["regions"])
    made.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY)", "INSERT INTO mine VALUES (1), (2)")
    return made


def ledger_table(made: Journey) -> str:
    """Return the quoted name of the ledger's table of runs."""
    return "datamig.run" if made.place("target").dialect.can.schemas else "datamig_run"


def backed_up(made: Journey) -> dict[str, Any]:
    """Run the step and return what it says."""
    done = [e for e in running.run_step(made.migration, None, "backup") if isinstance(e, StepDone)]
    return done[0].detail


def lean(made: Journey) -> None:
    """Make a view on the ledger and, where that can be, a table that refers to a row of it."""
    runs = ledger_table(made)
    made.ask(f"CREATE VIEW {made.named('my_runs')} AS SELECT run_id, status FROM {runs}")
    if made.target_url.startswith("postgresql"):
        made.ask(
            f"CREATE TABLE public.notes (run_id text REFERENCES {runs} (run_id), note text)",
            f"INSERT INTO public.notes SELECT run_id, 'mine' FROM {runs}",
        )


@pytest.mark.parametrize("step", ["schema", "load"])
def test_step_by_itself_keeps_the_target_first(step: str, journey: Journey) -> None:
    """A step that writes makes the backup first, so that the way back leads to before it."""
    before = journey.catalog()
    if step == "load":
        journey.refused(lambda m: running.run_step(m, None, step))
    else:
        list(running.run_step(journey.migration, None, step))
    (kept,) = running.list_backups(journey.migration)
    journey.run()

    list(running.roll_back(journey.migration, by_restore=True))

    assert (kept["verified"], kept["tables"]) == ("restore", 1)
    assert len(running.list_backups(journey.migration)) == 2, "that one, and the safety dump"
    assert journey.catalog() == before


def test_what_leans_on_the_ledger_is_kept_and_comes_back(journey: Journey) -> None:
    """A view on the ledger and a reference to a run are proven, restored, and the ledger stays."""
    own, journey.attributes = journey.attributes, {"name": "other", "include": ["countries"]}
    journey.run()
    journey.attributes = own
    lean(journey)

    journey.run()
    journey.ask("DELETE FROM mine", f"DROP VIEW {journey.named('my_runs')}")
    list(running.roll_back(journey.migration, by_restore=True))

    assert len(journey.rows("mine")) == 2
    assert sorted(journey.rows("my_runs", "status")) == [("done",), ("rolled_back",)]
    if journey.target_url.startswith("postgresql"):
        assert len(journey.ask("SELECT * FROM public.notes")) == 1
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


def test_ledger_of_another_migration_stays(journey: Journey) -> None:
    """Rows that another migration has in the ledger are those of today, not of the backup."""
    journey.run()
    other = {"name": "other", "include": ["countries"]}
    first, journey.attributes = journey.attributes, other
    lean(journey)
    journey.run()
    journey.ask("DELETE FROM mine")

    list(running.roll_back(journey.migration, by_restore=True))

    assert len(journey.rows("mine")) == 2
    assert len(journey.rows("my_runs")) == 2
    journey.attributes = first
    assert running.status(journey.migration)["runs"][-1]["status"] == "done"
    list(running.roll_back(journey.migration))
    assert [t.name.name for t in journey.catalog().tables if t.name.name == "regions"] == []


def test_user_called_as_the_ledger_is_backed_up(
    pg_url: str, shop_url: str, going: Going, postgres_server: Server
) -> None:
    """For the user ``datamig``, bare names of psql mean the ledger's schema: an extension there."""
    journey = going(shop_url, pg_url, include=["regions"])
    own, journey.attributes = journey.attributes, {"name": "other", "include": ["countries"]}
    journey.run()
    journey.attributes = own
    database = pg_url.rpartition("/")[2]
    postgres_server.query(database, "CREATE EXTENSION hstore")
    postgres_server.query(database, "CREATE TABLE public.tagged (id int, tags hstore)")
    postgres_server.query(database, "INSERT INTO public.tagged VALUES (1, 'a=>1')")

    detail = backed_up(journey)
    postgres_server.query(database, "DELETE FROM public.tagged")
    list(running.roll_back(journey.migration, by_restore=True))

    assert detail["verified"] == "restore"
    assert len(journey.rows("tagged", "id")) == 1


def test_ledger_of_a_server_can_be_left_out_by_hand(
    mariadb_url: str, shop_url: str, going: Going
) -> None:
    """On MySQL what the ledger looks like stands in a file of its own; a restore skips it."""
    journey = going(shop_url, mariadb_url, include=["regions"])
    journey.ask("CREATE TABLE mine (id INTEGER)")
    detail = backed_up(journey)
    names = [
        f["name"]
        for f in json.loads((Path(detail["folder"]) / "manifest.json").read_text())["files"]
    ]

    assert names == [mysql_backup.LEDGER_FILE, "mysql.sql.gz"]


def test_view_beside_the_ledger_is_not_dropped_in_silence(
    pg_url: str, shop_url: str, going: Going
) -> None:
    """A view of others in the ledger's schema would go with its table: refused, nothing changed."""
    journey = going(shop_url, pg_url, include=["regions"])
    journey.ask("CREATE TABLE mine (id INTEGER PRIMARY KEY)", "INSERT INTO mine VALUES (1), (2)")
    journey.run()
    journey.ask("CREATE VIEW datamig.odd AS SELECT id FROM public.mine", "DELETE FROM mine")

    error = journey.refused(lambda m: running.roll_back(m, by_restore=True))
    there = journey.ask("SELECT * FROM datamig.odd")
    journey.ask("DROP VIEW datamig.odd")
    list(running.roll_back(journey.migration))

    assert isinstance(error, RestoreError)
    assert "odd" in error.message
    assert there == []
    assert len(journey.rows("mine")) == 2
