"""Every pair of engines that works moves what hurts, in small batches, and proves it."""

import pytest

from datamig_pipelines.proofs import PROOFS
from datamig_pipelines.running import look
from datamig_pipelines_tests.conformance.filling import fill
from datamig_pipelines_tests.conformance.moving import MOST_ROWS_BUT_NOT_ALL, migration, move

SOURCES = {
    "sqlite": "sqlite_source",
    "postgres": "pg_url",
    "duckdb": "duckdb_source",
    "mysql": "mariadb_url",
}
TARGETS = ("postgres", "duckdb", "sqlite", "mysql")
REFUSED = {("postgres", "mysql"): {"floats"}}
"""Tables some of whose rows have no home in the target: NaN and infinities."""


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
def test_pair_moves_what_hurts(
    *, request, target_url, judge, source, target, tmp_path, monkeypatch
):
    """All proofs are equal, no row is lost but those that the ledger keeps as rejected."""
    there, here = request.getfixturevalue(SOURCES[source]), target_url(target)
    fill(source, there)

    said = {"batch_size": MOST_ROWS_BUT_NOT_ALL, "rejects": {"abort_above": "100%"}}
    said["validate"] = {"proofs": list(PROOFS)}
    spec = migration(there, here, tmp_path, monkeypatch, **said)
    moved = move(spec)

    refused = REFUSED.get((source, target), set())
    assert {r.table.rpartition(".")[2] for r in moved.rejects} == refused
    assert moved.not_equal() == {}  # the rejected rows are left out of the source's side
    assert (moved.error.code if moved.error else "") == ("DM303" if refused else "")
    tables = {r.name for r in look(spec).context.routes}
    assert {t: p for t, p in moved.proven().items() if t in tables} == {
        t: {*PROOFS} for t in tables
    }
    verdict = judge(there, here)
    assert {loss.partition(":")[0].rpartition(".")[2] for loss in verdict["loss"]} <= refused
