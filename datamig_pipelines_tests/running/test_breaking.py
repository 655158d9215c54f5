"""Faults are planted in a copy that holds what the proofs are asked about, and nothing else."""

import json
import sqlite3
from pathlib import Path

import pytest

from datamig_pipelines.running import breaking
from datamig_pipelines.spec import Migration

ALL_ROWS = {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 3}}


def test_faults_are_planted_in_a_sample_whatever_suites_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suite about all rows does not hold of some of them: no reason not to try the proofs."""
    monkeypatch.setenv("DATAMIG_HOME", str(tmp_path / "home"))
    with sqlite3.connect(tmp_path / "source.sqlite") as source:
        source.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        source.execute("INSERT INTO orders VALUES (1), (2), (3)")
    (tmp_path / "orders.json").write_text(json.dumps({"expectations": [ALL_ROWS]}))
    spec = {
        "name": "broken",
        "source": {"url": "sqlite:///source.sqlite"},
        "target": {"url": "sqlite:///target.sqlite"},
        "validate": {"suites": ["orders.json"]},
    }

    with breaking(Migration.model_validate(spec).based(tmp_path), "2") as breaker:
        finding = breaker.plant("row_lost", "orders")

    assert finding.found, str(finding)
