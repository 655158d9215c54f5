"""Forward, back, and forward again: the target is as it was, whatever happened on the way."""

import json
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import (
    ConnectError,
    DatamigError,
    LedgerError,
    LossesError,
    PlanChangedError,
    RejectsError,
    TransformError,
)
from datamig_pipelines.steps import StepDone
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TABLES = [
    "regions",
    "countries",
    "customers",
    "categories",
    "orders",
    "stores",
    "employees",
    "events",
]
TARGETS = ("pg_url", "sqlite_url", "duckdb_url", "mariadb_url")
OTHER = [(1, "one", None), (2, "zwei ✓", 2), (2, "zwei ✓", 2)]


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database that holds something else already."""
    made = going(shop_url, request.getfixturevalue(request.param), batch_size=50, include=TABLES)
    made.ask(
        "CREATE TABLE mine (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)",
        "INSERT INTO mine VALUES (1, 'a'), (2, 'b')",
        "CREATE TABLE other (n INTEGER, t VARCHAR(20), m INTEGER)",
        "INSERT INTO other VALUES (1, 'one', NULL), (2, 'zwei ✓', 2), (2, 'zwei ✓', 2)",
        "CREATE VIEW looked AS SELECT id FROM mine",
    )
    return made


def test_rollback_leaves_the_target_as_it_was(journey: Journey) -> None:
    """After forward and back, the catalog and the rows that were there before are untouched."""
    before = journey.catalog()

    events = journey.run()
    between = journey.catalog()
    last = list(running.roll_back(journey.migration))[-1]

    backup = next(e for e in events if isinstance(e, StepDone) and e.step == "backup")
    assert backup.detail["verified"] == "restore"
    assert backup.detail["recovery_s"] is not None
    assert (Path(backup.detail["folder"]) / "manifest.json").is_file()
    assert len(between.tables) == len(before.tables) + len(TABLES)
    assert isinstance(last, StepDone)
    assert journey.catalog() == before
    assert Counter(journey.rows("other", "n, t, m")) == Counter(OTHER)
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_forward_works_again_after_a_rollback(journey: Journey) -> None:
    """Forward, back, forward, back, forward: each run is a new one and proves every table."""
    before = journey.catalog()
    for _ in range(2):
        journey.run()
        list(running.roll_back(journey.migration))
        assert journey.catalog() == before

    journey.run()

    assert set(journey.verdicts()) == {"equal"}
    assert len(journey.run_ids()) == 3


SOAK = [pytest.param(steps, marks=pytest.mark.slow) for steps in (3, 5)]


@pytest.mark.parametrize("steps", [1, 4, *SOAK])
def test_killed_rollback_goes_on(steps: int, journey: Journey) -> None:
    """A rollback that is killed after any step is finished by the next one, not by a run."""
    before = journey.catalog()
    journey.run()

    process = journey.start("rollback")
    assert process.wait_for("StepDone", steps)
    assert process.kill()
    # It may have died between its last word to the ledger and its end: then it is through.
    if running.status(journey.migration)["runs"][-1]["status"] != "rolled_back":
        assert isinstance(journey.refused(), LedgerError), "a run on a half undone target"
        list(running.roll_back(journey.migration))

    assert journey.catalog() == before
    shown = running.status(journey.migration)
    assert (shown["tables"], shown["proofs"]) == ({}, []), "nothing of it is loaded any more"
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


@pytest.mark.parametrize("written", [0, 1])
def test_killed_rollback_knows_what_the_load_brought(
    written: int, pg_url: str, pg_url2: str, going: Going
) -> None:
    """Begun again it asks no yes for the load's own rows, and one for those written meanwhile."""
    journey = going(pg_url2, pg_url)
    journey.ask(
        "CREATE TABLE kept (id INTEGER PRIMARY KEY)",
        "INSERT INTO kept SELECT * FROM generate_series(1, 50)",
        side="source",
    )
    before = journey.catalog()
    journey.run()
    process = journey.start("rollback")
    assert process.wait_for("StepDone", 4)
    assert process.events[-1]["step"] == "load"
    assert process.kill()
    if written:
        journey.ask("INSERT INTO kept VALUES (1000)")
        error = journey.refused(partial(running.roll_back, lossless=True))
        assert isinstance(error, LossesError)
        assert "!! 1 OF THEM WERE WRITTEN SINCE" in error.message

    list(running.roll_back(journey.migration, lossless=not written))

    assert journey.catalog() == before


def test_killed_run_can_be_taken_back(journey: Journey) -> None:
    """A run that was killed under its load is taken back as well as a finished one."""
    before = journey.catalog()
    process = journey.start()
    assert process.wait_for("Progress", 8)
    process.kill()

    list(running.roll_back(journey.migration))

    assert journey.catalog() == before
    journey.run()
    assert set(journey.verdicts()) == {"equal"}


