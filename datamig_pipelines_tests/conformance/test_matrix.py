"""What arrives, and how, of every type and every kind of object, between every pair of engines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from datamig_pipelines_tests.conformance import gaps
from datamig_pipelines_tests.conformance.fidelity import stored, write
from datamig_pipelines_tests.conformance.gaps import gap_of
from datamig_pipelines_tests.conformance.measuring import measure
from datamig_pipelines_tests.conformance.test_pairs import SOURCES, TARGETS

MEASURES = os.environ.get("DATAMIG_MEASURE") == "1"
"""Write what was measured instead of comparing it with what is stored."""


@pytest.fixture
def sqlite_source(tmp_path):
    """A second SQLite file, to move from."""
    return f"sqlite:///{tmp_path / 'source.sqlite'}"


@pytest.fixture
def duckdb_source(tmp_path):
    """A second DuckDB file, to move from."""
    return f"duckdb:///{tmp_path / 'source.duckdb'}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_matrix_is_as_measured(*, request, target_url, source, target, tmp_path, monkeypatch):
    """Every cell is exact, or has a gap with its reason; nothing is better or worse than stored."""
    urls = request.getfixturevalue(SOURCES[source]), target_url(target)

    measured = json.loads(json.dumps(measure((source, target), urls, tmp_path, monkeypatch)))

    if MEASURES:
        write(source, target, measured)
    assert measured == stored(source, target)
    outcomes = {name: cell["outcome"] for name, cell in measured.items()}
    wanted = {
        name: gap.outcome if (gap := gap_of(source, target, name)) else "exact" for name in measured
    }
    assert outcomes == wanted


def test_fidelity_page_is_current():
    """docs/fidelity.md is what scripts/write_fidelity.py writes from the stored measurements."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "scripts/write_fidelity.py", "--check"],
        cwd=root, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("gap", [*gaps.VALUES, *gaps.OBJECTS], ids=lambda g: g.names[0])
def test_gap_is_said_of_something(gap):
    """Every gap has a known word, a reason, and means a cell that was measured."""
    cells = [(s, t, n) for s in SOURCES for t in TARGETS for n in stored(s, t)]

    assert gap.word in ("cannot", "not_yet", "will_not")
    assert gap.reason.endswith(".")
    for name in gap.names:
        assert any(gap.means(*cell) for cell in cells if cell[2] == name), name
