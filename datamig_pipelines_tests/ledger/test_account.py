"""The account of a table: whatever happened to its shards, a gap or a double is found."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import BatchEntry, Shard
from datamig_pipelines.ledger.account import add_up

SEEDS = range(40)


def key(number: int) -> str:
    return f'["{number}"]'


def history(seed: int) -> tuple[list[Shard], list[BatchEntry]]:
    """Return what a ledger may hold: shards cut anywhere, loaded so far, some of it taken back."""
    dice = random.Random(seed)
    cuts = sorted(dice.sample(range(10, 990), dice.randint(0, 6)))
    bounds = ["", *map(key, cuts), ""]
    shards = [Shard("r", "t", n, low, high) for n, (low, high) in enumerate(pairwise(bounds), 1)]
    entries: list[BatchEntry] = []
    for shard in shards:
        entries += loaded(shard, dice)
    for _ in range(dice.randint(0, 4)):
        live = [i for i, e in enumerate(entries) if e.digest]
        if live:
            at = dice.choice(live)
            old = entries[at]
            entries[at] = replace(old, rows_read=0, rows_loaded=0, written="", digest="")
            again = Shard("r", "t", len(shards) + 1, old.low_key, old.high_key)
            shards.append(again)
            entries += loaded(again, dice)
    return shards, sorted(entries, key=lambda e: (e.shard, e.number))


def loaded(shard: Shard, dice: random.Random) -> list[BatchEntry]:
    low = int(shard.low_key[2:-2] or 0)
    high = int(shard.high_key[2:-2] or 1000)
    ends = sorted(dice.sample(range(low + 1, high + 1), min(high - low, dice.randint(0, 5))))
    at, entries = shard.low_key, []
    for number, end in enumerate(ends, 1):
        entries.append(
            BatchEntry("r", "t", shard.number, number, at, key(end), 5, 5, 0, 0, 9, "5:a", "d", 0.1)
        )
        at = key(end)
    return entries


@pytest.mark.parametrize("seed", SEEDS)
def test_account_of_any_history_adds_up(seed: int) -> None:
    """However the table was cut, loaded and partly taken back, its rows are those of its batches."""
    shards, entries = history(seed)

    state = add_up("t", shards, entries, finished=False)

    live = sum(1 for e in entries if e.digest)
    assert (state.rows_read, state.rows_loaded, len(state.shards)) == (
        5 * live, 5 * live, len(shards),
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_account_finds_every_single_damage(seed: int) -> None:
    """A batch or shard that is gone, doubled, moved or miscounted never goes unnoticed."""
    shards, entries = history(seed)
    dice = random.Random(-seed - 1)
    for kind, damage in DAMAGES.items():
        broken = damage(list(shards), list(entries), dice)
        if broken is not None:
            with pytest.raises(LedgerError, match=r"t\b"):
                pytest.fail(f"{kind}: {add_up('t', *broken, finished=False)}")


def without_shard(shards, entries, dice):
    shards.pop(dice.randrange(len(shards)))
    return shards, entries


def without_inner_batch(shards, entries, dice):
    inner = [i for i, e in enumerate(entries[:-1]) if entries[i + 1].shard == e.shard]
    if not inner:
        return None
    entries.pop(dice.choice(inner))
    return shards, entries


def with_batch_twice(shards, entries, dice):
    if not entries:
        return None
    at = dice.randrange(len(entries))
    entries.insert(at, entries[at])
    return shards, entries


def with_shard_twice(shards, entries, dice):
    shards.append(replace(dice.choice(shards), number=len(shards) + 1))
    return shards, entries


def with_moved_key(shards, entries, dice):
    if not entries:
        return None
    at = dice.randrange(len(entries))
    entries[at] = replace(entries[at], low_key=key(5000))
    return shards, entries


def with_moved_shard(shards, entries, dice):
    at = dice.randrange(len(shards))
    shards[at] = replace(shards[at], high_key=key(5000))
    return shards, entries


def with_wrong_count(shards, entries, dice):
    if not entries:
        return None
    at = dice.randrange(len(entries))
    entries[at] = replace(entries[at], rows_loaded=entries[at].rows_loaded + 1)
    return shards, entries


def with_batch_taken_back_for_nothing(shards, entries, dice):
    live = [i for i, e in enumerate(entries) if e.digest]
    if not live:
        return None
    at = dice.choice(live)
    entries[at] = replace(entries[at], rows_read=0, rows_loaded=0, digest="")
    return shards, entries


DAMAGES = {
    damage.__name__: damage
    for damage in (
        without_shard,
        without_inner_batch,
        with_batch_twice,
        with_shard_twice,
        with_moved_key,
        with_moved_shard,
        with_wrong_count,
        with_batch_taken_back_for_nothing,
    )
}


@pytest.mark.parametrize(
    ("pages", "whole"),
    [
        (["0:"], True),
        (["0:4", "4:9", "9:"], True),
        (["9:", "0:4", "4:9"], True),
        (["0:4", "5:"], False),
        (["0:4", "4:9"], False),
        (["4:"], False),
        (["0:4", "4:", "4:"], False),
    ],
)
def test_pages_cover_the_table_once(pages: list[str], whole: bool) -> None:
    """Page ranges follow one another from the first page to the open end."""
    shards = [Shard("r", "t", n, pages=p) for n, p in enumerate(pages, 1)]

    if whole:
        assert len(add_up("t", shards, [], finished=False).shards) == len(pages)
    else:
        with pytest.raises(LedgerError, match="gap or overlap"):
            add_up("t", shards, [], finished=False)
