"""What the plan says of the backup is what the step does."""

import pytest

from datamig_pipelines import running
from datamig_pipelines.planning.risks import risks
from datamig_pipelines_tests.backups.test_backup_step import backed_up, filled
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.journey import Journey

TARGETS = ("pg_url", "mariadb_url", "sqlite_url", "duckdb_url")


@pytest.fixture(params=TARGETS)
def journey(request: pytest.FixtureRequest, shop_url: str, going: Going) -> Journey:
    """A migration into a database with a parent, a child, and a table of its own."""
    return filled(going(shop_url, request.getfixturevalue(request.param), include=["regions"]))


@pytest.fixture
def pg_journey(pg_url: str, shop_url: str, going: Going) -> Journey:
    """The same into PostgreSQL."""
    return filled(going(shop_url, pg_url, include=["regions"]))


def test_size_decides_how_it_is_verified_and_the_plan_says_so(journey: Journey) -> None:
    """Above verify_restore_max_bytes only checksums are compared; plan and manifest tell."""
    journey.attributes["backup"] = {"verify_restore_max_bytes": 10}
    told = running.look(journey.migration).context.notes
    journey.attributes["backup"] = {}
    proven = running.look(journey.migration).context.notes
    journey.attributes["backup"] = {"verify_restore_max_bytes": 10}
    detail = backed_up(journey)

    assert any("NOT by a restore" in n for n in told)
    assert "backup: verified by a restore into a scratch database" in proven
    assert (detail["verified"], detail["recovery_s"]) == ("checksum", None)


@pytest.mark.parametrize("target", ["pg_url", "duckdb_url"])
def test_plan_counts_the_tables_of_all_schemas(
    target: str, request: pytest.FixtureRequest, shop_url: str, going: Going
) -> None:
    """What lies in another schema is kept as well, so the plan says it, with its size."""
    journey = going(shop_url, request.getfixturevalue(target), include=["regions"])
    journey.ask("CREATE SCHEMA elsewhere", "CREATE TABLE elsewhere.big AS SELECT 1 AS i")
    journey.attributes["backup"] = {"verify_restore_max_bytes": 10}

    told = [n for n in running.look(journey.migration).context.notes if "backup" in n]
    detail = backed_up(journey)

    assert told[0].startswith("backup of the target (1 tables")
    assert "NOT by a restore" in told[1]
    assert detail["verified"] == "checksum"


def test_plan_says_what_the_backup_does(pg_journey: Journey) -> None:
    """Where it goes, how it is proven and what is deleted are notes of the plan."""
    pg_journey.attributes["backup"] = {"to": "./kept", "keep": 3, "source": True}

    told = [n for n in running.look(pg_journey.migration).context.notes if "backup" in n]

    assert told[0].startswith("backup of the target (3 tables")
    assert told[0].endswith("to ./kept")
    assert told[1] == "backup: verified by a restore into a scratch database"
    assert told[2] == "backup of the source to ./kept"
    assert "the newest 3" in told[3]


def test_tables_only_keeps_nothing_and_says_so(journey: Journey) -> None:
    """A run makes the tables that it writes to: plan, risks and step say that nothing is kept."""
    journey.attributes["backup"] = {"what": "tables"}
    plan = running.look(journey.migration)

    detail = backed_up(journey)

    assert any("nothing of the target is kept" in n for n in plan.context.notes)
    assert any("the only way back is undo" in r for r in risks(plan))
    assert detail["kept"].startswith("nothing")
