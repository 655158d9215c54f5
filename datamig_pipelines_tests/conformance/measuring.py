"""Measures one pair of engines: every type with its values, and every kind of object."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from datamig_pipelines.errors import PlanError, ProofGateError
from datamig_pipelines.running import look
from datamig_pipelines.running.opening import opened
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import STEPS
from datamig_pipelines.transfer import Said
from datamig_pipelines_tests.conformance.moving import Moved, migration, move
from datamig_pipelines_tests.conformance.neutral import neutral
from datamig_pipelines_tests.conformance.objects import OBJECTS, Feature
from datamig_pipelines_tests.conformance.reading import DRIVER_ERRORS, Speaker, Value, speak
from datamig_pipelines_tests.conformance.values import VALUES, Case

_SHOWN = 60


@dataclass
class Cell:
    """What became of one type or one kind of object.

    ``outcome`` is exact, documented (a value changes or is refused, and the plan or the ledger says
    so) or missing (nobody says so, or the thing cannot be moved at all).
    """

    outcome: str
    declared: str = ""
    note: str = ""
    changed: list[list[str]] = field(default_factory=list)


def measure(
    ends: tuple[str, str], urls: tuple[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, object]]:
    """Fill the source, move all of it at once, and return the cells by name."""
    with _room_for_packets(*zip(ends, urls, strict=True)):
        return _measured(ends, urls, folder, monkeypatch)


def _measured(
    ends: tuple[str, str], urls: tuple[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, object]]:
    source, target = ends
    refused: dict[str, Cell] = {}
    with speak(source, urls[0]) as there:
        _fill(there, VALUES[source])
        features = [f for f in OBJECTS if f.possible(source)]
        for feature in features:
            for statement in feature.make(source):
                there.run(statement)
    said = {"rejects": {"abort_above": "100%"}, "batch_size": 7}
    excluded = _refused_by_plan(
        source, lambda out: migration(*urls, folder, monkeypatch, exclude=out, **said), refused
    )
    spec = migration(*urls, folder, monkeypatch, exclude=excluded, **said)
    moved = move(spec)
    if isinstance(moved.error, ProofGateError):  # a value differs; keys are measured all the same
        with opened(spec) as (plan, session):
            list(STEPS["constraints"].run(plan.context, session))
    print(f"{source} → {target}: {moved.error}")  # noqa: T201 (shown when a test fails)
    cells = dict(refused)
    with speak(source, urls[0]) as there, speak(target, urls[1]) as here:
        for case in VALUES[source]:
            if case.name not in refused:
                cells[case.name] = _values(case, there, here, moved)
        for feature in features:
            cells[feature.name] = _object(feature, target, here, moved)
    return {name: asdict(cells[name]) for name in cells}


@contextmanager
def _room_for_packets(*ends: tuple[str, str]) -> Iterator[None]:
    """Let a server send values of 10 MB in hexadecimal, as the hint of the error says."""
    url = next((u for e, u in ends if e == "mysql"), None)
    if url is None:
        yield
        return
    with speak("mysql", url) as here:
        before = here.run("SELECT @@global.max_allowed_packet")[0][0]
        here.run("SET GLOBAL max_allowed_packet = 67108864")
    try:
        yield
    finally:
        with speak("mysql", url) as here:
            here.run(f"SET GLOBAL max_allowed_packet = {before}")


def fill_values(engine: str, url: str) -> None:
    """Make one table per type, with its values at their limits."""
    with speak(engine, url) as there:
        _fill(there, VALUES[engine])


def _fill(there: Speaker, cases: tuple[Case, ...]) -> None:
    for case in cases:
        if case.before:
            there.run(case.before)
        there.run(
            f"CREATE TABLE {case.table} (id integer NOT NULL PRIMARY KEY, v {case.declaration})"
        )
        rows = ", ".join(f"({i}, {v})" for i, v in enumerate((*case.values, "NULL"), 1))
        there.run(f"INSERT INTO {case.table} VALUES {rows}")


def _refused_by_plan(
    source: str, spec: Callable[[list[str]], Migration], refused: dict[str, Cell]
) -> list[str]:
    """Return the tables that no plan can be made with, and enter why."""
    out: list[str] = []
    while True:
        try:
            look(spec(out))
        except PlanError as error:
            case = next(
                (c for c in VALUES[source] if f"{c.table}" in f"{error.where} {error.message}"),
                None,
            )
            if case is None or case.table in out:
                raise
            refused[case.name] = Cell("missing", note=f"{error.code}: {error.message}")
            out.append(case.table)
        else:
            return out


def _values(case: Case, there: Speaker, here: Speaker, moved: Moved) -> Cell:
    """Compare every value of one type."""
    before = there.values(case.table, case.kind)
    try:
        after = here.values(case.table, case.kind)
    except (*DRIVER_ERRORS, IndexError, StopIteration) as error:  # the table did not arrive
        return Cell("missing", note=f"not there: {type(error).__name__}; {moved.error}")
    notes = [
        n.partition(": ")[2]
        for n in moved.notes
        if n.partition(": ")[0].endswith(f"{case.table}.v")
    ]
    rejected = sum(r.table.endswith(case.table) for r in moved.rejects)
    proofs = _verdicts(case, moved) if not rejected else []  # a missing row hides everything else
    cell = Cell("exact", here.type_of(case.table), "; ".join(notes))
    if proofs:
        cell.note = "; ".join([*notes, f"the proof says: {proofs[0]}"])
    for i, value in before.items():
        if i not in after:
            cell.changed.append([_short(value), "refused" if rejected else "LOST"])
            told = rejected > 0
            rejected -= 1
        elif _same(case.kind, value, after[i]):
            continue
        else:
            cell.changed.append([_short(value), _short(after[i])])
            told = bool(notes or proofs)
        cell.outcome = "documented" if told and cell.outcome != "missing" else "missing"
    if cell.outcome == "exact" and proofs:  # it arrived, and the run calls it wrong or unknown
        cell.outcome = "missing" if "different" in proofs else "documented"
    return cell


def _verdicts(case: Case, moved: Moved) -> list[str]:
    found = moved.not_equal().items()
    return [p.partition(":")[0] for (table, _), p in found if table.endswith(case.table)]


def _same(kind: str, a: Value, b: Value) -> bool:
    if kind == "any" and a[0] and b[0]:
        return a == b
    return neutral(kind, a[1]) == neutral(kind, b[1])


def _short(value: Value) -> str:
    text = "NULL" if value[1] is None else value[1].encode("unicode_escape").decode()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 12]}… ({len(text)})"


def _object(feature: Feature, target: str, here: Speaker, moved: Moved) -> Cell:
    """Ask the target whether it behaves as the source does."""
    said = [e.text for e in moved.events if isinstance(e, Said) and e.text.startswith("left out ")]
    notes = [n for n in (*moved.notes, *said) if re.search(rf"\b{feature.mark}\b", n)]
    note = "; ".join(notes)
    if feature.works(target, here):
        return Cell("exact", note=note)
    return Cell("documented" if notes else "missing", note=note)
