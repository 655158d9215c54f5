"""Into how many shards a table is cut."""

from dataclasses import dataclass

import pytest

from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.planning.sharding import shards_of
from datamig_pipelines.spec import Migration, TableSpec


@dataclass(frozen=True)
class Case:
    rows: int
    expected: int
    workers: int = 2
    shards: int | str = "auto"
    table: int | str | None = None


CASES = [
    Case(0, 1),
    Case(199, 1),
    Case(200, 1),
    Case(400, 2),
    Case(700, 3),
    Case(10**9, 8),
    Case(10**9, 16, workers=4),
    Case(10**9, 1, workers=1),
    Case(10, 5, shards=5),
    Case(10, 7, shards=5, table=7),
    Case(10**9, 8, shards=5, table="auto"),
    Case(10**9, 1, table=1),
]


def migration(case: Case) -> Migration:
    ends = {"source": {"url": "sqlite:///a"}, "target": {"url": "sqlite:///b"}}
    said = {"name": "m", **ends, "workers": case.workers, "shards": case.shards}
    return Migration.model_validate(said)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_table_is_cut_by_size_workers_and_spec(case: Case) -> None:
    """At least two batches per shard, four shards per worker, unless the file says a number."""
    spec = TableSpec(name="t", shards=case.table) if case.table else None
    engines = Engines(Postgres(), Postgres())

    assert shards_of(case.rows, 100, migration(case), spec, engines) == case.expected


@pytest.mark.parametrize("pair", [(SQLite(), Postgres()), (Postgres(), SQLite())])
def test_table_is_not_cut_where_one_worker_works(pair: tuple) -> None:
    """A source without shared snapshots, or a target with one writer, has one stream."""
    case = Case(10**9, 1, shards=5)

    assert shards_of(case.rows, 100, migration(case), None, Engines(*pair)) == 1
