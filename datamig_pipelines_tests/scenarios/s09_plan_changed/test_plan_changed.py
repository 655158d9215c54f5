"""The file or the source changes between two runs: what was begun is not mixed with it."""

from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import PlanChangedError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TABLES = ["regions", "countries", "customers"]
SPECS: dict[str, dict[str, Any]] = {
    "filter": {"tables": [{"name": "customers", "where": "points > 10"}]},
    "rename": {"tables": [{"name": "customers", "rename": "clients"}]},
    "cast": {"casts": [{"when": {"column": "customers.points"}, "to": "NUMERIC(20)"}]},
    "drop": {"tables": [{"name": "customers", "columns": {"phone": {"drop": True}}}]},
    "expression": {"tables": [{"name": "customers", "columns": {"phone": {"expression": "'x'"}}}]},
    "fewer tables": {"exclude": ["customers"]},
    "more tables": {"include": [*TABLES, "categories"]},
}
SOURCES = {
    "column": "ALTER TABLE customers ADD COLUMN more INTEGER",
    "index": "CREATE INDEX customers_name ON customers (full_name)",
    "table": "ALTER TABLE regions RENAME COLUMN name TO title",
}
HARMLESS: dict[str, dict[str, Any]] = {
    "batch size": {"batch_size": 7},
    "workers": {"workers": 1},
    "owners": {"owners": ["team:data"]},
    "backup": {"backup": {"verify": "none"}},
}
TARGETS = ("pg_url", "sqlite_url", "duckdb_url", "mariadb_url")


@pytest.fixture
def killed(shop_url: str, pg_url: str, going: Going) -> Journey:
    """A migration whose first run was killed under its load."""
    journey = going(shop_url, pg_url, batch_size=10, include=TABLES)
    process = journey.start()
    assert process.wait_for("Progress", 4)
    assert process.kill()
    return journey


@pytest.mark.parametrize("change", SPECS)
def test_changed_file_does_not_resume(change: str, killed: Journey) -> None:
    """With other rows, columns or tables the unfinished run is refused; rollback helps."""
    before, attributes = killed.batches(), dict(killed.attributes)
    killed.attributes |= SPECS[change]

    error = killed.refused()

    assert isinstance(error, PlanChangedError)
    assert error.exit_code == 8
    assert "rollback" in error.hint
    assert killed.batches() == before
    if change != "fewer tables":
        list(running.roll_back(killed.migration))
        killed.run()
    else:
        killed.attributes = attributes
        killed.run()
    assert set(killed.verdicts()) == {"equal"}


@pytest.mark.parametrize("change", SOURCES)
def test_changed_source_does_not_resume(change: str, killed: Journey) -> None:
    """With another schema of the source the unfinished run is refused; the ledger stays."""
    before = killed.batches()
    killed.ask(SOURCES[change], side="source")

    error = killed.refused()

    assert isinstance(error, PlanChangedError)
    assert killed.batches() == before


@pytest.mark.parametrize("change", HARMLESS)
def test_harmless_change_resumes(change: str, killed: Journey) -> None:
    """What does not decide which rows arrive may change: the run goes on behind its batches."""
    before = killed.batches()
    killed.attributes |= HARMLESS[change]

    killed.run()

    after = killed.batches()
    assert {k: e for k, e in after.items() if k in before} == before
    assert len(killed.run_ids()) == 1
    assert set(killed.verdicts()) == {"equal"}


@pytest.mark.parametrize("target", TARGETS)
def test_finished_run_is_not_copied_again(
    target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """The same plan a second time succeeds, copies nothing and writes no batch."""
    journey = going(
        shop_url, request.getfixturevalue(target), batch_size=50, include=[*TABLES, "events"]
    )
    journey.run()
    batches, rows = journey.batches(), len(journey.rows("events"))

    journey.run()

    assert journey.batches() == batches
    assert len(journey.rows("events")) == rows
    assert len(journey.run_ids()) == 1
    assert running.status(journey.migration)["runs"][-1]["status"] == "done"


def test_changed_file_does_not_touch_a_finished_run(
    shop_url: str, pg_url: str, going: Going
) -> None:
    """A finished run with another plan is refused, and the hint says how to go on."""
    journey = going(shop_url, pg_url, include=TABLES)
    journey.run()
    before = journey.catalog()
    journey.attributes |= SPECS["filter"]

    error = journey.refused()

    assert isinstance(error, PlanChangedError)
    assert "applied" in error.message
    assert journey.catalog() == before
    assert running.status(journey.migration)["runs"][-1]["status"] == "done"


def test_new_rows_of_the_source_are_no_new_plan(shop_url: str, pg_url: str, going: Going) -> None:
    """Rows that come between a kill and the next run change no plan; they are loaded."""
    journey = going(shop_url, pg_url, batch_size=10, include=["regions"])
    process = journey.start()
    assert process.wait_for("load")
    process.kill()
    journey.ask("INSERT INTO regions (id, code, name) VALUES (900, 'NEW', 'new')", side="source")

    journey.run()

    assert (900,) in journey.rows("regions", "id")
    assert set(journey.verdicts()) == {"equal"}
