"""What makes a plan risky."""

import sqlite3
from contextlib import closing

import pytest

from datamig_pipelines.planning.risks import risks
from datamig_pipelines.running import look
from datamig_pipelines.spec import Migration

SCRIPT = """
CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price DECIMAL(10, 2));
CREATE TABLE q (id INTEGER PRIMARY KEY);
CREATE VIEW v AS SELECT name FROM p;
"""
TRIGGER = "CREATE TRIGGER t AFTER INSERT ON p BEGIN DELETE FROM q; END;"


def found(folder, script=SCRIPT, **said) -> list[str]:
    """Return the risks of moving that database into a DuckDB file."""
    with closing(sqlite3.connect(folder / "s.sqlite")) as file:
        file.executescript(script)
    (folder / "rules.py").write_text("def same(frame):\n    return frame\n")
    attributes = {
        "name": "m",
        "source": {"url": "sqlite:///s.sqlite"},
        "target": {"url": "sqlite:///t.sqlite"},
        **said,
    }
    return risks(look(Migration.model_validate(attributes).based(folder)))


def test_plain_copy_is_not_risky(tmp_path):
    """Everything arrives as it is, with a proven backup and all proofs."""
    assert found(tmp_path) == []


def test_scope_is_no_risk(tmp_path):
    """A table that the file leaves out is none of this migration's business."""
    assert found(tmp_path, include=["p"]) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"tables": [{"name": "p", "where": "id > 1"}]}, "p: only rows with id > 1"),
        ({"tables": [{"name": "p", "columns": {"name": {"drop": True}}}]}, "p.name is left behind"),
        (
            {"tables": [{"name": "p", "columns": {"name": {"expression": "upper(name)"}}}]},
            "p.name: values are upper(name)",
        ),
        ({"casts": [{"when": {"column": "p.price"}, "to": "INTEGER"}]}, "p.price: DECIMAL(10, 2)"),
        ({"tables": [{"name": "p", "transform": "rules.same"}]}, "values go through rules.same"),
        ({"backup": {"verify": "checksum"}}, "backup.verify: checksum"),
        ({"rejects": {"allow": ["p"]}}, "rejected rows are allowed in p"),
        ({"validate": {"proofs": ["row_count"]}}, "no fingerprint in validate.proofs"),
    ],
)
def test_risk_is_named(tmp_path, said, told):
    """Each rule that changes values or leaves something behind is one line."""
    [line] = [line for line in found(tmp_path, **said) if "view" not in line]

    assert told in line


def test_object_that_stays_behind_is_a_risk(tmp_path):
    """A trigger that another engine has no word for is one."""
    lines = found(tmp_path, SCRIPT + TRIGGER, target={"url": "duckdb:///t.duckdb"})

    assert any("trigger" in line for line in lines), lines


def test_lossy_type_is_a_risk(tmp_path, monkeypatch):
    """A type that the target holds otherwise is named with what is lost."""
    from sqlalchemy.engine import make_url

    from datamig_pipelines.dialects import get_dialect

    target = type(get_dialect(make_url("sqlite:///x")))
    real = target.declare
    monkeypatch.setattr(
        target, "declare", lambda self, type_: (real(self, type_)[0], "scale is not kept")
    )

    assert any(line.endswith("scale is not kept") for line in found(tmp_path))
