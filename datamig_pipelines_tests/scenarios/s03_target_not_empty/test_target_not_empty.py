"""The target has a table of that name already: nothing is touched."""

import pytest

from datamig_pipelines.errors import TargetNotEmptyError
from datamig_pipelines_tests.scenarios.conftest import Going

TARGETS = ("pg_url", "sqlite_url", "duckdb_url", "mariadb_url")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_taken_name_is_refused_and_nothing_is_touched(
    target: str, kind: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """A table or view of a planned name ends the run before it changed or logged anything."""
    journey = going(shop_url, request.getfixturevalue(target))
    body = "(id INTEGER)" if kind == "TABLE" else "AS SELECT 1 AS id"
    journey.ask("CREATE TABLE other (id INTEGER)", "INSERT INTO other VALUES (7)")
    journey.ask(f"CREATE {kind} customers {body}")
    before = journey.catalog()

    error = journey.refused()

    assert isinstance(error, TargetNotEmptyError)
    assert error.exit_code == 5
    assert "customers" in error.message
    assert journey.catalog() == before
    assert journey.ledger_tables() == []
    assert journey.rows("other") == [(7,)]


@pytest.mark.parametrize("target", TARGETS)
def test_other_tables_do_not_matter(
    target: str, shop_url: str, going: Going, request: pytest.FixtureRequest
) -> None:
    """A target with tables of other names is loaded, and those stay as they are."""
    journey = going(shop_url, request.getfixturevalue(target), include=["regions", "countries"])
    journey.ask("CREATE TABLE other (id INTEGER)", "INSERT INTO other VALUES (7)")

    journey.run()

    assert journey.rows("other") == [(7,)]
    assert len(journey.rows("countries")) == len(journey.rows("countries", side="source"))
