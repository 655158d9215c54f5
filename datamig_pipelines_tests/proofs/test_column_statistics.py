"""Comparing what all values of a column have together."""

import pytest

from datamig_pipelines import running
from datamig_pipelines.ledger import TableState
from datamig_pipelines.proofs import PROOFS, ProofResult
from datamig_pipelines_tests.scenarios.conftest import (
    going,
    pg_shop_url,
    shop_master,
    shop_path,
    shop_url,
)

__all__ = ["going", "pg_shop_url", "shop_master", "shop_path", "shop_url"]

TABLE = """CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n DECIMAL(10,2), d TIMESTAMP, b BOOLEAN);
INSERT INTO t VALUES (1, 'x', 0.1, '2020-01-01 10:00:00', 1), (2, 'ä', 0.2, NULL, 0),
 (3, NULL, NULL, '2021-01-01 10:00:00', NULL)"""
TARGETS = ("pg_url", "mariadb_url", "duckdb_url", "sqlite_url")


@pytest.mark.parametrize(
    ("here", "source", "target"),
    [
        ("UPDATE t SET a = NULL WHERE id = 1", "a: NULLs 1, a: sum 2", "a: NULLs 2, a: sum 1"),
        ("UPDATE t SET n = 0.3 WHERE id = 2", "n: most 0.2, n: sum 0.3", "n: most 0.3, n: sum 0.4"),
        (
            "UPDATE t SET n = 0.15 WHERE id = 1",
            "n: least 0.1, n: sum 0.3",
            "n: least 0.15, n: sum 0.35",
        ),
        (
            "UPDATE t SET d = '2022-01-01 10:00:00' WHERE id = 1",
            "d: least 2020-01-01 10:00:00, d: most 2021-01-01 10:00:00",
            "d: least 2021-01-01 10:00:00, d: most 2022-01-01 10:00:00",
        ),
        ("UPDATE t SET b = 0 WHERE id = 1", "b: sum 9", "b: sum 10"),
    ],
)
def test_column_that_differs_is_named_with_both_figures(prepare, here, source, target):
    """A changed value moves a figure of its column, and of no other."""
    result = PROOFS["column_statistics"].prove(prepare(TABLE, here))

    assert (result.verdict, result.source, result.target) == ("different", source, target)
    assert result.detail == f"differs in {source[0]}"


def test_statistics_of_equal_tables_are_equal(prepare):
    """Nothing changed, nothing is found."""
    assert PROOFS["column_statistics"].prove(prepare(TABLE)).verdict == "equal"


def test_statistics_with_unknown_rejects_are_not_comparable(prepare):
    """Rows that cannot be left out make no alarm and no green."""
    evidence = prepare(TABLE, "DELETE FROM t WHERE id = 1", state=TableState(rows_rejected=1))

    assert PROOFS["column_statistics"].prove(evidence).verdict == "not comparable"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", ["shop_url", "pg_shop_url"])
def test_every_pair_of_engines_has_the_same_figures(request, going, source, target):
    """A shop that arrived has equal statistics, whichever engines stand on both sides."""
    names = ["column_statistics"]
    journey = going(
        request.getfixturevalue(source),
        request.getfixturevalue(target),
        validate={"proofs": names},
        backup={"verify": "none"},
    )
    journey.run()

    results = [e for e in running.validate(journey.migration) if isinstance(e, ProofResult)]

    assert [(r.table, r.source, r.target) for r in results if r.verdict == "different"] == []
    assert {r.proof for r in results} == set(names)
    assert sum(r.verdict == "equal" for r in results) > 10