def test_losses_count_the_rows_written_since(journey: Journey) -> None:
    """`losses` names each table with its rows now and the rows that the load brought."""
    journey.run()
    journey.ask(
        "INSERT INTO regions (id, code, name) VALUES (900, 'NEW', 'new')",
        "INSERT INTO regions (id, code, name) VALUES (901, 'NEW2', 'new2')",
    )

    found = {loss.table.rpartition(".")[2]: loss for loss in running.losses(journey.migration)}

    assert set(found) == set(TABLES)
    assert {t for t, loss in found.items() if loss.rows != loss.loaded} == {"regions"}
    assert found["regions"].rows == found["regions"].loaded + 2


def test_rollback_needs_no_source(journey: Journey, shop_path: Path) -> None:
    """With the source gone, the target is taken back all the same."""
    before = journey.catalog()
    journey.run()
    shop_path.unlink()

    list(running.roll_back(journey.migration))

    assert journey.catalog() == before


def test_nothing_to_take_back_is_said(journey: Journey) -> None:
    """A rollback without a run, or a second one, ends with LedgerError and changes nothing."""
    before = journey.catalog()

    first = journey.refused(running.roll_back)
    journey.run()
    list(running.roll_back(journey.migration))
    second = journey.refused(running.roll_back)

    assert isinstance(first, LedgerError)
    assert isinstance(second, LedgerError)
    assert journey.catalog() == before


def test_rollback_drops_nothing_that_was_made_later(journey: Journey) -> None:
    """A table that somebody made after the run stays, and is named; the rollback ends well."""
    journey.run()
    later = journey.named("later")
    journey.ask(f"CREATE TABLE {later} (id INTEGER)", f"INSERT INTO {later} VALUES (5)")

    last = list(running.roll_back(journey.migration))[-1]

    assert isinstance(last, StepDone)
    assert [n.endswith("later") for n in last.detail["made by others since"]] == [True]
    assert journey.rows("later") == [(5,)]
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_missing_table_of_others_is_said(journey: Journey) -> None:
    """A table that was there before the run and is not there after the way back is named."""
    journey.run()
    journey.ask(f"DROP TABLE {journey.named('other')}")

    error = journey.refused(running.roll_back)

    assert isinstance(error, LedgerError)
    assert "other" in error.message


# ---- rollback: {on_failure: undo}


def test_failed_run_is_undone_where_the_spec_says_so(journey: Journey) -> None:
    """With ``on_failure: undo`` a failure takes back what the run made and is raised itself."""
    before = journey.catalog()
    module = journey.folder / "broken.py"
    module.write_text(
        "import polars as pl\ndef load(f: pl.DataFrame) -> pl.DataFrame:\n    return 1 / 0\n"
    )
    journey.attributes["tables"] = [{"name": "orders", "transform": "broken.load"}]
    journey.attributes["rollback"] = {"on_failure": "undo"}

    error = journey.refused()

    assert isinstance(error, TransformError)
    assert journey.catalog() == before
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"


def test_finished_run_is_never_undone_by_a_later_failure(journey: Journey, shop_path: Path) -> None:
    """What was finished once stays, though a repetition fails before or in its steps."""
    journey.attributes["rollback"] = {"on_failure": "undo"}
    journey.run()
    journey.ask(f"DELETE FROM {journey.named('events')} WHERE level = 'info'")
    after = journey.catalog()

    journey.ask("ALTER TABLE regions ADD COLUMN more INTEGER", side="source")
    changed = journey.refused()
    shop_path.unlink()
    gone = journey.refused()

    assert isinstance(changed, PlanChangedError)
    assert isinstance(gone, ConnectError)
    assert journey.catalog() == after


def test_undo_on_failure_keeps_the_report_of_rejects(
    journey: Journey,
) -> None:
    """Rejects that the spec does not allow are a failure; the report still shows them."""
    before = journey.catalog()
    journey.attributes["include"] = ["reviews"]
    journey.attributes["rollback"] = {"on_failure": "undo"}
    journey.ask(
        "PRAGMA ignore_check_constraints = ON",
        "UPDATE reviews SET rating = 9 WHERE id = 5",
        side="source",
    )

    error = _refused_with(journey, RejectsError)

    assert "reviews" in error.message
    assert journey.catalog() == before
    reports = [*journey.folder.rglob("report.json"), *journey.migration.home.rglob("report.json")]
    assert reports
    rejects = json.loads(reports[0].read_text())["rejects"]
    assert [r["table"] for r in rejects] == ["reviews"]


def _refused_with(journey: Journey, kind: type[DatamigError]) -> DatamigError:
    error = journey.refused()
    assert isinstance(error, kind), error
    return error
