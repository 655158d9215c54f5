"""A restore that is killed again and again, each time elsewhere, ends well in the end."""

from collections import Counter

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import LedgerError
from datamig_pipelines_tests.scenarios.conftest import Going
from datamig_pipelines_tests.scenarios.s08_rollback.test_restore import (
    OTHER,
    TABLES,
    TARGETS,
    filled,
    spoilt,
)

POINTS = ("every byte of the backup", "backup of", "restoring", "restored; comparing")


@pytest.mark.parametrize("target", TARGETS)
def test_restore_killed_at_every_point_goes_on(
    target: str, request: pytest.FixtureRequest, shop_url: str, going: Going
) -> None:
    """Killed after the check, after the safety dump, in the restore and before the proof."""
    journey = filled(going(shop_url, request.getfixturevalue(target), include=TABLES))
    before = journey.catalog()
    journey.run()
    spoilt(journey)

    killed = []
    for point in POINTS:
        process = journey.start("restore")
        for event in process.told():
            if event.get("text", "").startswith(point):
                break
        if process.kill():
            killed.append(point)
            status = running.status(journey.migration)["runs"][-1]["status"]
            if status == "rolling_back":
                assert isinstance(journey.refused(), LedgerError)
    list(running.roll_back(journey.migration, by_restore=True))

    assert "restored; comparing" in killed
    after = journey.catalog()
    assert [t.columns for t in after.tables] == [t.columns for t in before.tables]
    assert after.views == before.views
    assert Counter(journey.rows("other", "n, t, m")) == Counter(OTHER)
    assert sorted(journey.rows("mine")) == [(1, "a"), (2, "b")]
    assert running.status(journey.migration)["runs"][-1]["status"] == "rolled_back"
    journey.run()
    assert set(journey.verdicts()) == {"equal"}
