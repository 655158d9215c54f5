"""Two states of things, told apart object by object: plans, and what a target holds."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

Facts = dict[str, dict[str, dict[str, Any]]]
"""Thing (``table a``) → part (``column b``; '' is the thing itself) → attribute → value."""

_SHOWN = 80  # characters of a value: an expression or a view may be a page
_CONTEXT = 20  # of them, what stands before the first difference


@dataclass(frozen=True)
class Difference:
    """One thing, or one part of it, that was added, removed or changed."""

    thing: str
    part: str
    change: str
    detail: str = ""

    def __str__(self) -> str:
        """Return ``table a, column b: changed: type INTEGER → TEXT``."""
        where = f"{self.thing}, {self.part}" if self.part else self.thing
        return f"{where}: {self.change}" + (f": {self.detail}" if self.detail else "")


def differences(before: Facts, after: Facts) -> list[Difference]:
    """Return what was added, removed and changed between two states, in their order."""
    found = []
    for thing in dict.fromkeys([*before, *after]):
        if thing not in after:
            found.append(Difference(thing, "", "removed"))
        elif thing not in before:
            found.append(Difference(thing, "", "added"))
        else:
            found += _parts(thing, before[thing], after[thing])
    return found


def _parts(
    thing: str, before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]
) -> Iterator[Difference]:
    for part in dict.fromkeys([*before, *after]):
        if part not in after:
            yield Difference(thing, part, "removed")
        elif part not in before:
            yield Difference(thing, part, "added", _all(after[part]))
        elif said := _attributes(before[part], after[part]):
            yield Difference(thing, part, "changed", said)


def _attributes(before: dict[str, Any], after: dict[str, Any]) -> str:
    changes = []
    for name in dict.fromkeys([*before, *after]):
        one, two = before.get(name), after.get(name)
        if one == two or (name == "order" and sorted(one or []) != sorted(two or [])):
            continue  # members of an order that came or went are differences of their own
        if name not in before and isinstance(two, bool):
            one = not two  # what holds its default is left out (`plain`)
        elif name not in after and isinstance(one, bool):
            two = not one
        changes.append(f"{name} {_pair(one, two)}")
    return "; ".join(changes)


def _pair(one: Any, two: Any) -> str:
    """Return both values; of long texts that begin alike, from where they part."""
    before, after = _text(one), _text(two)
    pairs = enumerate(zip(before, after, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
    if same > _CONTEXT and max(len(before), len(after)) > _SHOWN:
        before, after = (f"…{t[same - _CONTEXT :]}" for t in (before, after))
    return f"{_short(before)} → {_short(after)}"


def _all(attributes: dict[str, Any]) -> str:
    return "; ".join(f"{name} {_shown(value)}" for name, value in attributes.items())


def _shown(value: Any) -> str:
    return _short(_text(value))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text(value: Any) -> str:
    if isinstance(value, dict) and (value.get("native") or value.get("kind")):
        held = f" {value['value']}" if value.get("value") else ""
        return str(value.get("native") or f"{value['kind']}{held}")
    if isinstance(value, str):
        return " ".join(value.split()) or "''"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def plain(value: Any, *, without: tuple[str, ...] = ()) -> Any:
    """Return a value in JSON's words.

    Fields of a dataclass that hold their default are left out, so that a field which a later
    version adds changes nothing that is remembered.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(held)
            for f in fields(value)
            if f.name not in without and (held := getattr(value, f.name)) != _default(f)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _default(field: Any) -> Any:
    return field.default if field.default is not MISSING else MISSING
