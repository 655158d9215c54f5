"""Puts tables into an order in which parents come before their children."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

Name = TypeVar("Name")


def parents_first(
    names: Sequence[Name], parents: Mapping[Name, Iterable[Name]]
) -> tuple[list[Name], list[tuple[Name, Name]]]:
    """Return the names, parents first, and the references (child, parent) that no order can satisfy.

    A reference of a table to itself is always among those; of every ring one reference is.
    """
    graph = {name: {p for p in parents.get(name, ()) if p in set(names)} for name in names}
    broken = [(name, name) for name in names if name in graph[name]]
    for name in names:
        graph[name].discard(name)
    while True:
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            ring = error.args[1]
            parent, child = ring[0], ring[1]
            graph[child].discard(parent)
            broken.append((child, parent))
            continue
        return order, broken
