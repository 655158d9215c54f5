"""The load: tables cut into shards, workers that share them, shards loaded from elsewhere."""

from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines import running
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import RejectsError
from datamig_pipelines.ledger import Ledger, Shard
from datamig_pipelines.running.opening import opened
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import STEPS, TableLoaded
from datamig_pipelines.transfer import Said
from datamig_pipelines.transfer.manifest import cut_table
from datamig_pipelines.transfer.tally import Tally

ROWS = 4000
SKEWED = "SELECT CASE WHEN n <= 3900 THEN n ELSE n::bigint * 1000000 END, n % 7 FROM generate_series(1, 4000) n"


@pytest.fixture
def source(pg_url2):
    """A PostgreSQL with a table whose keys lie together but for a few far away, and a loose one."""
    url = make_url(pg_url2)
    with Session(get_dialect(url), url, readonly=False) as session:
        session.query("CREATE TABLE skewed (id bigint PRIMARY KEY, v integer)")
        session.query(f"INSERT INTO skewed {SKEWED}")
        session.query("CREATE TABLE loose (a integer, b text)")
        rows = "SELECT n % 50, repeat('x', 100) FROM generate_series(1, 4000) n"
        session.query(f"INSERT INTO loose {rows}")
        session.query("ANALYZE")
        yield session


@pytest.fixture
def migration(source, pg_url2, pg_url, tmp_path):
    """A migration of both tables, cut into parts."""
    ends = {"source": {"url_env": "CORE_SOURCE"}, "target": {"url_env": "CORE_TARGET"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORE_SOURCE", pg_url2)
        patch.setenv("CORE_TARGET", pg_url)
        said = {"name": "m", **ends, "batch_size": 200, "workers": 2}
        yield Migration.model_validate(said).based(tmp_path)


def shards_of(migration, table: str) -> list:
    with running_target(migration) as session:
        ledger = Ledger(session)
        return list(ledger.table_state(ledger.runs("m")[-1].run_id, table).shards)


def running_target(migration):
    url = migration.target_url()
    return Session(get_dialect(url), url, readonly=False)


def test_big_table_is_cut_into_equal_shards(migration):
    """Keys are cut where the rows are, not where the numbers are; the plan says in how many."""
    events = list(running.run(migration))

    shards = shards_of(migration, "public.skewed")
    rows = [s.rows_read for s in shards]
    assert (len(shards), sum(rows)) == (8, ROWS)
    assert max(rows) <= 1.3 * ROWS / 8, rows
    (loaded,) = (e for e in events if isinstance(e, TableLoaded) and "skewed" in e.route.name)
    assert "in 8 shards by id" in loaded.route.describe()
    assert any(isinstance(e, Said) and "shards, 2 at a time" in e.text for e in events)


def test_keyless_table_is_cut_by_pages(migration):
    """A table without a key is read by ranges of its pages, all of them once."""
    list(running.run(migration))

    shards = shards_of(migration, "public.loose")
    assert len(shards) > 2
    assert all(s.shard.pages for s in shards)
    assert sum(s.rows_read for s in shards) == ROWS
    with running_target(migration) as session:
        found = Counter(a for (a,) in session.query("SELECT a FROM loose"))
    assert found == Counter(dict.fromkeys(range(50), ROWS // 50))


def test_table_is_cut_as_the_spec_says(migration, source, tmp_path):
    """`shards` of a table goes before that of the migration."""
    said = migration.model_dump(by_alias=True, exclude_unset=True)
    tables = [{"name": "skewed", "shards": 3}]
    list(running.run(Migration.model_validate({**said, "shards": 1, "tables": tables})))

    assert len(shards_of(migration, "public.skewed")) == 3
    assert len(shards_of(migration, "public.loose")) == 1


def test_limit_is_a_share_of_the_rows_read_not_of_an_estimate(migration, monkeypatch, source):
    """An estimate that is far too high does not let everything be rejected."""
    source.query("DELETE FROM skewed WHERE id > 400")  # each row is refused alone, which takes time
    source.query("DELETE FROM loose WHERE a >= 5")
    monkeypatch.setattr(Tally, "exceeds", lambda *_: False)  # as with such an estimate
    with opened(migration) as (plan, session):
        list(STEPS["schema"].run(plan.context, session))
        target = plan.context.target.dialect.table(plan.context.routes[0].target.name)
        session.query(f"ALTER TABLE {target} ADD CHECK (false)")

        with pytest.raises(RejectsError, match="400 of 400"):
            list(STEPS["load"].run(plan.context, session))

        name = plan.context.routes[0].name
        assert not Ledger(session).table_state(plan.context.run_id, name).done


def test_cut_that_gives_nothing_is_one_shard(migration, monkeypatch, source):
    """Where the engine knows no place to cut, the table is one shard."""
    with opened(migration) as (plan, _):
        for route in plan.context.routes:
            for name in ("cut_points", "page_cuts"):
                monkeypatch.setattr(type(source.dialect), name, lambda *_: [])
            assert cut_table(route, "r", source) == [Shard("r", route.name, 1)]
            assert cut_table(replace(route, shards=1), "r", source) == [Shard("r", route.name, 1)]
