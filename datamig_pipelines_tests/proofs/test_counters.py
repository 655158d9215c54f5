"""Counters stand behind the data."""

import pytest

from datamig_pipelines.proofs import PROOFS

TABLE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t VALUES (5); DELETE FROM t"
)


@pytest.mark.parametrize(
    ("here", "verdict"),
    [
        ("", "equal"),
        ("INSERT INTO t VALUES (9)", "equal"),
        ("UPDATE sqlite_sequence SET seq = 4", "different"),
        ("UPDATE sqlite_sequence SET seq = 100", "equal"),
    ],
)
def test_counters_go_on_behind_everything_given_out(prepare, here, verdict):
    """A number that the source gave out once is not given out again, even if its row is gone."""
    assert PROOFS["counters"].prove(prepare(TABLE, here)).verdict == verdict
