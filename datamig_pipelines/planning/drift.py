"""What a target holds, as it is remembered, and what others changed in it since."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from datamig_pipelines.catalog import Catalog, Table
from datamig_pipelines.planning.differences import Difference, Facts, differences, plain

_CHANGING = ("rows", "bytes", "counters")
"""What a table's users change every day: no drift."""


def catalog_facts(catalog: Catalog) -> Facts:
    """Return tables with their parts, views and other objects; not how many rows they have."""
    facts: Facts = {f"table {t.name}": table_parts(t) for t in catalog.tables}
    for view in catalog.views:
        facts[f"view {view.name}"] = {"": plain(view, without=("name",))}
    for thing in catalog.objects:
        facts[str(thing)] = {"": {"definition": thing.definition}}
    for kind, name in catalog.others:
        facts[f"{kind} {name}"] = {"": {}}
    return facts


def table_parts(table: Table) -> dict[str, dict[str, Any]]:
    """Return a table as parts: columns, keys, indexes, checks, each under its name."""
    own = plain(
        table,
        without=(
            *_CHANGING,
            *("name", "columns", "primary_key", "uniques", "foreign_keys", "indexes", "checks"),
        ),
    )
    parts: dict[str, dict[str, Any]] = {"": own | {"order": [c.name for c in table.columns]}}
    for column in table.columns:
        parts[f"column {column.name}"] = plain(column, without=("name",))
    if table.primary_key:
        parts["primary key"] = plain(table.primary_key)
    families: list[tuple[str, Iterable[Any], Callable[[Any], Any]]] = [
        ("unique constraint", table.uniques, lambda k: ", ".join(k.columns)),
        ("foreign key", table.foreign_keys, lambda k: ", ".join(k.columns)),
        ("index", table.indexes, lambda i: ", ".join(i.columns)),
        ("check", table.checks, lambda c: c.expression),
    ]
    for family, members, described in families:
        for member in members:
            name = _free(parts, f"{family} {member.name or described(member)}")
            parts[name] = plain(member, without=("name",))
    return parts


def _free(parts: dict[str, Any], name: str) -> str:
    """Return a name that no part has yet: constraints without a name may be twins."""
    number = 2
    free = name
    while free in parts:
        free, number = f"{name} ({number})", number + 1
    return free


def drift(remembered: Facts, now: Facts, own: Iterable[str] = ()) -> list[Difference]:
    """Return what others changed; ``own`` are the things of a run that is under way."""
    names = set(own)

    def others(facts: Facts) -> Facts:
        return {thing: parts for thing, parts in facts.items() if not is_own(thing, names)}

    return differences(others(remembered), others(now))


def merged(
    remembered: Facts | None, now: Facts, own: Iterable[str], before: Iterable[str] = ()
) -> Facts:
    """Return what to remember after a run: its own objects as they are, the others as they were.

    So what somebody else changed stays a difference until a person acknowledges it. ``before`` are
    the things that were there when the run began: what came without a name in ``own`` (a counter
    behind a column) came with the run, unless it was there already.
    """
    if remembered is None:
        return now
    names, there = set(own), {*before, *remembered}
    kept = {t: p for t, p in remembered.items() if not is_own(t, names)}
    fresh = {t: p for t, p in now.items() if is_own(t, names) or t not in there}
    return {**kept, **fresh}


def without(remembered: Facts, own: Iterable[str]) -> Facts:
    """Return what to remember after a rollback: everything but what the run had made."""
    names = set(own)
    return {t: p for t, p in remembered.items() if not is_own(t, names)}


def is_own(thing: str, names: AbstractSet[str]) -> bool:
    """Say whether ``table a.b`` or ``trigger t on b`` is among names.

    The ledger names tables and views without their kind, all else with it.
    """
    kind, _, name = thing.partition(" ")
    return thing in names or (kind in ("table", "view") and name in names)
