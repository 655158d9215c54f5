"""Every fault is planted on every engine, and its proof finds it and names the place."""

import pytest

from datamig_pipelines.faults import FAULTS
from datamig_pipelines_tests.faults.conftest import ENGINES, Opened

TABLES = ("people", "orders", "events")
CANNOT: dict[str, dict[str, str]] = {}
"""Engine → fault → why there is none."""
CASES = [(engine, fault) for engine in ENGINES for fault in FAULTS]


@pytest.mark.parametrize(("engine", "fault"), CASES)
def test_fault_is_found_and_named(broken_open: Opened, engine: str, fault: str) -> None:
    """A planted fault makes its proof red; afterwards the proof is green again."""
    breaker = broken_open.breaker(engine)
    found = [breaker.plant(fault, table) for table in _tables(breaker)]
    planted = [f for f in found if f.result is not None]

    if fault in CANNOT.get(engine, {}):
        assert not planted, f"{fault} can be planted on {engine}: {planted[0]}"
        return
    assert planted, "; ".join(map(str, found))
    assert [str(f) for f in planted if not f.found] == []
    for one in planted:
        again = breaker.prover.prove(FAULTS[fault].proof, one.table)
        assert again.verdict == "equal", f"still there: {again.detail}"


def _tables(breaker) -> list[str]:
    return [r.name for r in breaker.prover.plan.context.routes]
