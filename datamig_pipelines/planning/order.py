"""Puts tables into an order in which parents come before their children."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

Name = TypeVar("Name")


def parents_first(
    names: Sequence[Name], parents: Mapping[Name, Iterable[Name]]
) -> tuple[list[Name], list[tuple[Name, Name]]]:
    """Return the names, parents first, and references (child, parent) that no order satisfies.

    A reference of a table to itself is always among those; of every ring one reference is. The
    answer depends on the arguments alone: another process, which hashes otherwise, gives the same.
    """
    known = set(names)
    # Dicts, not sets: their order is that of the arguments.
    graph = {n: {p: None for p in parents.get(n, ()) if p in known} for n in names}
    broken = [(name, name) for name in names if name in graph[name]]
    for name, _ in broken:
        del graph[name][name]
    while True:
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            parent, child = error.args[1][:2]
            del graph[child][parent]
            broken.append((child, parent))
            continue
        return order, broken
