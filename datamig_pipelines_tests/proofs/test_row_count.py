"""Counting both sides."""

import pytest

from datamig_pipelines.ledger import TableState
from datamig_pipelines.proofs import PROOFS

THREE = "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)"


@pytest.mark.parametrize(
    ("here", "state", "verdict"),
    [
        ("", TableState(), "equal"),
        ("DELETE FROM t WHERE id = 1", TableState(), "different"),
        ("INSERT INTO t VALUES (4)", TableState(), "different"),
        ("DELETE FROM t WHERE id = 1", TableState(rows_rejected=1), "equal"),
        ("DELETE FROM t WHERE id < 3", TableState(rows_rejected=1, rows_filtered=1), "equal"),
        ("", TableState(rows_rejected=1), "different"),
    ],
)
def test_row_count_needs_every_row_accounted_for(prepare, here, state, verdict):
    """Source = target + rejected + filtered; a row too many is as wrong as one too few."""
    assert PROOFS["row_count"].prove(prepare(THREE, here, state=state)).verdict == verdict


def test_row_count_counts_what_the_filter_leaves(prepare):
    """Rows that the spec leaves out are not missed."""
    evidence = prepare(
        THREE, "DELETE FROM t WHERE id > 1", tables=[{"name": "t", "where": "id = 1 OR id = 9"}]
    )

    assert PROOFS["row_count"].prove(evidence).source == "1"
