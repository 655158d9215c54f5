"""Every fault is planted on every engine, and its proof finds it and names the place."""

import pytest

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.tampering import Spoil
from datamig_pipelines.faults import FAULTS, Fault
from datamig_pipelines.faults.rows import RowsLost
from datamig_pipelines.faults.values import Spoilt
from datamig_pipelines.running import Breaker

CANNOT = {  # engine → fault → why there is none
    "postgresql": {"collation_lost": "a column's own collation is left behind, as the plan says"},
    "mysql": {
        "boolean_flipped": "TINYINT(1) is an integer there and here: number_changed",
        "column_lost": "DDL cannot be rolled back, the values would be gone: column_renamed",
        "index_not_unique": "a unique index is a unique key: unique_lost",
        "index_invalid": "an index is there or not",
        "check_not_valid": "every check looks at all rows",
        "foreign_key_not_valid": "only rows that came while checks were off are not looked at",
        "foreign_key_disabled": "only a session can look away",
        "foreign_key_deferred": "every reference is checked at once",
        "unlogged": "every table of InnoDB outlives a crash",
    },
    "sqlite": {
        "single_precision": "no function makes a float narrower",
        "comment_lost": "there are no comments",
        "index_invalid": "an index is there or not",
        "check_not_valid": "checks have no state",
        "foreign_key_not_valid": "references have no state",
        "foreign_key_disabled": "every session says for itself whether references count",
        "unlogged": "a file has one journal for all tables",
    },
    "duckdb": {
        "orphan": "references count at all times",
        "unique_lost": "unique keys arrive as unique indexes: index_lost",
        "index_not_unique": "no index can be dropped and made again in one transaction",
        "index_invalid": "an index is there or not",
        "check_not_valid": "checks have no state",
        "foreign_key_not_valid": "references have no state",
        "foreign_key_disabled": "references count at all times",
        "foreign_key_deferred": "every reference is checked at once",
        "unlogged": "all tables are logged",
        "counter_set_back": "a sequence that a column counts by can be set nowhere",
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_and_named(breaker: Breaker, fault: str) -> None:
    """A planted fault makes its proof red, which names the place; mended, it is green again."""
    context = breaker.prover.plan.context
    found = [breaker.plant(fault, route.name) for route in context.routes]
    planted = [f for f in found if f.result is not None]

    if fault in CANNOT.get(context.target.dialect.name, {}):
        assert not planted, f"it can be planted: {planted[0]}"
        return
    assert planted, "; ".join(map(str, found))
    assert [str(f) for f in planted if not f.found] == []
    if not context.target.dialect.can.transactional_ddl:  # else it was rolled back
        again = [breaker.prover.prove(FAULTS[fault].proof, f.table) for f in planted]
        assert [a.detail for a in again if a.verdict != "equal"] == []


def test_unharmed_target_stays_green(breaker: Breaker) -> None:
    """After all faults, every proof of every table is equal: nothing of them was left."""
    plan = breaker.prover.plan.context
    results = [
        breaker.prover.prove(proof, route.name)
        for proof in plan.migration.validation.proofs
        for route in plan.routes
    ]

    assert [f"{r.table}, {r.proof}: {r.detail}" for r in results if r.verdict != "equal"] == []


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (RowsLost("row_lost", "", proof="counters"), "counters says equal"),
        (
            Spoilt("value_changed", "", Spoil.OTHER_TEXT, (Kind.TEXT,), 1, "schema"),
            "schema says eq",
        ),
    ],
)
def test_fault_that_a_proof_does_not_see_is_not_called_found(
    breaker: Breaker, fault: Fault, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for a proof that is blind to it, the suite turns red and says what the proof said."""
    monkeypatch.setitem(FAULTS, fault.name, fault)
    table = next(r.name for r in breaker.prover.plan.context.routes if "orders" in r.name)

    finding = breaker.plant(fault.name, table)

    assert finding.result is not None
    assert not finding.found
    assert why in str(finding)
