"""Shards that workers take from the ledger, and the load that brings them to one moment."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import opened
from datamig_pipelines.running.share import _lock, cut, share
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import STEPS

ROWS = 4000


@pytest.fixture
def source(pg_url2):
    """A PostgreSQL with one table."""
    url = make_url(pg_url2)
    with Session(get_dialect(url), url, readonly=False) as session:
        session.query("CREATE TABLE t (id bigint PRIMARY KEY, v integer)")
        session.query(f"INSERT INTO t SELECT n, n % 7 FROM generate_series(1, {ROWS}) n")
        session.query("ANALYZE")
        yield session


@pytest.fixture
def migration(source, pg_url2, pg_url, tmp_path, monkeypatch):
    """A migration of it in eight shards."""
    monkeypatch.setenv("SHARED_SOURCE", pg_url2)
    monkeypatch.setenv("SHARED_TARGET", pg_url)
    said = {
        "name": "shared",
        "source": {"url_env": "SHARED_SOURCE"},
        "target": {"url_env": "SHARED_TARGET"},
        "batch_size": 100,
        "shards": 8,
    }
    return Migration.model_validate(said).based(tmp_path)


def test_worker_takes_all_shards_but_those_in_hand(migration, pg_url):
    """A shard whose lock another session holds is left to it; the load does what nobody did."""
    with opened(migration) as (plan, session):
        context = plan.context
        list(STEPS["schema"].run(context, session))
        name = context.routes[0].name
        count = cut(context, session)
        with context.target.open(readonly=False) as other:
            assert other.lock_run(_lock(context.run_id, name, 2))
            list(share(context))
        shards = Ledger(session).table_state(context.run_id, name).shards
        open_ones = [s.shard.number for s in shards if s.shard.done_at is None]
        before = {s.shard.number: s.entries for s in shards}
        list(STEPS["load"].run(context, session))
        after = Ledger(session).table_state(context.run_id, name)

    assert (count, open_ones) == (len(shards), [2])
    assert (after.done, after.rows_loaded) == (True, ROWS)
    kept = [s for s in after.shards if s.shard.number != 2]
    assert all(s.entries == before[s.shard.number] for s in kept)


def test_shards_of_several_moments_become_one(migration, source):
    """A row that changed between the snapshots of two workers is what the load's snapshot says."""
    with opened(migration) as (plan, session):
        context = plan.context
        list(STEPS["schema"].run(context, session))
        name = context.routes[0].name
        cut(context, session)
        with context.target.open(readonly=False) as other:
            assert other.lock_run(_lock(context.run_id, name, 1))
            list(share(context))
        source.query("UPDATE t SET v = 99 WHERE id IN (1, 3999)")
        list(share(context))
        list(STEPS["load"].run(context, session))

        table = context.target.dialect.table(context.routes[0].target.name)
        found = session.query(f"SELECT id FROM {table} WHERE v = 99 ORDER BY id")
        total = session.query(f"SELECT count(*), count(DISTINCT id) FROM {table}")
        proofs = {p.verdict for p in Ledger(session).proofs(context.run_id)}

    assert (found, total) == ([(1,), (3999,)], [(ROWS, ROWS)])
    assert proofs == {"equal"}
