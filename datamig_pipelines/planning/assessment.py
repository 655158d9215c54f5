"""What a plan means for each object: does it arrive, changed or not, and who has to do something.

Everything is read off the plan: the types that `Dialect.declare` chose, the notes that the planner
made, and what stands in the target's tables. There is no second set of rules.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from datamig_pipelines.catalog import Catalog, Column, Table, View
from datamig_pipelines.dialects.fitting import Beyond, Misfit
from datamig_pipelines.dialects.reading import Projection
from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.transfer import Route


class Verdict(StrEnum):
    """What becomes of an object, best first."""

    LOSSLESS = "lossless"
    WIDENING = "widening"
    LOSSY = "lossy"
    UNSUPPORTED = "unsupported"


class Effort(StrEnum):
    """What a person has to do."""

    NONE = "none"
    SMALL = "small"
    REVIEW = "review"


@dataclass(frozen=True)
class Finding:
    """One object. ``values`` are those that would change or be refused; None: not counted."""

    kind: str
    object: str
    verdict: Verdict
    effort: Effort
    note: str = ""
    advice: str = ""
    values: int | None = None


@dataclass(frozen=True)
class Assessment:
    """All findings of one plan."""

    migration: str
    source: str
    target: str
    findings: tuple[Finding, ...]

    def figures(self) -> dict[str, dict[str, int]]:
        """Return kind → verdict → number of objects."""
        counted = Counter((f.kind, f.verdict.value) for f in self.findings)
        kinds = dict.fromkeys(f.kind for f in self.findings)
        return {k: {v.value: counted[k, v.value] for v in Verdict} for k in kinds}

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON-compatible words."""
        return {
            "migration": self.migration,
            "source": self.source,
            "target": self.target,
            "figures": self.figures(),
            "findings": [asdict(f) for f in self.findings],
        }


Counts = Mapping[tuple[str, str], Sequence[tuple[Misfit, int]]]
"""(table, column of the target) → what does not fit, and how many values."""


def misfits(route: Route, plan: Plan) -> dict[str, list[Misfit]]:
    """Return, by loaded column, the predicates that find its values that will not fit."""
    source, target = plan.context.source.dialect, plan.context.target.dialect
    if source.name == target.name:
        return {}
    limits = target.limits()
    found = {c.name: source.misfits(c.sql, c.type, c.into, limits) for c in route.columns}
    return {name: asked for name, asked in found.items() if asked}


def assess_plan(
    plan: Plan, there: Catalog | None = None, counts: Counts | None = None
) -> Assessment:
    """Return what the plan means for each object of the source (``there``).

    Without its catalog, views that stay behind are found in the plan's notes alone.
    """
    context = plan.context
    notes = _Notes(context.notes)
    findings: list[Finding] = []
    for route in context.routes:
        findings += _table(route, notes, counts)
    findings += _views(plan, there.views if there else plan.context.views, notes)
    findings += [
        Finding("other", "", *_other(text), text, _advice_of(text)) for text in notes.unused()
    ]
    ends = (context.source.dialect.label, context.target.dialect.label)
    return Assessment(context.migration.name, *ends, tuple(findings))


