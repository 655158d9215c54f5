"""Files as one end of a migration: what hurts goes into Parquet, and out of it again."""

import pytest

from datamig_pipelines.proofs import PROOFS
from datamig_pipelines_tests.conformance.filling import fill
from datamig_pipelines_tests.conformance.moving import MOST_ROWS_BUT_NOT_ALL, migration, move

SOURCES = {
    "sqlite": "sqlite_url",
    "postgres": "pg_url",
    "duckdb": "duckdb_url",
    "mysql": "mariadb_url",
}
HARD = {
    "batch_size": MOST_ROWS_BUT_NOT_ALL,
    "rejects": {"abort_above": "100%"},
    "validate": {"proofs": list(PROOFS)},
}


@pytest.mark.parametrize("source", SOURCES)
def test_files_take_what_hurts(*, request, source, parquet_url, tmp_path, monkeypatch):
    """From every engine, in small batches: all proofs are equal, nothing is rejected."""
    there = request.getfixturevalue(SOURCES[source])
    fill(source, there)

    moved = move(migration(there, parquet_url, tmp_path, monkeypatch, **HARD))

    assert (moved.error, moved.not_equal(), moved.rejects) == (None, {}, [])
    assert set(map(frozenset, moved.proven().values())) == {frozenset(PROOFS)}


@pytest.mark.parametrize("target", ["postgres", "duckdb", "sqlite", "mysql"])
def test_files_give_it_back(
    *,
    tmp_path,
    parquet_url,
    target_url,
    target,
    monkeypatch,
):
    """Out of Parquet into every engine: all proofs are equal, nothing is rejected."""
    duckdb_source = f"duckdb:///{tmp_path / 'source.duckdb'}"
    fill("duckdb", duckdb_source)
    there = move(migration(duckdb_source, parquet_url, tmp_path, monkeypatch, name="there"))

    moved = move(migration(parquet_url, target_url(target), tmp_path, monkeypatch, **HARD))

    assert (there.error, there.not_equal()) == (None, {})
    assert (moved.error, moved.not_equal(), moved.rejects) == (None, {}, [])
    assert set(map(frozenset, moved.proven().values())) == {frozenset(PROOFS)}
