"""Fetches rows in lists that stay small, however wide the rows turn out to be."""

from collections.abc import Callable, Iterator
from typing import Any, Final

FIRST: Final = 1
MOST: Final = 1000
MOST_BYTES: Final = 4 << 20
_SAMPLED: Final = 16


def fetched(fetchmany: Callable[[int], list[Any]], most: int = MOST) -> Iterator[list[Any]]:
    """Yield what ``fetchmany`` gives: ``most`` rows at a time, fewer where rows are wide.

    The width of some rows of a list decides how many the next one may have, at most four times as
    many, so that a list holds about `MOST_BYTES`.
    """
    size = min(FIRST, most)
    while rows := fetchmany(size):
        yield rows
        sample = rows[:: max(1, len(rows) // _SAMPLED)]
        wide = max(sum(len(v) for v in row if isinstance(v, str | bytes)) for row in sample)
        size = max(1, min(size * 4, most, MOST_BYTES // (wide or 1)))
