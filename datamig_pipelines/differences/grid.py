"""A range cut by arithmetic: one scan on each side adds up the same buckets of whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from datamig_pipelines.dialects.cutting import Grid
from datamig_pipelines.dialects.reading import Fingerprint
from datamig_pipelines.differences.pair import WHOLE_NUMBER, Key, Pair, Range

BUCKETS: Final = 4096
LEAF_ROWS: Final = 256
"""Ranges of so many rows are fetched and compared."""
_FEWEST: Final = 16
_ENOUGH_CUTS: Final = 4
_BEYOND: Final = 2
"""Batches that a grid goes beyond the outermost ends of batches: behind them a key may lie far."""
_EMPTY: Final = Fingerprint(0, 0)

Sums = dict[int | None, Fingerprint]


@dataclass(frozen=True)
class Part:
    """A range that differs, the batch ends within it, and what both sides hold of it."""

    keys: Range
    cuts: Sequence[Key]
    there: Fingerprint
    here: Fingerprint

    @property
    def most(self) -> int:
        """Return the rows of the side that has more."""
        return max(self.there.rows, self.here.rows)

    @property
    def one_sided(self) -> bool:
        """Say whether one side has no row here."""
        return not (self.there.rows and self.here.rows)


@dataclass
class _Run:
    """Neighbouring buckets that are searched as one."""

    first: int
    last: int
    there: Fingerprint
    here: Fingerprint
    ended: bool = False

    def takes(self, there: Fingerprint, here: Fingerprint) -> bool:
        """Say whether a bucket more makes few rows, or rows of one side alone."""
        rows = (self.there.rows + there.rows, self.here.rows + here.rows)
        return not self.ended and (max(rows) <= LEAF_ROWS or not min(rows))

    def add(self, bucket: int, there: Fingerprint, here: Fingerprint) -> None:
        """Take in the next bucket."""
        self.last, self.there, self.here = bucket, self.there + there, self.here + here


def grid_over(pair: Pair, keys: Range, cuts: Sequence[Key], rows: int | None) -> Grid | None:
    """Return a grid over a range of so many rows (None: nobody knows).

    The ends of the load's batches tell where most of the rows are; else the ends of the range do.
    None where keys are no whole numbers, or all of the range begin alike.
    """
    firsts = [k[0] for k in (*cuts, *keys) if k]
    if not pair.counted or not all(map(WHOLE_NUMBER.fullmatch, firsts)):  # numeric knows NaN
        return None
    floor, ceiling = _limits(pair, keys)
    found = _around(cuts)
    if not found and None not in keys:
        found = [floor, ceiling]
    elif not found:  # what the source's filter leaves is in the target
        sides = [pair.target] if pair.source.where else [pair.source, pair.target]
        found = [end for side in sides for end in side.ends(keys)]
    inside = [min(max(end, floor), ceiling) for end in found]
    if not inside or min(inside) == max(inside):
        return None
    wanted = BUCKETS if rows is None else min(BUCKETS, max(_FEWEST, rows * 4 // LEAF_ROWS))
    return Grid.of(min(inside), max(inside), wanted)


def _limits(pair: Pair, keys: Range) -> tuple[int, int]:
    """Return the least and the largest number that a range, and both columns, have room for."""
    ends = (pair.source.key[0].ends, pair.target.key[0].ends)
    low, high = max(e[0] for e in ends), min(e[1] for e in ends)
    after, upto = keys
    return (
        low if after is None else max(low, int(after[0]) + (len(after) == 1)),
        high if upto is None else min(high, int(upto[0])),
    )


def _around(cuts: Sequence[Key]) -> list[int]:
    firsts = sorted({int(c[0]) for c in cuts})
    if len(firsts) < _ENOUGH_CUTS:
        return []
    beyond = _BEYOND * (firsts[-2] - firsts[0]) // (len(firsts) - 2)
    return [firsts[0] - beyond, firsts[-2] + beyond]


def differing_parts(
    pair: Pair, grid: Grid, keys: Range, cuts: Sequence[Key], sums: tuple[Sums, Sums]
) -> list[Part]:
    """Return the parts of a range whose buckets differ, in order.

    Neighbours that are few rows together, or all on one side, are one part.
    """
    there, here = sums
    runs: list[_Run] = []
    for bucket in sorted(b for b in {*there, *here} if b is not None):
        both = (there.get(bucket, _EMPTY), here.get(bucket, _EMPTY))
        if runs and runs[-1].takes(*both):
            runs[-1].add(bucket, *both)
        elif both[0] != both[1]:
            runs.append(_Run(bucket, bucket, *both))
        elif runs:
            runs[-1].ended = True
    return [_part(pair, grid, keys, cuts, run) for run in runs]


def _part(pair: Pair, grid: Grid, keys: Range, cuts: Sequence[Key], run: _Run) -> Part:
    least, most = grid.bounds(run.first)[0], grid.bounds(run.last)[1]
    low, high = keys
    floor, ceiling = _limits(pair, keys)
    if least is not None and least > floor:
        low = (str(least - 1),)
    if most is not None and most < ceiling:
        high = (str(most),)
    within = [c for c in cuts if _is_within(c, least, most)]
    return Part((low, high), within, run.there, run.here)


def _is_within(cut: Key, least: int | None, most: int | None) -> bool:
    """Say whether a key cuts what lies between two first parts; at its end it would cut nothing."""
    first = int(cut[0])
    behind = most is not None and (first > most or (first == most and len(cut) == 1))
    return not behind and (least is None or first >= least)
