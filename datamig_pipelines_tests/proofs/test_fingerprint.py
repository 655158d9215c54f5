"""Comparing every value."""

import pytest

from datamig_pipelines.ledger import TableState
from datamig_pipelines.proofs import PROOFS

TABLE = """CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, c BLOB,
  twice INTEGER AS (id * 2));
INSERT INTO t VALUES (1, 'x', 0.1, x'00'), (2, '', NULL, NULL), (3, NULL, -0.5, x'')"""


@pytest.mark.parametrize(
    ("here", "verdict", "named"),
    [
        ("", "equal", ""),
        ("UPDATE t SET a = 'X' WHERE id = 1", "different", "differs in a"),
        ("UPDATE t SET a = NULL WHERE id = 2", "different", "differs in a"),
        ("UPDATE t SET a = '' WHERE id = 3", "different", "differs in a"),
        ("UPDATE t SET b = 0.10000000000000002 WHERE id = 1", "different", "differs in b"),
        ("UPDATE t SET c = NULL WHERE id = 3", "different", "differs in c"),
        ("UPDATE t SET id = 9 WHERE id = 3", "different", "differs in id, twice"),
        (
            "UPDATE t SET a = CASE id WHEN 1 THEN '' ELSE 'x' END WHERE id < 3",
            "different",
            "other rows",
        ),
    ],
)
def test_fingerprint_finds_any_changed_value(prepare, here, verdict, named):
    """One value, NULL for '' or two values swapped: all are found, and the column is named."""
    result = PROOFS["fingerprint"].prove(prepare(TABLE, here))

    assert (result.verdict, named in result.detail) == (verdict, True)


def test_fingerprint_compares_what_the_target_computes(prepare):
    """A generated column that computes something else is found, though nobody loaded it."""
    other = "DROP TABLE t; " + TABLE.replace("id * 2", "id * 3")

    assert "differs in twice;" in PROOFS["fingerprint"].prove(prepare(TABLE, other)).detail


def test_fingerprint_with_rejects_is_not_comparable(prepare):
    """Rows that were set aside make the sums differ: no green, and no false alarm."""
    evidence = prepare(TABLE, "DELETE FROM t WHERE id = 1", state=TableState(rows_rejected=1))

    assert PROOFS["fingerprint"].prove(evidence).verdict == "not comparable"


def test_fingerprint_keeps_the_filter_together(prepare):
    """The filter's OR counts as one condition."""
    evidence = prepare(
        TABLE, "DELETE FROM t WHERE id = 3", tables=[{"name": "t", "where": "id = 1 OR id = 2"}]
    )

    assert PROOFS["fingerprint"].prove(evidence).verdict == "equal"
