"""What `datamig assess` counts before is what the matrix saw change or be refused."""

import pytest

from datamig_pipelines.running.assess import assess
from datamig_pipelines_tests.conformance.fidelity import stored
from datamig_pipelines_tests.conformance.measuring import fill_values
from datamig_pipelines_tests.conformance.moving import migration
from datamig_pipelines_tests.conformance.test_matrix import duckdb_source, sqlite_source
from datamig_pipelines_tests.conformance.test_pairs import SOURCES, TARGETS
from datamig_pipelines_tests.conformance.values import VALUES

__all__ = ["duckdb_source", "sqlite_source"]

PAIRS = [(s, t) for s in SOURCES for t in TARGETS if s != t]


UNCOUNTED = {
    "composite": "every value becomes JSON, which the note says",
    "STRUCT": "every value becomes JSON, which the note says",
    "MAP": "every value becomes JSON, which the note says",
    "UNION": "every value becomes JSON, which the note says",
    "double -0": "equal to 0 for every predicate",
    "DOUBLE -0": "equal to 0 for every predicate",
    "real": "one value, at the very end of the range",
    "timestamp infinity": "the last year of PostgreSQL's range, which DuckDB does not have",
    "DATE above 9999": "the last years of DuckDB's range, which PostgreSQL does not have",
    "integer[][]": "nobody asks how many dimensions a value has",
    "varbit": "nobody asks for empty bits",
    "DATE as a word": "infinity is counted as no date, and arrives in PostgreSQL and DuckDB",
    "BOOLEAN with words": "PostgreSQL takes f for false; it is counted",
    "UUID with nonsense": "MySQL keeps UUIDs as text and takes any",
}
"""Where the count is not what the matrix saw, and why."""


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_counts_are_what_changes(*, request, target_url, source, target, tmp_path, monkeypatch):
    """Each column's count is the number of its values that the matrix saw change."""
    there, here = request.getfixturevalue(SOURCES[source]), target_url(target)
    fill_values(source, there)
    cells = stored(source, target)

    found = assess(migration(there, here, tmp_path, monkeypatch)).findings
    counted = {
        f.object.rpartition(".")[0].rpartition(".")[2]: f.values
        for f in found
        if f.kind == "column" and f.object.endswith(".v")
    }

    wrong = {}
    for case in VALUES[source]:
        changed = len(cells[case.name]["changed"])
        if (counted[case.table] or 0) != changed and case.name not in UNCOUNTED:
            wrong[case.name] = (counted[case.table], changed)
    assert wrong == {}
