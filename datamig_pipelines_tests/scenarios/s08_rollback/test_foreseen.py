"""What a rollback says that it takes, before it does: no false alarm, and none left out."""

from typing import Any

import psycopg
import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import LossesError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.s08_rollback.test_restore import TARGETS

CHANGES = {
    "payments": "DELETE FROM {} WHERE id = 1",
    "events": "UPDATE {} SET message = 'other' WHERE level = 'info'",
}


@pytest.mark.parametrize("target", TARGETS)
def test_rollback_takes_nothing_foreign_until_somebody_writes(
    target: str, request: pytest.FixtureRequest, shop_url: str, going: Going
) -> None:
    """Every type of the shop: untouched, nothing is foreign; a change is found, and refused."""
    journey = going(shop_url, request.getfixturevalue(target), exclude=["order_lines"])
    journey.run()
    calm = running.foresee(journey.migration)
    for table, sql in CHANGES.items():
        journey.ask(sql.replace("{}", journey.named(table)))

    found = running.foresee(journey.migration)
    error = journey.refused(lambda m: running.roll_back(m, lossless=True))

    assert len(calm.taken) > 10
    assert [(one.table, one.told) for one in calm.foreign] == []
    assert {one.table.rpartition(".")[2] for one in found.foreign} == set(CHANGES)
    assert isinstance(error, LossesError)
    assert running.status(journey.migration)["runs"][-1]["status"] == "done"


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ({"source": {"schema": "*"}, "target": {"schema": "*"}}, "a.t"),
        ({"source": {"schema": "a"}, "tables": [{"name": "t", "rename": "Other"}]}, '"Other"'),
    ],
)
def test_rows_since_the_load_are_foreign_whatever_the_table_is_called(
    *, pg_url: str, pg_url2: str, going: Going, said: dict[str, Any], target: str
) -> None:
    """Renamed, or one of two of one name: counted by its own rows, without the help of values."""
    with psycopg.connect(pg_url, autocommit=True) as connection:
        for schema, rows in (("a", 3), ("b", 10)):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"CREATE TABLE {schema}.t (id integer PRIMARY KEY)")
            connection.execute(f"INSERT INTO {schema}.t SELECT generate_series(1, {rows})")
    source = {"url_env": "SCENARIO_SOURCE_URL", **said["source"]}
    place = {"url_env": "SCENARIO_TARGET_URL", **said.get("target", {})}
    rest = {name: value for name, value in said.items() if name == "tables"}
    proofs = {"proofs": ["row_count"]}
    journey = going(pg_url, pg_url2, source=source, target=place, validate=proofs, **rest)
    journey.run()
    calm = running.foresee(journey.migration)
    journey.ask(f"INSERT INTO {target} VALUES (100)")

    error = journey.refused(lambda m: running.roll_back(m, lossless=True))

    assert [one.told for one in calm.taken] in (["3 rows"], ["3 rows", "10 rows"])
    assert isinstance(error, LossesError)
    assert "4 rows  !! 1 OF THEM WERE WRITTEN SINCE THE LOAD" in error.message
