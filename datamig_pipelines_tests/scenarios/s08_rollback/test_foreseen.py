"""What a rollback says that it takes, before it does: no false alarm, and none left out."""

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
