"""Decides into how many shards a table is cut, from its estimated size and the engines' facts."""

from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.spec import Migration, TableSpec

_PER_WORKER = 4
_BATCHES = 2  # of a shard, at least


def shards_of(
    rows: int, batch_size: int, migration: Migration, spec: TableSpec | None, engines: Engines
) -> int:
    """Return the number of shards; 1 where several workers could not share the table.

    ``auto`` aims at four shards per worker, so that none waits long for the last one, and at two
    batches per shard or more.
    """
    if not (engines.source.can.shared_snapshot and engines.target.can.concurrent_writers):
        return 1
    wanted = spec.shards if spec and spec.shards is not None else migration.shards
    if wanted != "auto":
        return wanted
    workers = max(migration.workers, migration.spread.steps if migration.spread else 1)
    if workers == 1:
        return 1
    return max(1, min(workers * _PER_WORKER, rows // (batch_size * _BATCHES)))
