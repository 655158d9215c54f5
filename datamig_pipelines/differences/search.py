"""Finds the rows that differ, reading as little as it can.

Where both sides can be read in the same ranges of one key, ranges are fingerprinted: thousands at
once, in one scan, where the key begins with a whole number; else those of the load's batches, one
after the other. Then only ranges that differ are cut further. Where there are no such ranges, rows
are put into buckets by the hash of their key (or of the whole row) in one scan, and those of the
buckets that differ are fetched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from datamig_pipelines.dialects.reading import Fingerprint
from datamig_pipelines.differences.difference import Cells, Kind, RowDiff, RowPair
from datamig_pipelines.differences.grid import (
    BUCKETS,
    LEAF_ROWS,
    Part,
    Sums,
    differing_parts,
    grid_over,
)
from datamig_pipelines.differences.pair import WHOLE, Buckets, Key, Pair, Range, Side, Within
from datamig_pipelines.differences.rows import guessed, named, row_pairs

LIMIT: Final = 1000
"""Rows that differ and are listed, if nothing else is said."""
FAN_OUT: Final = 16
"""Parts that a differing range is cut into: each level costs as many scans on each side."""
BATCHES_AT_ONCE: Final = 512
_MOST_BUCKETS: Final = 100
_MOST_ROWS: Final = LEAF_ROWS * _MOST_BUCKETS
_EMPTY: Final = Fingerprint(0, 0)

Whole = tuple[Fingerprint, Fingerprint]


def find_differences(pair: Pair, limit: int = LIMIT, whole: Whole | None = None) -> RowDiff:
    """Return up to ``limit`` rows that differ, and what their columns hold.

    Both sides must stand still: the source in its snapshot, the target under the run's lock.
    ``whole`` are the fingerprints of both sides, where they are known already.
    """
    search = _Search(pair, limit)
    by_ranges = pair.ranges and search.by_ranges(whole)
    if not by_ranges:
        search = _Search(pair, limit)
        search.by_buckets()
    pairs = search.pairs if pair.key_at else guessed(search.pairs)
    how = f"by ranges of {', '.join(pair.key_names)}" if by_ranges else _buckets_of(pair)
    return RowDiff(
        pair.table,
        pair.names,
        tuple(pairs),
        tuple(named(pair, pairs)),
        search.complete,
        how,
        pair.effort,
        tuple(search.unlisted.items()),
    )


def _buckets_of(pair: Pair) -> str:
    return f"in buckets of {', '.join(pair.key_names)}" if pair.key_at else "in buckets of rows"


@dataclass
class _Search:
    pair: Pair
    limit: int
    pairs: list[RowPair] = field(default_factory=list)
    complete: bool = True
    unlisted: dict[Kind, int] = field(default_factory=dict)
    torn: bool = False
    """A range does not hold the rows that its parts, or the whole, made us expect."""

    @property
    def _left(self) -> int:
        return self.limit - len(self.pairs)

    # ---- by ranges

    def by_ranges(self, whole: Whole | None) -> bool:
        """Search; False if the ranges do not add up to the table: what was found is not all."""
        pair = self.pair
        parts = self._gridded(Part(WHOLE, pair.cuts, _EMPTY, _EMPTY), None)
        if parts is None:
            parts = self._of_batches(whole)
        for part in parts or []:
            self._descend(part)
        return parts is not None and not self.torn

    def _gridded(self, part: Part, rows: int | None) -> list[Part] | None:
        """Return the smaller parts that differ, from one scan on each side.

        None if the key is no whole number, or if nothing would be smaller. A key that is NULL in
        rows that differ is in no range.
        """
        pair = self.pair
        grid = grid_over(pair, part.keys, part.cuts, rows)
        if grid is None:
            return None
        there, here = (s.grid(grid, part.keys) for s in (pair.source, pair.target))
        self.torn = self.torn or there.get(None) != here.get(None)
        if rows is not None and (_sum(there), _sum(here)) != (part.there, part.here):
            self.torn = True
        if self.torn:
            return []
        smaller = differing_parts(pair, grid, part.keys, part.cuts, (there, here))
        return None if any(s.keys == part.keys for s in smaller) else smaller

    def _of_batches(self, whole: Whole | None) -> list[Part] | None:
        """Return the batches that differ; None if all of them do not add up to the table."""
        pair = self.pair
        there, here = whole or (pair.source.fingerprint(), pair.target.fingerprint())
        cuts = list(pair.cuts)
        if not cuts and max(there.rows, here.rows) > LEAF_ROWS:
            bigger = pair.source if there.rows >= here.rows else pair.target
            cuts = bigger.cuts(WHOLE, BATCHES_AT_ONCE // FAN_OUT, max(there.rows, here.rows))
        differing: list[Part] = []
        for keys, within in _ranges(WHOLE, cuts, BATCHES_AT_ONCE):
            part = self._part(keys, within)
            there, here = there - part.there, here - part.here
            if part.there != part.here:
                differing.append(part)
                if there == here:  # all that differs is in the ranges seen so far
                    break
        # else a key is NULL, or the ends of the batches are not in order
        return differing if there == here else None

    def _part(self, keys: Range, within: Sequence[Key]) -> Part:
        there, here = (s.fingerprint(keys) for s in (self.pair.source, self.pair.target))
        return Part(keys, within, there, here)

    def _descend(self, part: Part) -> None:
        if self.torn or min(part.there.rows, part.here.rows) < 0:
            self.torn = True
        elif self._left <= 0:
            self.complete = False
            if part.one_sided:
                self._count(Kind.MISSING if part.there.rows else Kind.EXTRA, part.most)
        elif part.most <= LEAF_ROWS or part.one_sided:
            self._compare(part)
        else:
            self._cut(part)

    def _cut(self, part: Part) -> None:
        """Search the smaller parts of one that both sides have too many rows of."""
        smaller = self._gridded(part, part.most)
        if smaller is not None:
            for one in smaller:
                self._descend(one)
            return
        cuts = part.cuts
        if not cuts:
            found = self._bigger(part).cuts(part.keys, FAN_OUT, part.most)
            cuts = [k for k in found if k not in part.keys]
        if cuts:
            for one in self._smaller(part, cuts):
                self._descend(one)
        elif part.most <= _MOST_ROWS:
            self._compare(part)
        else:  # one key, so often that its rows are better counted than fetched
            self._count(Kind.DOUBLED, abs(part.there.rows - part.here.rows))
            self.complete = False

    def _smaller(self, part: Part, cuts: Sequence[Key]) -> Iterator[Part]:
        """Yield the parts of a range that differ, until they explain all that differs in it.

        The last one is what the others leave: it need not be scanned.
        """
        there, here = part.there, part.here
        for keys, within in _ranges(part.keys, cuts, FAN_OUT):
            if there == here:
                return
            if keys[1] == part.keys[1]:
                one = Part(keys, within, there, here)
            else:
                one = self._part(keys, within)
            there, here = there - one.there, here - one.here
            if one.there != one.here:
                yield one

    def _bigger(self, part: Part) -> Side:
        return self.pair.source if part.there.rows >= part.here.rows else self.pair.target

    def _compare(self, part: Part) -> None:
        """Fetch both sides of a range and note what differs.

        Of a range that is empty on one side, no more rows are fetched than may still be listed.
        """
        most = min(self._left, part.most) if part.one_sided else part.most
        there, here = (
            side.rows(part.keys, most + (not part.one_sided)) if held.rows else []
            for side, held in ((self.pair.source, part.there), (self.pair.target, part.here))
        )
        wanted = [min(most, held.rows) for held in (part.there, part.here)]
        self.torn = self.torn or [len(there), len(here)] != wanted
        if part.one_sided:
            rest = part.most - most
            self._count(Kind.MISSING if part.there.rows else Kind.EXTRA, rest)
            self.complete = self.complete and not rest
        self._note(row_pairs(self.pair, there, here))

    def _count(self, kind: Kind, rows: int) -> None:
        self.unlisted[kind] = self.unlisted.get(kind, 0) + rows

    def _note(self, found: Sequence[RowPair]) -> None:
        room = self._left
        self.complete = self.complete and len(found) <= room
        self.pairs += found[: max(0, room)]

    # ---- in buckets

    def by_buckets(self) -> None:
        """Search: one scan into buckets, one into buckets of those that differ, one for rows."""
        sides = (self.pair.source, self.pair.target)
        coarse = Buckets(self.pair.key_at, BUCKETS)
        grouped = [side.buckets(coarse) for side in sides]
        differing = _differing(*grouped)
        if len(differing) > _MOST_BUCKETS:
            self.complete = False
        asked = tuple(differing[:_MOST_BUCKETS])
        if not asked:
            return
        within: Within = ((coarse, asked),)
        rows = max(sum(g[d].rows for d in asked if d in g) for g in grouped)
        self._fetch(self._finer(within, rows) if rows > _MOST_ROWS else within)

    def _finer(self, within: Within, rows: int) -> Within:
        """Return as many small buckets that differ as may be fetched."""
        wanted = BUCKETS * max(2, min(BUCKETS, rows // (LEAF_ROWS // 4)))
        fine = Buckets(self.pair.key_at, wanted)
        grouped = [s.buckets(fine, within) for s in (self.pair.source, self.pair.target)]
        asked: list[int] = []
        held = 0
        for bucket in _differing(*grouped):
            held += max(g.get(bucket, _EMPTY).rows for g in grouped)
            if asked and (held > _MOST_ROWS or len(asked) == self.limit):
                self.complete = False
                break
            asked.append(bucket)
        return (*within, (fine, tuple(asked)))

    def _fetch(self, within: Within) -> None:
        there = self.pair.source.rows_within(within, _MOST_ROWS + 1)
        here = self.pair.target.rows_within(within, _MOST_ROWS + 1)
        if max(len(there), len(here)) > _MOST_ROWS:  # equal rows without a key, or doubled ones
            self.complete = False
            there, here = _of_both(self.pair, there, here)
        self._note(row_pairs(self.pair, there, here))


def _ranges(keys: Range, cuts: Sequence[Key], most: int) -> Iterator[tuple[Range, Sequence[Key]]]:
    """Yield a range in up to ``most`` parts, cut at some keys, and the keys within each part."""
    parts = min(most, len(cuts) + 1)
    low, before = keys[0], 0
    for i in range(1, parts):
        at = len(cuts) * i // parts if parts == most else i - 1
        yield (low, cuts[at]), cuts[before:at]
        low, before = cuts[at], at + 1
    yield (low, keys[1]), cuts[before:]


def _sum(sums: Sums) -> Fingerprint:
    return sum(sums.values(), _EMPTY)


def _differing(there: dict[int, Fingerprint], here: dict[int, Fingerprint]) -> list[int]:
    return sorted(b for b in {*there, *here} if there.get(b, _EMPTY) != here.get(b, _EMPTY))


def _of_both(pair: Pair, there: list[Cells], here: list[Cells]) -> tuple[list[Cells], list[Cells]]:
    """Return rows that can be judged although a side was cut off: those whose key both have."""
    keys = {pair.key_of(r) for r in there} & {pair.key_of(r) for r in here}
    return tuple([r for r in rows if pair.key_of(r) in keys] for rows in (there, here))  # type: ignore[return-value]
