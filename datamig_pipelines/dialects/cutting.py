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
