"""Casts whose meaning is fixed have a form in which both sides are compared."""

import pytest

from datamig_pipelines import running
from datamig_pipelines_tests.scenarios.conftest import Going, going

__all__ = ["going"]

TABLE = (
    "CREATE TABLE t (id integer PRIMARY KEY, z timestamptz, p timestamp, d date, n integer, k time)",
    (
        "INSERT INTO t VALUES (1, '2020-06-01 10:00:00.25+02', '2020-06-01 10:00:00', '2020-06-01', 2147483647, '10:00:00.5'), "
        "(2, '1969-12-31 23:59:59+00', '1999-01-01 00:00:00.000001', '0044-03-15', -7, '00:00'), (3, NULL, NULL, NULL, NULL, NULL)"
    ),
)
WORDS = {  # target → timestamp, timestamptz, double
    "pg_url2": ("timestamp", "timestamptz", "double precision"),
    "duckdb_url": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "DOUBLE"),
    "mariadb_url": ("datetime(6)", "timestamp(6)", "double"),
}
CASTS = {"z": 0, "p": 1, "d": 0, "n": 2}


@pytest.mark.parametrize("target", WORDS)
def test_cast_with_a_fixed_meaning_is_proven(
    request, going: Going, pg_url: str, target: str
) -> None:
    """Instants become moments in UTC and back, dates midnights, integers floats: all comparable."""
    words = WORDS[target]
    casts = [{"when": {"column": f"t.{c}"}, "to": words[i]} for c, i in CASTS.items()]
    journey = going(pg_url, request.getfixturevalue(target), casts=casts, backup={"verify": "none"})
    journey.ask(*TABLE, side="source")
    if target == "mariadb_url":
        journey.ask("UPDATE t SET z = '1999-01-01 00:00:00+00' WHERE id = 2", side="source")

    journey.run()

    proofs = {
        p["proof"]: (p["verdict"], p["detail"]) for p in running.status(journey.migration)["proofs"]
    }
    assert proofs["fingerprint"] == ("equal", "")
    quoted = journey.named("t")
    journey.ask(f"UPDATE {quoted} SET z = '2020-06-01 10:00:00.25' WHERE id = 1")
    error = journey.refused(running.validate)
    assert "time zone: shifted by +02:00 in z (1)" in error.message
