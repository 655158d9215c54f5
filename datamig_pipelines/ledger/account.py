"""Adds up a table's load and checks that no row of it is unaccounted for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger.entry import BatchEntry, Shard, ShardState, TableState

_HINT = "Somebody edited the ledger, or a bug: roll back and load again."


def shard_states(
    table: str, shards: Sequence[Shard], entries: Sequence[BatchEntry]
) -> tuple[ShardState, ...]:
    """Return how far each shard is; both arguments in order of their numbers.

    Raises:
        LedgerError: Batches have a gap, overlap, do not add up or belong to no shard.
    """
    of_shard: dict[int, list[BatchEntry]] = {shard.number: [] for shard in shards}
    for entry in entries:
        if entry.shard not in of_shard:
            raise _wrong(f"batch {entry.number} of {table} belongs to no shard of the manifest")
        of_shard[entry.shard].append(entry)
    states = tuple(ShardState(shard, tuple(of_shard[shard.number])) for shard in shards)
    for state in states:
        _check_chain(table, state)
    return states


def state_of(
    table: str, shards: Sequence[Shard], entries: Sequence[BatchEntry], loaded: Sequence[Any]
) -> TableState:
    """Return how far a table is; ``loaded`` are its rows of that name in the ledger, one or none.

    Raises:
        LedgerError: The account does not add up.
    """
    state = add_up(table, shards, entries, finished=bool(loaded))
    if loaded and loaded[0][2] != state.rows_loaded:
        msg = f"{table} was loaded with {loaded[0][2]} rows, its batches say "
        hint = "Somebody edited the ledger: roll back and load again."
        raise LedgerError(f"{msg}{state.rows_loaded}", hint=hint)
    return state


def add_up(
    table: str, shards: Sequence[Shard], entries: Sequence[BatchEntry], *, finished: bool
) -> TableState:
    """Return how far a table is. ``finished`` says that the ledger calls it loaded.

    Raises:
        LedgerError: The shards do not cover the table exactly once, or `shard_states` raises.
    """
    states = shard_states(table, shards, entries)
    _check_cover(table, states)
    state = TableState(
        batches=len(entries),
        rows_read=sum(e.rows_read for e in entries),
        rows_loaded=sum(e.rows_loaded for e in entries),
        rows_rejected=sum(e.rows_rejected for e in entries),
        rows_filtered=sum(e.rows_filtered for e in entries),
        bytes=sum(e.bytes for e in entries),
        written=_written(entries),
        done=finished,
        shards=states,
    )
    if finished and (not states or state.open_shards):
        raise _wrong(f"{table} is called loaded, but not all of its shards are done")
    return state


def _check_chain(table: str, state: ShardState) -> None:
    at = state.shard.low_key
    for place, entry in enumerate(state.entries, 1):
        accounted = entry.rows_loaded + entry.rows_rejected + entry.rows_filtered
        if entry.number != place or entry.rows_read != accounted or entry.low_key != at:
            where = f"batch {entry.number} of {table}, shard {entry.shard}"
            raise _wrong(f"{where} does not add up (entry {place})")
        at = entry.high_key


def _check_cover(table: str, states: Sequence[ShardState]) -> None:
    """Raise unless each key or page belongs to exactly one shard.

    A batch that was taken back gave its range to a shard of its own; without these pairs the
    shards are those that were planned, and they follow one another from one open end to the other.
    """
    planned = Counter((s.shard.low_key, s.shard.high_key, s.shard.pages) for s in states)
    planned.subtract((e.low_key, e.high_key, "") for s in states for e in s.entries if e.taken_back)
    if any(count < 0 for count in planned.values()):
        raise _wrong(f"a batch of {table} was taken back and no shard took its place")
    ranges = [_ends(low, high, pages) for low, high, pages in planned.elements()]
    follower = dict(ranges)
    at, seen = "", 0
    while ranges and seen < len(ranges) and at in follower:
        at, seen = follower[at], seen + 1
        if not at:
            break
    if ranges and (at or seen != len(ranges)):
        raise _wrong(f"the shards of {table} have a gap or overlap")


def _ends(low: str, high: str, pages: str) -> tuple[str, str]:
    """Return where a planned shard begins and ends, '' for an open end."""
    if not pages:
        return low, high
    first, _, behind = pages.partition(":")
    return ("" if first == "0" else first), behind


def _written(entries: Sequence[BatchEntry]) -> tuple[int, int] | None:
    parts = [entry.written.split(":") for entry in entries if entry.written]
    if not parts:
        return None
    return sum(int(count) for count, _ in parts), sum(int(total, 16) for _, total in parts)


def _wrong(message: str) -> LedgerError:
    return LedgerError(message, hint=_HINT)
