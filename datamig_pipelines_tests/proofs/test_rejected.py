"""Rows that were rejected are left out of the source's side, and nothing else is."""

import pytest

from datamig_pipelines import running
from datamig_pipelines_tests.scenarios.conftest import Going, going
from datamig_pipelines_tests.scenarios.journey import Journey

__all__ = ["going"]

KEYS = {
    "number": ("id INTEGER PRIMARY KEY", "i"),
    "text": ("id VARCHAR(20) NOT NULL PRIMARY KEY", "'it''s ' || i"),
    "two": (
        "id INTEGER NOT NULL, at TIMESTAMP NOT NULL DEFAULT '2020-01-01 10:00:00.5', PRIMARY KEY (id, at)",
        "i",
    ),
    "none": (
        "rowid INTEGER, oid INTEGER, _rowid_ INTEGER, id INTEGER",
        "i",
    ),  # no row number either
}


def set_aside(going: Going, source: str, target: str, key: str, bad: int = 4) -> Journey:
    """Return a migration that set some rows aside: their numbers are no numbers."""
    declared, value = KEYS[key]
    columns, _, rest = declared.partition(", PRIMARY")
    table = f"CREATE TABLE t ({columns}, n INTEGER, name TEXT{', PRIMARY' + rest if rest else ''})"
    journey = going(
        source,
        target,
        rejects={"allow": ["t"], "abort_above": "100%"},
        backup={"verify": "none"},
    )
    journey.ask(
        table,
        "INSERT INTO t (id, n, name) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000) "
        f"SELECT {value}, CASE WHEN i <= {bad} THEN 'many' ELSE i END, 'x' FROM c",
        side="source",
    )
    journey.run()
    return journey


def fingerprint(journey: Journey) -> tuple[str, str]:
    """Return verdict and detail of the fingerprint."""
    (found,) = [
        p for p in running.status(journey.migration)["proofs"] if p["proof"] == "fingerprint"
    ]
    return found["verdict"], found["detail"]


@pytest.fixture
def source_url(tmp_path) -> str:
    """A SQLite file that is no target."""
    return f"sqlite:///{tmp_path / 'source.sqlite'}"


@pytest.mark.parametrize("key", ["number", "text", "two"])
def test_rest_is_compared_where_rejected_keys_are_known(going, source_url, pg_url, key):
    """Four rows are set aside: the other rows are proven equal, which the detail says."""
    journey = set_aside(going, source_url, pg_url, key)

    assert fingerprint(journey) == ("equal", "without the 4 rows that were rejected")
    assert running.status(journey.migration)["runs"][-1]["status"] == "done"


def test_fault_beside_rejected_rows_is_found(going, source_url, pg_url):
    """Rejects hide nothing: a changed row among the others is named, the rejected are not."""
    journey = set_aside(going, source_url, pg_url, "number")
    journey.ask("UPDATE t SET name = 'X' WHERE id = 77")

    journey.refused(running.validate)

    (one,) = running.diff(journey.migration)
    assert one.diff is not None
    assert [(d.key, d.column, d.cause) for d in one.diff.differences] == [
        ('["77"]', "name", "case")
    ]


@pytest.mark.parametrize(
    ("key", "bad", "why"),
    [("none", 4, "have no keys"), ("number", 1001, "more than 1000 cannot be left out")],
)
def test_rest_is_not_comparable_where_rows_cannot_be_left_out(
    going, source_url, pg_url, key, bad, why
):
    """Without keys, or with too many: not comparable, with the reason, and no row diff either."""
    journey = set_aside(going, source_url, pg_url, key, bad)

    verdict, detail = fingerprint(journey)
    (one,) = running.diff(journey.migration)

    assert verdict == "not comparable"
    assert why in detail
    assert (one.diff, one.verdict) == (None, "not comparable")


def test_reject_that_was_mended_in_the_source_is_not_comparable(going, source_url, pg_url):
    """A rejected key that is not in the source any more is no reason to leave something else out."""
    journey = set_aside(going, source_url, pg_url, "number")
    journey.ask("UPDATE t SET id = -1 WHERE id = 1", side="source")

    list(running.validate(journey.migration))

    verdict, detail = fingerprint(journey)
    assert verdict == "not comparable"
    assert "not all of them are found" in detail
