"""A worker's share of a load: it takes open shards, one after another, until none is free."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

from datamig_pipelines.errors import ConnectError, ConnectionLostError, RefusedError
from datamig_pipelines.ledger import Ledger, Shard, TableState
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.steps.base import Context
from datamig_pipelines.steps.load import load_order
from datamig_pipelines.transfer import Event, Route, Said
from datamig_pipelines.transfer.manifest import cut_table, shard_lock
from datamig_pipelines.transfer.pace import Pace, load_pace
from datamig_pipelines.transfer.retrying import Patience
from datamig_pipelines.transfer.table_load import TableLoad
from datamig_pipelines.transfer.tally import Tally


def cut(context: Context, session: Session) -> int:
    """Write the shards of all chosen tables into the ledger; return how many are open.

    The source's position goes with them: a worker that sees another one says so there.
    """
    ledger, open_shards = Ledger(session), 0
    readers, position = open_readers(context.source.dialect, context.source.url, 1)
    with readers[0] as reader:
        before = [ledger.table_state(context.run_id, r.name) for r in context.routes]
        if not any(state.shards for state in before):
            ledger.set_position(context.run_id, position)
        for route in context.chosen():
            state = ledger.table_state(context.run_id, route.name)
            if not state.shards:
                with session.transaction():
                    ledger.add_shards(cut_table(route, context.run_id, reader))
                state = ledger.table_state(context.run_id, route.name)
            open_shards += len(state.open_shards)
    return open_shards


def share(context: Context) -> Iterator[Event]:
    """Load shards that nobody has finished and nobody else has in hand, until there are none.

    Each worker reads a snapshot of its own, and finishes no table: `Load.run` does, after it has
    proven again what came from another moment of the source. A shard in hand is a lock in the
    target that ends with its holder, so a killed worker's shard is free for the others at once.

    Raises what a load raises; what was committed is kept.
    """
    patience = Patience(context.migration.max_retries)
    taken: set[tuple[str, int]] = set()
    while True:
        before = len(taken)
        try:
            yield from _shards(context, taken)
        except (ConnectionLostError, ConnectError) as error:
            if len(taken) > before:
                patience.renew()
            wait_s = patience.wait_s(error)
            yield Said(f"{error.message}; the worker goes on in {wait_s:.0f} s")
            time.sleep(wait_s)
        else:
            yield Said(f"{len(taken)} shards were loaded here; no other one is free")
            return


def _shards(context: Context, taken: set[tuple[str, int]]) -> Iterator[Event]:
    readers, position = open_readers(context.source.dialect, context.source.url, 1)
    with readers[0] as reader, context.target.open(readonly=False) as session:
        ledger = Ledger(session)
        for route in sorted(context.chosen(), key=lambda r: -r.source.rows):
            state = ledger.table_state(context.run_id, route.name)
            for shard in [s.shard for s in state.open_shards]:
                # The lock ends with the session, so every shard gets its own.
                with context.target.open(readonly=False) as writer:
                    if writer.lock_run(shard_lock(shard)) and _is_open(shard, writer):
                        # Asked with the lock in hand: a load may have moved on to another moment.
                        if ledger.position(context.run_id) not in ("", position):
                            _tell_apart(ledger, context.run_id)
                        yield from _one(context, route, shard.number, reader, writer)
                        taken.add((route.name, shard.number))


def _is_open(shard: Shard, writer: Session) -> bool:
    """Say whether a shard is not loaded yet, now that nobody else can take it."""
    now = Ledger(writer).shard_state(shard.run_id, shard.table, shard.number)
    return now.shard.done_at is None


def _tell_apart(ledger: Ledger, run_id: str) -> None:
    """Write down that what is loaded is not of one moment of the source any more."""
    try:
        with ledger.session.transaction():
            ledger.set_position(run_id, "")
    except RefusedError:
        if ledger.position(run_id):  # else another worker wrote the same at the same moment
            raise


def _one(
    context: Context, route: Route, number: int, reader: Session, writer: Session
) -> Iterator[Event]:
    yield Said(f"{route.name}: takes shard {number}")
    tally = Tally(route, TableState(), [number])
    told: list[Event] = []
    with closing(_pace(context, told.append)) as pace:
        order = load_order(context, lambda: False, pace)
        for progress in TableLoad(route, order, reader, writer, number, tally).run():
            yield from told
            told.clear()
            yield progress


def _pace(context: Context, tell: Callable[[Event], None]) -> Pace:
    """Return the pace of one worker: its share of what the spec allows the whole load."""
    migration, target = context.migration, context.target
    limits, spread = migration.throttle, migration.spread
    many = spread.steps if spread else 1
    own = {
        "rows_per_s": limits.rows_per_s and limits.rows_per_s / many,
        "bytes_per_s": limits.bytes_per_s and limits.bytes_per_s / many,
    }
    shared = migration.model_copy(update={"throttle": limits.model_copy(update=own)})
    return load_pace(shared, target.dialect, partial(target.open, readonly=True), tell)
