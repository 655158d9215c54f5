"""Shards that workers take from the ledger, and the load that brings them to one moment."""

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import RunningElsewhereError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.running.opening import opened
from datamig_pipelines.running.share import cut, share
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import STEPS, load
from datamig_pipelines.transfer.manifest import shard_lock

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
        "spread": {"executor": "processes"},
    }
    return Migration.model_validate(said).based(tmp_path)


def lock(session, context, number):
    """The lock of a shard of the one table."""
    state = Ledger(session).shard_state(context.run_id, context.routes[0].name, number)
    return shard_lock(state.shard)


def test_worker_takes_all_shards_but_those_in_hand(migration, pg_url):
    """A shard whose lock another session holds is left to it; the load does what nobody did."""
    with opened(migration) as (plan, session):
        context = plan.context
        list(STEPS["schema"].run(context, session))
        name = context.routes[0].name
        count = cut(context, session)
        with context.target.open(readonly=False) as other:
            assert other.lock_run(lock(session, context, 2))
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
        cut(context, session)
        with context.target.open(readonly=False) as other:
            assert other.lock_run(lock(session, context, 1))
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


def test_load_waits_for_workers_and_refuses_to_race_them(migration, source, monkeypatch):
    """A worker that outlived its run keeps its shard: nothing is proven or loaded beside it."""
    with opened(migration) as (plan, session):
        context = plan.context
        list(STEPS["schema"].run(context, session))
        cut(context, session)
        with context.target.open(readonly=False) as other:
            assert other.lock_run(lock(session, context, 2))
            with monkeypatch.context() as patched:
                patched.setattr(load, "_IN_HAND_S", 0.0)
                with pytest.raises(RunningElsewhereError, match="shard 2"):
                    list(STEPS["load"].run(context, session))
            before = Ledger(session).table_state(context.run_id, context.routes[0].name)
        list(STEPS["load"].run(context, session))
        after = Ledger(session).table_state(context.run_id, context.routes[0].name)

    assert (before.rows_loaded, after.rows_loaded, after.done) == (0, ROWS, True)


def test_worker_takes_nothing_from_a_load(migration):
    """What a load has in hand is not taken by a worker that comes late."""
    with opened(migration) as (plan, session):
        context = plan.context
        list(STEPS["schema"].run(context, session))
        cut(context, session)
        events = STEPS["load"].run(context, session)
        next(events)
        said = [str(event) for event in share(context)]
        list(events)
        state = Ledger(session).table_state(context.run_id, context.routes[0].name)

    assert len(said) == 1
    assert "0 shards were loaded here" in said[0]
    assert (state.done, state.rows_loaded) == (True, ROWS)


def test_worker_tells_that_a_load_moved_on_before_it_takes_another_shard(migration):
    """Its moment is not the ledger's any more: the next load has to prove what it brought."""
    with opened(migration) as (plan, session):
        context, ledger = plan.context, Ledger(session)
        list(STEPS["schema"].run(context, session))
        cut(context, session)
        worker = share(context)
        next(worker)
        ledger.set_position(context.run_id, "of a load that ended meanwhile")
        list(worker)

        assert ledger.position(context.run_id) == ""
