"""What was written since the load is found whatever the table is called."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines import running
from datamig_pipelines.errors import ProofFailedError
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines_tests.running.lines import Defs

WROTE = "WRITTEN SINCE THE LOAD"


@pytest.mark.parametrize(
    ("name", "said", "there"),
    [
        ("orders", {"rename": "sales_orders"}, "sales_orders"),
        ("Or'd\"ers", {}, "Or'd\"ers"),
        ("shop.orders", {}, "shop.orders"),
    ],
)
def test_rows_written_since_are_counted_under_any_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    said: dict[str, Any],
    there: str,
) -> None:
    """A renamed table, one with quotes and one with a dot: without a proof rows tell it as well."""
    monkeypatch.setenv("DATAMIG_HOME", str(tmp_path / "home"))
    quoted, made = ('"' + n.replace('"', '""') + '"' for n in (name, there))
    with sqlite3.connect(tmp_path / "source.sqlite") as source:
        source.execute(f"CREATE TABLE {quoted} (id INTEGER PRIMARY KEY)")
        source.execute(f"INSERT INTO {quoted} VALUES (1), (2)")
    spec = {
        "name": "foreseen",
        "source": {"url": "sqlite:///source.sqlite"},
        "target": {"url": "sqlite:///target.sqlite"},
        "tables": [{"name": name, **said}],
        "validate": {"proofs": ["row_count"]},
    }
    migration = Migration.model_validate(spec).based(tmp_path)
    list(running.run(migration))
    calm = running.foresee(migration)
    with sqlite3.connect(tmp_path / "target.sqlite") as target:
        target.execute(f"INSERT INTO {made} VALUES (3)")

    found = running.foresee(migration)

    assert calm.foreign == ()
    assert [(one.rows, WROTE in one.told) for one in found.foreign] == [(3, True)]


def test_table_that_is_not_loaded_yet_was_changed_by_nobody(defs: Defs) -> None:
    """A run stopped amid the load, then validated: the difference is not called a change."""
    one = defs.write("one", include=["p", "r"])
    for step in ("schema", "load"):
        list(running.run_step(one, Launch(tables=("p",)), step))
    with pytest.raises(ProofFailedError):
        list(running.validate(one))

    assert running.foresee(one).foreign == ()
