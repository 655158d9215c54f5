"""Where sequences and the counters of columns stand: they move in no transaction, so in a span."""

from collections.abc import Collection, Iterator, Mapping

from datamig_pipelines.catalog import Catalog, TableName

Counters = Mapping[str, tuple[int, int]]
"""The next value of each counter, as the lowest and the highest that it may have been."""


def counters_of(catalog: Catalog, only: Collection[TableName] | None = None) -> Counters:
    """Return ``sequence s`` and ``counter table.column``; with ``only``, those of some tables."""
    found = {
        f"counter {table.name}.{column}": (value, value)
        for table in catalog.tables
        if only is None or table.name in only
        for column, value in table.counters
    }
    if only is None:
        found |= {
            str(thing): (thing.next_value, thing.next_value)
            for thing in catalog.objects
            if thing.next_value is not None
        }
    return found


def spanning(before: Counters, after: Counters) -> Counters:
    """Return where each counter stood between two moments; one that is gone stands as it did."""
    return {
        name: (min(low, after[name][0]), max(high, after[name][1]))
        if name in after
        else (low, high)
        for name, (low, high) in before.items()
    }


def moved(before: Counters, after: Counters) -> Iterator[tuple[str, str, str]]:
    """Yield each counter that surely stands elsewhere: its name, where it stood, where it does."""
    for name, (low, high) in before.items():
        first, last = after.get(name, (low, high))
        if last < low or high < first:
            yield name, _said(low, high), _said(first, last)


def _said(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
