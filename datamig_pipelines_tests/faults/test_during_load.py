"""Ledger and rows that part company while a load is under way: the run does not end green."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import DatamigError
from datamig_pipelines_tests.faults.conftest import send, two_databases
from datamig_pipelines_tests.scenarios.journey import Journey

ROWS = 60
FAULTS = {  # name → (table, statements; {b} is the ledger's table of batches)
    "rows of a batch dropped": ("keyed", ["DELETE FROM keyed WHERE id BETWEEN 11 AND 20"]),
    "entry dropped, rows kept": (
        "keyed",
        ["DELETE FROM {b} WHERE table_name LIKE '%keyed' AND number = 3"],
    ),
    "last entry dropped, rows kept": (
        "keyed",
        ["DELETE FROM {b} WHERE table_name LIKE '%keyed' AND number = 6"],
    ),
    "entry counts more than there is": (
        "keyed",
        ["UPDATE {b} SET rows_loaded = 11 WHERE table_name LIKE '%keyed' AND number = 2"],
    ),
    "rows of a batch doubled": ("free", ["INSERT INTO free SELECT * FROM free WHERE n <= 10"]),
    "one batch dropped, another doubled": (
        "free",
        ["DELETE FROM free WHERE n <= 10", "INSERT INTO free SELECT * FROM free WHERE n > 50"],
    ),
    "bytes changed behind the digest": (
        "keyed",
        ["UPDATE keyed SET note = 'other' WHERE id = 17"],
    ),
    "rows of a whole table dropped": ("free", ["DELETE FROM free"]),
}


@pytest.fixture(params=["postgresql", "sqlite"])
def loaded(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Journey]:
    """A migration that was stopped behind its load, in batches of ten rows."""
    for side in ("SOURCE", "TARGET"):
        monkeypatch.setenv(f"SCENARIO_{side}_URL", "")
    engine = request.param
    with two_databases(engine, tmp_path, request) as urls:
        keyed = ", ".join(f"({n}, 'note {n}')" for n in range(1, ROWS + 1))
        free = ", ".join(f"({n}, 'free {n}')" for n in range(1, ROWS + 1))
        send(
            urls[0],
            "CREATE TABLE keyed (id INTEGER PRIMARY KEY, note VARCHAR(20))",
            "CREATE TABLE free (n INTEGER, note VARCHAR(20))",
            f"INSERT INTO keyed VALUES {keyed}",
            f"INSERT INTO free VALUES {free}",
        )
        said = {"name": "shop", "backup": {"verify": "none"}, "batch_size": 10, "workers": 1}
        journey = Journey(tmp_path, *urls, said)
        for step in ("backup", "schema", "load"):
            list(running.run_step(journey.migration, None, step))
        yield journey


@pytest.mark.parametrize("fault", FAULTS)
def test_run_does_not_end_green_behind_it(loaded: Journey, fault: str) -> None:
    """What was done between load and the next step is found by the run that goes on."""
    table, statements = FAULTS[fault]
    dialect = loaded.place("target").dialect
    batches = "datamig.batch" if dialect.can.schemas else "datamig_batch"
    loaded.ask(*(s.replace("{b}", batches) for s in statements))

    error = loaded.refused()

    assert isinstance(error, DatamigError)
    assert error.code in ("DM500", "DM510", "DM600"), f"{error.code}: {error.message}"
    assert table in error.message
