"""Finds the rows for which something fails, by halving: about log2(n) attempts per row."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Failure = TypeVar("Failure")


def failing_alone(
    count: int, failure: Callable[[Sequence[int]], Failure | None], found: dict[int, Failure]
) -> None:
    """Enter into ``found`` each of ``count`` places that fails by itself, and how.

    ``failure`` tries the rows at some places and returns how they fail, None if they do not. It may
    raise to end the search; what was found until then is in ``found``.
    """
    _halve(range(count), failure, found)


def _halve(
    places: Sequence[int],
    failure: Callable[[Sequence[int]], Failure | None],
    found: dict[int, Failure],
) -> None:
    why = failure(places)
    if why is None:
        return
    if len(places) == 1:
        found[places[0]] = why
        return
    middle = len(places) // 2
    _halve(places[:middle], failure, found)
    _halve(places[middle:], failure, found)


def failing_together(
    count: int, failure: Callable[[Sequence[int]], Failure | None], found: dict[int, Failure]
) -> list[int]:
    """Return the places that are left when none fails any more, alone or with those before it.

    Rows that fail only together (two of one key) end the shortest prefix that fails.
    """
    good = [place for place in range(count) if place not in found]
    while good and (why := failure(good)) is not None:
        low, high = 1, len(good)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if failure(good[:middle]) is not None else (middle + 1, high)
        found[good.pop(low - 1)] = why
    return good
