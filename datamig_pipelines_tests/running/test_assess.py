"""An assessment says of every object whether it arrives, and how many values do not."""

import json
import sqlite3
from contextlib import closing

import pytest

from datamig_pipelines.cli import answer
from datamig_pipelines.planning.assessment import assess_plan
from datamig_pipelines.running import look
from datamig_pipelines.running.assess import assess
from datamig_pipelines_tests.conformance.moving import migration
from datamig_pipelines_tests.conformance.reading import speak

TABLES = """
CREATE TABLE parent (id INTEGER PRIMARY KEY, n INTEGER, t TEXT CHECK (length(t) < 9), gone TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER REFERENCES parent (id) ON DELETE CASCADE, up INTEGER REFERENCES child (id), w VARCHAR(9));
CREATE INDEX parent_some ON parent (n) WHERE n > 0;
CREATE INDEX parent_n ON parent (n);
CREATE VIEW seen AS SELECT id FROM parent;
INSERT INTO parent VALUES (1, 5, 'a', NULL), (2, 'abc', 'b', NULL), (3, 1.5, x'00', NULL);
CREATE TRIGGER watch AFTER INSERT ON parent BEGIN UPDATE parent SET n = 1; END;
"""
FILE = """\
type: datamig_pipelines.Migration
attributes:
  name: small
  source: {url: "sqlite:///source.sqlite"}
  target: {url: "duckdb:///target.duckdb"}
"""


@pytest.fixture
def source(tmp_path):
    """A SQLite file with something of everything."""
    with closing(sqlite3.connect(tmp_path / "source.sqlite")) as file:
        file.executescript(TABLES)
    (tmp_path / "defs.yaml").write_text(FILE)
    return f"sqlite:///{tmp_path / 'source.sqlite'}"


@pytest.fixture
def findings(source, duckdb_url, tmp_path, monkeypatch):
    """Findings by kind and object."""
    said = {"tables": [{"name": "parent", "columns": {"gone": {"drop": True}}}]}
    found = assess(migration(source, duckdb_url, tmp_path, monkeypatch, **said)).findings
    return {(f.kind, f.object): f for f in found}


@pytest.mark.parametrize(
    ("kind", "name", "verdict", "effort"),
    [
        ("table", "parent", "lossless", "none"),
        ("column", "parent.id", "lossless", "none"),
        ("column", "parent.n", "lossy", "review"),
        ("column", "parent.t", "lossy", "review"),
        ("column", "parent.gone", "unsupported", "review"),
        ("column", "child.p", "lossless", "none"),
        ("column", "child.w", "widening", "none"),
        ("key", "parent (id)", "lossless", "none"),
        ("foreign key", "child: foreign key (p)", "lossy", "small"),
        ("foreign key", "child: foreign key (up)", "unsupported", "review"),
        ("index", "parent: parent_n", "lossless", "none"),
        ("index", "parent: parent_some", "unsupported", "review"),
        ("check", "parent: length(t) < 9", "lossless", "none"),
        ("view", "seen", "lossless", "small"),
    ],
)
def test_object_is_judged_by_the_plan(findings, kind, name, verdict, effort):
    """What stands in the target's plan is there; what a note takes away is not."""
    found = findings[kind, name]

    assert (found.verdict, found.effort) == (verdict, effort)


def test_values_that_do_not_fit_are_counted(findings):
    """The count names the values in words; a column without any has 0 and no advice."""
    assert findings["column", "parent.n"].values == 2
    assert "2 values of another type" in findings["column", "parent.n"].note
    assert findings["column", "child.p"].values == 0
    assert findings["column", "child.p"].advice == ""


def test_looser_type_is_no_loss(mariadb_url, duckdb_url, tmp_path, monkeypatch):
    """A length that is not enforced any more keeps every value: widening, and somebody may look."""
    with speak("mysql", mariadb_url) as there:
        there.run("CREATE TABLE t (id int PRIMARY KEY, w varchar(9))")
    spec = migration(mariadb_url, duckdb_url, tmp_path, monkeypatch)

    found = {f.object: f for f in assess(spec).findings}
    uncounted = {f.object: f for f in assess(spec, counting=False).findings}

    assert (found["t.w"].verdict, found["t.w"].effort) == ("widening", "small")
    assert "length is not enforced" in found["t.w"].note
    assert uncounted["t.w"].verdict == "lossy"


def test_every_note_of_the_plan_is_in_the_assessment(source, duckdb_url, tmp_path, monkeypatch):
    """Nothing that the plan says is left out: what no object takes is listed by itself."""
    plan = look(migration(source, duckdb_url, tmp_path, monkeypatch))
    found = assess_plan(plan, plan.context.source.catalog()).findings

    told = [part for f in found for part in f.note.split("; ") if part]
    others = [f for f in found if f.kind == "other"]
    assert any("watch" in f.note and f.verdict == "unsupported" for f in others)
    for note in plan.context.notes:
        assert any(note.endswith(part) for part in told), note


def test_assess_without_counting_asks_nobody(source, duckdb_url, tmp_path, monkeypatch):
    """Without counting no value is judged: None, not 0."""
    found = assess(migration(source, duckdb_url, tmp_path, monkeypatch), counting=False).findings

    assert {f.values for f in found} == {None}


def test_assess_prints_json_and_writes_html(source, tmp_path, monkeypatch, capsys):
    """--json is one document; --html is a page with every finding, escaped; no target is made."""
    monkeypatch.chdir(tmp_path)

    code = answer(["assess", str(tmp_path / "defs.yaml"), "--json", "--html", "page.html"])

    told = json.loads(capsys.readouterr().out)
    page = (tmp_path / "page.html").read_text()
    assert code == 0
    assert told["figures"]["table"] == {"lossless": 2, "widening": 0, "lossy": 0, "unsupported": 0}
    assert "length(t) &lt; 9" in page
    assert page.count("<tr") == len(told["findings"]) + 1
    assert not (tmp_path / "target.duckdb").exists()


def test_assess_tells_what_needs_a_look(source, tmp_path, monkeypatch, capsys):
    """The terminal shows figures and only what is lossy or unsupported."""
    monkeypatch.chdir(tmp_path)

    assert answer(["assess", str(tmp_path / "defs.yaml")]) == 0

    said = capsys.readouterr().out
    assert "lossy column parent.n: 2 values of another type" in said
    assert "lossless column" not in said
