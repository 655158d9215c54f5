"""Judges the way back of each step by states of the target: before it, after it, after its undo."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from datamig_pipelines.backups import State, differences, strangers
from datamig_pipelines.backups.state import RIGHTS, SCHEMA

_SHOWN = 20
_VALUES = ": values"
_DATA = (_VALUES, ": counters")
"""Parts of a table that its rows decide; the others are its definition."""
_NOT_LOOKED_AT = (*RIGHTS, SCHEMA)


class Reversal(StrEnum):
    """How well a step can be taken back, from best to worst."""

    NO_OP = "no-op"
    LOSSLESS = "lossless"
    LOSSY = "lossy"
    IRREVERSIBLE = "irreversible"


@dataclass(frozen=True)
class Stride:
    """One step on the way forward, with the states around it and the seconds that it took."""

    step: str
    before: State
    after: State
    seconds: float


@dataclass(frozen=True)
class WayBack:
    """The way back: where it began to be walked from, where it led, and what was seen on it.

    ``undone`` is the state after each step's undo. ``by`` says how: undo or restore. ``broken`` is
    the step whose undo raised, '' if none did, and ``why`` what it said.
    """

    original: State
    final: State
    undone: Mapping[str, State]
    by: str
    broken: str = ""
    why: str = ""


def pieces(state: State) -> dict[str, str]:
    """Return a state as things that are equal or not: tables, their parts and values, the rest."""
    found: dict[str, str] = {}
    for name, facts in state.tables.items():
        found[f"table {name}"] = "there"
        found[f"table {name}{_VALUES}"] = facts.fingerprint
        found |= {f"table {name}: {part}": text for part, text in facts.shape.items()}
    found |= {f"view {name}": text for name, text in state.views.items()}
    for name, span in state.counters.items():
        of_a_column = name.startswith("counter ")
        found[f"{name}: counters" if of_a_column else f"{name}: next"] = str(span[0])
    return found | {
        other: "there" for other in state.others if not other.startswith(_NOT_LOOKED_AT)
    }


def changed(before: State, after: State) -> list[str]:
    """Return the things that differ between two states."""
    old, new = pieces(before), pieces(after)
    return [key for key in {**old, **new} if old.get(key) != new.get(key)]


def left_behind(way: WayBack) -> list[str]:
    """Return in words what is not as it was at the end of the way back."""
    more = [f"{name} was not there before" for name in strangers(way.original, way.final)]
    return [*differences(way.original, way.final), *more]


def judged(stride: Stride, way: WayBack) -> tuple[Reversal, dict[str, Any]]:
    """Return the class of a step, and the evidence for it."""
    made = changed(stride.before, stride.after)
    undone = way.undone.get(stride.step)
    evidence: dict[str, Any] = {
        "compared": "definitions of all tables, views and objects; rows and fingerprints",
        "before": summary(stride.before),
        "after": summary(stride.after),
        "after undo": summary(undone) if undone is not None else None,
        "changed": _listed(made),
    }
    if stride.step == way.broken:
        return Reversal.IRREVERSIBLE, evidence | {"undo": way.why}
    if not made:
        return Reversal.NO_OP, evidence
    own = undone is not None and not set(changed(stride.before, undone)) & set(made)
    left = [] if own else sorted(set(made) & set(changed(way.original, way.final)))
    if not left:
        by = "its own undo" if own else _by_others(way)
        return Reversal.LOSSLESS, evidence | {"taken back by": by}
    evidence["left"] = _listed(left)
    there = {f"table {name}{part}" for name in way.original.tables for part in _DATA}
    lossy = set(left) <= there  # rows in a table that should be gone are no loss, but left over
    return Reversal.LOSSY if lossy else Reversal.IRREVERSIBLE, evidence


def whole(classes: Sequence[Reversal], way: WayBack) -> Reversal:
    """Return the class of a migration: the worst of its steps, and of what none of them made."""
    order = list(Reversal)
    worst = max(classes, key=order.index, default=Reversal.NO_OP)
    left = changed(way.original, way.final)
    if way.broken or any(not key.endswith(_DATA) for key in left):
        return Reversal.IRREVERSIBLE
    return max(worst, Reversal.LOSSY, key=order.index) if left else worst


def summary(state: State) -> dict[str, Any]:
    """Return a state in few figures; equal digests are equal states."""
    text = "\n".join(f"{key}={value}" for key, value in sorted(pieces(state).items()))
    return {
        "tables": len(state.tables),
        "rows": sum(t.rows for t in state.tables.values()),
        "views": len(state.views),
        "others": sum(not o.startswith(_NOT_LOOKED_AT) for o in state.others),
        "sha256": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def why(evidence: dict[str, Any]) -> str:
    """Return in words why a step has its class."""
    if "undo" in evidence:
        return str(evidence["undo"])
    if "left" in evidence:
        return f"left: {', '.join(evidence['left'])}"
    if not evidence["changed"]:
        return f"changed nothing, {evidence['after']['sha256']} before and after"
    return f"{len(evidence['changed'])} things changed, taken back by {evidence['taken back by']}"


def _by_others(way: WayBack) -> str:
    return "the restore of the backup" if way.by == "restore" else "the undo of the steps before it"


def _listed(keys: Sequence[str]) -> list[str]:
    """Return what differs for people: of a table that came or went not each part, and not all."""
    names = [k for k in keys if k.partition(": ")[0] not in keys or ": " not in k]
    more = [f"… and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return names[:_SHOWN] + more