class _Notes:
    """The plan's notes, and which of them an object has taken for itself."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = list(texts)
        self._used: set[str] = set()

    def take(self, *starts: str) -> str:
        """Return the notes that begin with one of some words, without these."""
        found = []
        for text in self._texts:
            start = next((s for s in starts if text.startswith(s)), None)
            if start is not None and text not in self._used:
                self._used.add(text)
                found.append(text.removeprefix(start).strip(" :"))
        return "; ".join(found)

    def unused(self) -> list[str]:
        """Return what no object has taken."""
        return [t for t in self._texts if t not in self._used]


def _table(route: Route, notes: _Notes, counts: Counts | None) -> list[Finding]:
    source, target, name = route.source, route.target, route.name
    loaded = {c.name: c for c in (*route.columns, *route.computed)}
    sources = {c.name: c for c in source.columns}
    planned = iter(target.columns)
    columns = []
    for column in sources.values():
        note = notes.take(f"{name}.{column.name}:", f"{name}.{column.name} ")
        dropped = "left behind, as the spec says" in note
        arriving = None if dropped else next(planned, None)
        shape = loaded.get(arriving.name) if arriving else None
        columns.append(_column(name, column, shape, note, counts))
    parts = [*columns, *_parts(source, target, name, notes)]
    note = notes.take(f"{name} ", f"{name}:")
    whole = _judged("table", name, changed=source.kind != "table", note=note)
    if note and whole.effort is Effort.NONE:
        whole = replace(whole, effort=Effort.SMALL, advice=_READ)
    return [whole, *parts]


def _column(
    table: str, column: Column, shape: Projection | None, note: str, counts: Counts | None
) -> Finding:
    name = f"{table}.{column.name}"
    if shape is None:
        return _judged("column", name, gone=True, note=note)
    values, seen = _counted(table, shape, counts)
    told = "; ".join(t for t in (note, seen) if t)
    if values:
        return Finding("column", name, Verdict.LOSSY, Effort.REVIEW, told, _CAST, values)
    if not note and shape.type.same_as(shape.into):
        return Finding("column", name, Verdict.LOSSLESS, Effort.NONE, told, "", values)
    if not note or values == 0:
        return Finding("column", name, Verdict.WIDENING, Effort.NONE, told, "", values)
    # Nothing was found that would not fit, and both sides can be compared: the values are kept.
    kept = counts is not None and shape.compare is not None and note.startswith(f"{column.type} ")
    verdict = Verdict.WIDENING if kept else Verdict.LOSSY
    return Finding("column", name, verdict, Effort.SMALL, told, _LOOK, values)


def _counted(table: str, shape: Projection, counts: Counts | None) -> tuple[int | None, str]:
    """Return how many values do not fit, and in which way; None if nobody counted."""
    found = (counts or {}).get((table, shape.name))
    if counts is None or found is None:
        return None, ""
    told = [f"{n:,} values {m.beyond.value}" for m, n in found if n and m.beyond is not Beyond.ANY]
    return max((n for _, n in found), default=0), "; ".join(told)


def _parts(source: Table, target: Table, name: str, notes: _Notes) -> list[Finding]:
    """Judge keys, references, checks and indexes: by what stands in the target's table."""
    keyed = [k for k in (source.primary_key, *source.uniques) if k is not None]
    kept = int(target.primary_key is not None) + len(target.uniques)
    found = []
    for key in keyed:
        words = f"{name}: the key ({', '.join(key.columns)})"
        note = notes.take(words)
        label = f"{name} ({', '.join(key.columns)})"
        found.append(_judged("key", label, gone=bool(note) or not kept, note=note))
    there = {k.target_columns for k in target.foreign_keys}
    for ref in source.foreign_keys:
        words = f"{name}: foreign key ({', '.join(ref.columns)})"
        note = notes.take(words)
        gone = "left behind" in note or "goes with" in note or not there
        found.append(_judged("foreign key", words, gone=gone, changed=bool(note), note=note))
    for check in source.checks:
        note = notes.take(f"{name}: the check {check.expression}")
        found.append(_judged("check", f"{name}: {check.expression}", gone=bool(note), note=note))
    arrived = {i.name for i in target.indexes}
    for index in source.indexes:
        note = notes.take(f"{name}: index {index.name}")
        gone = bool(note) and index.name not in arrived
        words = f"{name}: {index.name}"
        found.append(_judged("index", words, gone=gone, changed=bool(note), note=note))
    return found


def _views(plan: Plan, views: Sequence[View], notes: _Notes) -> list[Finding]:
    proposed = {v.name.name for v in plan.context.views}
    translated = plan.context.source.dialect.name != plan.context.target.dialect.name
    found = []
    for view in views:
        note = notes.take(f"view {view.name} ")
        gone = view.name.name not in proposed and "proposed" not in note
        judged = _judged("view", str(view.name), gone=gone, note=note)
        if not gone and translated:
            judged = replace(judged, effort=Effort.SMALL, advice=_TRANSLATED)
        found.append(judged)
    return found


_CAST = (
    "Give the column another type in the file (casts, or columns: {type: …}), or accept rejects."
)
_LOOK = "Look at the note; a cast in the file chooses another type."
_BY_HAND = "Make it by hand after the run, or leave it."
_READ = "Read the note before the run."
_TRANSLATED = "It was translated: see after the run whether the target took it."


def _judged(
    kind: str, name: str, *, gone: bool = False, changed: bool = False, note: str = ""
) -> Finding:
    if gone:
        return Finding(kind, name, Verdict.UNSUPPORTED, Effort.REVIEW, note, _BY_HAND)
    if changed:
        return Finding(kind, name, Verdict.LOSSY, Effort.SMALL, note, _READ)
    return Finding(kind, name, Verdict.LOSSLESS, Effort.NONE, note)


_ABSENT = ("not moved", "left behind")


def _other(note: str) -> tuple[Verdict, Effort]:
    if any(word in note for word in _ABSENT):
        return Verdict.UNSUPPORTED, Effort.REVIEW
    return Verdict.LOSSLESS, Effort.NONE


def _advice_of(note: str) -> str:
    return _BY_HAND if any(word in note for word in _ABSENT) else ""
