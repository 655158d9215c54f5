"""What decides what arrives: the facts of a plan, and their digest."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from datamig_pipelines.catalog import SchemaObject, View
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.planning.differences import Facts, plain
from datamig_pipelines.planning.drift import table_parts
from datamig_pipelines.steps import STEPS
from datamig_pipelines.transfer import Route

SHORTEST = 8
"""Digits of a fingerprint that name a plan."""


def plan_facts(
    routes: Sequence[Route],
    others: tuple[Sequence[View], Sequence[SchemaObject]],
    engines: tuple[Dialect, Dialect],
    code: Mapping[str, str],
) -> Facts:
    """Return catalogs, rules and ordered operations of a plan; not sizes, counters or speed.

    ``others`` are the views and the other objects that move. ``code`` holds a digest of the module
    behind each transform: an edited function is another plan.
    """
    facts: Facts = {
        "migration": {
            "": {
                "source engine": engines[0].label,
                "target engine": engines[1].label,
                "steps": list(STEPS),
                "order": [r.name for r in routes],
            }
        }
    }
    for route in routes:
        facts[f"table {route.name}"] = _route(route, code)
    for view in others[0]:
        facts[f"view {view.name}"] = {"": plain(view, without=("name",))}
    for thing in others[1]:
        facts[str(thing)] = {"": {"definition": thing.definition}}
    return facts


def _route(route: Route, code: Mapping[str, str]) -> dict[str, dict[str, object]]:
    parts: dict[str, dict[str, object]] = {
        "": {
            "target": str(route.target.name),
            "where": route.where.strip(),
            "transform": route.transform,
            "code": code.get(route.transform, ""),
            "key": [plain(p) for p in route.key],
            "wire": route.sends.value,
        }
    }
    for side, table in (("source", route.source), ("target", route.target)):
        for part, attributes in table_parts(table).items():
            parts[f"{side} {part}".strip()] = attributes
    for projection in (*route.columns, *route.computed):
        parts[f"values of {projection.name}"] = plain(projection, without=("name",))
    return parts


def digest(facts: Facts) -> str:
    """Return the fingerprint of facts: 16 hex digits."""
    return sha256(json.dumps(facts).encode()).hexdigest()[:16]


def is_plan(fingerprint: str, asked: str) -> bool:
    """Say whether a plan is the one that was asked for by (the beginning of) its fingerprint.

    A shorter beginning names too many plans: one of two digits fits every 256th changed one.
    """
    return not asked or (len(asked) >= SHORTEST and fingerprint.startswith(asked))


def without_code(facts: Facts) -> Facts:
    """Return facts that do not depend on the text of the users' functions."""
    return {
        thing: {
            part: {name: value for name, value in attributes.items() if name != "code"}
            for part, attributes in parts.items()
        }
        for thing, parts in facts.items()
    }
