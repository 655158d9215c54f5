"""Lists are proven: those of an engine that has them, and the JSON that others keep of them."""

import pytest

from datamig_pipelines_tests.conformance.moving import migration, move
from datamig_pipelines_tests.conformance.reading import speak
from datamig_pipelines_tests.conformance.test_pairs import TARGETS

SOURCES = {"postgres": "pg_url", "duckdb": "duckdb_source"}
LISTS = {
    "timestamptz": ("'2020-01-01 00:00:00.5+00'", "'2020-06-01 10:00:00+02'"),
    "timestamp": ("'2020-01-01 00:00:00.5'", "'1999-12-31 23:59:59'"),
    "date": ("'2020-01-01'",),
    "time": ("'10:00:00.5'",),
    "boolean": ("true", "false"),
    "uuid": ("'123e4567-e89b-12d3-a456-426614174000'",),
    "double precision": ("1.5", "1e20", "1e-7", "-0.1"),
    "real": ("0.1", "1.5"),
    "numeric(10,2)": ("1.50", "-0.25", "3"),
    "interval": ("INTERVAL '1 day'",),
    "smallint": ("1",),
    "varchar": ("'a'", "'é\"\\'"),
}
FAULTS = {"timestamptz": "2020-01-01 00:00:00.25+00", "double precision": "1.25"}


@pytest.fixture
def duckdb_source(tmp_path):
    """A second DuckDB file, to move from."""
    return f"duckdb:///{tmp_path / 'source.duckdb'}"


def _name(type_):
    return f"of_{type_.partition('(')[0].replace(' ', '_')}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_lists_are_proven(*, request, target_url, source, target, tmp_path, monkeypatch):
    """Every element is held against its other: full, empty and missing lists of every kind."""
    there, here = request.getfixturevalue(SOURCES[source]), target_url(target)
    open_, close = ("ARRAY[", "]") if source == "postgres" else ("[", "]")
    with speak(source, there) as base:
        columns = ", ".join(f"{_name(t)} {t}[]" for t in LISTS)
        base.run(f"CREATE TABLE lists (id integer PRIMARY KEY, {columns})")
        full = [f"{open_}{', '.join(v)}, NULL{close}::{t}[]" for t, v in LISTS.items()]
        empty = [f"{open_}{close}::{t}[]" for t in LISTS]
        missing = ["NULL" for _ in LISTS]
        for row, values in enumerate((full, empty, missing)):
            base.run(f"INSERT INTO lists VALUES ({row}, {', '.join(values)})")
    every = ["row_count", "fingerprint", "column_statistics", "schema"]
    spec = migration(there, here, tmp_path, monkeypatch, validate={"proofs": every})

    calm = move(spec)

    assert (calm.error, calm.rejects, calm.not_equal()) == (None, [], {})
    if target not in SOURCES:
        return
    with speak(target, here) as base:
        for type_, fault in FAULTS.items():
            sql = f"'{{{fault}}}'" if target == "postgres" else f"['{fault}']::{type_}[]"
            base.run(f"UPDATE lists SET {_name(type_)} = {sql} WHERE id = 0")
    told = {proof: words for (_, proof), words in move(spec).not_equal().items()}
    assert told["fingerprint"].startswith(
        "different: differs in of_timestamptz, of_double_precision;"
    )
