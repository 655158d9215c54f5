"""Cuts an ordered set of keys into equal parts: the SQL that every engine shares."""

from collections.abc import Sequence
from dataclasses import dataclass

ROWS_PER_PART = 500
"""Sampled keys per part: parts then differ in size by some per cent, hardly ever by a third."""


@dataclass(frozen=True)
class Sample:
    """Where keys are looked at, in an engine's own SQL.

    ``texts`` are the key parts as texts, ``order`` the same parts as the stream is ordered by;
    ``source`` is what follows FROM, its WHERE included.
    """

    texts: Sequence[str]
    order: Sequence[str]
    source: str


@dataclass(frozen=True)
class Grid:
    """Integers cut into buckets of one width: a key's is how often the width goes into it.

    Towards zero, as every engine divides; so the bucket 0 is as wide as two. Keys below ``low`` and
    above ``high`` have one bucket each, next to those between: ``under`` and ``over``.
    """

    low: int
    high: int
    width: int

    @classmethod
    def of(cls, low: int, high: int, buckets: int) -> "Grid":
        """Return a grid of about so many buckets."""
        return cls(low, high, max(1, -(-(high - low + 1) // buckets)))

    @property
    def under(self) -> int:
        """Return the bucket of the keys below ``low``."""
        return self._towards_zero(self.low) - 1

    @property
    def over(self) -> int:
        """Return the bucket of the keys above ``high``."""
        return self._towards_zero(self.high) + 1

    def bounds(self, bucket: int) -> tuple[int | None, int | None]:
        """Return the least and the largest key of a bucket; None: it is open to that side."""
        if bucket == self.under:
            return None, self.low - 1
        if bucket == self.over:
            return self.high + 1, None
        far = self.width - 1
        least = bucket * self.width - (far if bucket <= 0 else 0)
        most = bucket * self.width + (far if bucket >= 0 else 0)
        return max(least, self.low), min(most, self.high)

    def _towards_zero(self, key: int) -> int:
        return key // self.width if key >= 0 else -(-key // self.width)


def quantiles(sample: Sample, parts: int, divided: str = "/") -> str:
    """Return the SELECT of the keys that cut a sample into equal parts, in order.

    Behind each key stands the size of the sample. ``divided`` divides integers without a rest.
    """
    texts = ", ".join(f"{text} AS datamig_k{i}" for i, text in enumerate(sample.texts))
    names = ", ".join(f"datamig_k{i}" for i in range(len(sample.texts)))
    n, c = "datamig_n", "datamig_c"
    return (
        f"SELECT {names}, {c} FROM (SELECT {texts}, "
        f"row_number() OVER (ORDER BY {', '.join(sample.order)}) AS {n}, "
        f"count(*) OVER () AS {c} FROM {sample.source}) datamig_q WHERE {n} < {c} "
        f"AND ({n} * {parts}) {divided} {c} > (({n} - 1) * {parts}) {divided} {c} ORDER BY {n}"
    )
