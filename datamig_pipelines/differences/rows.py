"""Holds the rows of both sides against each other."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence

from datamig_pipelines.differences.causes import UNREAD, cause_of, unread
from datamig_pipelines.differences.difference import Cells, Difference, Kind, RowPair, row_json
from datamig_pipelines.differences.pair import Key, Pair

_MOST_GUESSED = 300


def row_pairs(pair: Pair, there: Sequence[Cells], here: Sequence[Cells]) -> list[RowPair]:
    """Return the rows that differ; those of one key are held against each other."""
    by_key: dict[Key | None, tuple[Counter[Cells], Counter[Cells]]]
    by_key = defaultdict(lambda: (Counter(), Counter()))
    for side, rows in enumerate((there, here)):
        for row in rows:
            by_key[pair.key_of(row)][side][row] += 1
    found: list[RowPair] = []
    for key, (source, target) in by_key.items():
        lost = list((source - target).elements())
        gained = list((target - source).elements())
        if key is None:
            found += _without_key(lost, gained, set(source) & set(target))
            continue
        known = bool(source)
        both = min(len(lost), len(gained))
        found += [
            RowPair(Kind.CHANGED, key, s, t)
            for s, t in zip(lost[:both], gained[:both], strict=True)
        ]
        found += [RowPair(Kind.MISSING, key, s, None) for s in lost[both:]]
        more = Kind.DOUBLED if known else Kind.EXTRA
        found += [RowPair(more, key, None, t) for t in gained[both:]]
    return found


def _without_key(lost: list[Cells], gained: list[Cells], common: set[Cells]) -> list[RowPair]:
    found = [RowPair(Kind.MISSING, None, s, None) for s in lost]
    return found + [
        RowPair(Kind.DOUBLED if t in common else Kind.EXTRA, None, None, t) for t in gained
    ]


def guessed(pairs: Sequence[RowPair]) -> list[RowPair]:
    """Return the rows of a table without a key, those that are most alike taken for changed ones.

    Alike are a missing and an extra row that share at least half of their values.
    """
    missing = [p for p in pairs if p.kind is Kind.MISSING and p.source is not None]
    extra = [p for p in pairs if p.kind is Kind.EXTRA and p.target is not None]
    rest = [p for p in pairs if p not in missing and p not in extra]
    if max(len(missing), len(extra), 0) > _MOST_GUESSED:
        return list(pairs)
    for lost in missing:
        best = max(extra, key=lambda p: _alike(lost, p), default=None)
        if best is None or _alike(lost, best) * 2 < len(lost.source or ()):
            rest.append(lost)
            continue
        extra.remove(best)
        rest.append(RowPair(Kind.CHANGED, None, lost.source, best.target))
    return rest + extra


def _alike(lost: RowPair, gained: RowPair) -> int:
    return sum(s == t for s, t in zip(lost.source or (), gained.target or (), strict=True))


def named(pair: Pair, pairs: Sequence[RowPair]) -> list[Difference]:
    """Return the differences of some rows, value by value, each with its cause."""
    found = []
    for one in pairs:
        key = "" if one.key is None else row_key(one.key)
        if one.source is None or one.target is None:
            shown = [
                None if r is None else row_json(pair.names, r) for r in (one.source, one.target)
            ]
            found.append(Difference(pair.table, key, "", shown[0], shown[1], str(one.kind)))
            continue
        for column, s, t in zip(pair.columns, one.source, one.target, strict=True):
            if s != t and column.compare is not None:
                held = column.there(column.compare).held.kind
                odd = unread(s, t, held, column.compare)
                cause = UNREAD if odd else cause_of(s, t, column.compare)
                found.append(Difference(pair.table, key, column.name, s, t, cause))
    return found


def row_key(key: Key) -> str:
    """Return a key as the ledger keeps it."""
    return json.dumps(key, ensure_ascii=False)
