"""Cuts a table into shards, by keys or by pages, and names their locks."""

import hashlib
from itertools import pairwise

from datamig_pipelines.ledger import Shard
from datamig_pipelines.ledger.entry import key_text
from datamig_pipelines.session import Session
from datamig_pipelines.transfer.route import Route


def shard_lock(shard: Shard) -> str:
    """Return the name of the lock in the target that whoever has a shard in hand holds."""
    digest = hashlib.sha256(f"{shard.run_id}/{shard.table}/{shard.number}".encode()).hexdigest()
    return f"datamig-{digest[:24]}"


def cut_table(route: Route, run_id: str, source: Session) -> list[Shard]:
    """Return the shards of a table, at most as many as its route says; together they are it."""
    if route.shards < 2:
        return [Shard(run_id, route.name, 1)]
    if route.key:
        cuts = source.dialect.cut_points(source, route.read(), route.shards)
        bounds = ["", *dict.fromkeys(key_text(cut) for cut in cuts), ""]
        ranges = [(low, high, "") for low, high in pairwise(bounds)]
    else:
        pages = source.dialect.page_cuts(source, route.source.name, route.shards)
        ends = ["0", *map(str, pages), ""]
        ranges = [("", "", f"{first}:{behind}") for first, behind in pairwise(ends)]
        if not pages:
            ranges = [("", "", "")]
    return [Shard(run_id, route.name, n, *bounds) for n, bounds in enumerate(ranges, 1)]
