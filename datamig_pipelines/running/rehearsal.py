"""Rehearses a migration on a scratch copy of the target: forward, back, forward again.

The source is read; of the target nothing but a backup is taken. What was found is one file below
``rehearsals/`` in the migration's folder, from which later plans take their figures.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datamig_pipelines.backups import State, observe
from datamig_pipelines.backups.places import scratch_url
from datamig_pipelines.errors import AlreadyRunError, DatamigError, IrreversibleError
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.rehearsed import save_rehearsal
from datamig_pipelines.planning.sampling import Sample, Sampled, sampled
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running.expecting import Gate, rehearsed_suites
from datamig_pipelines.running.opening import looked, source_place, target_place
from datamig_pipelines.running.reversal import (
    Reversal,
    Stride,
    WayBack,
    changed,
    judged,
    left_behind,
    summary,
    whole,
)
from datamig_pipelines.running.rollback import needs_restore, roll_back
from datamig_pipelines.running.run import StepStarted, run, run_step
from datamig_pipelines.running.scratching import (
    Copied,
    Site,
    alone,
    copy_target,
    drop_leftovers,
    scratch_site,
    state_of,
)
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.spec.policy import Approval, Rollback
from datamig_pipelines.steps import STEPS, StepDone, TableLoaded
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines.transfer import Event, Said

_RED = (Reversal.LOSSY, Reversal.IRREVERSIBLE)


@dataclass(frozen=True)
class Rehearsed(Event):
    """A rehearsal came to its end, well or not; ``found`` is what stands in the file ``path``."""

    found: dict[str, Any]
    path: Path


def rehearse(migration: Migration, sample: str = "", *, keep: bool = False) -> Iterator[Event]:
    """Walk the whole way forward, back and forward again on a scratch copy, and say how it went.

    ``sample`` (``5%``, ``1000``) takes a part of the source. ``keep`` leaves the scratch database
    of a rehearsal that failed. The last event is `Rehearsed`, also where an error follows.

    Raises:
        SampleError: ``sample`` is none.
        AlreadyRunError: A run is in the target, so that there is nothing to rehearse.
        IrreversibleError: The way back does not lead to the original state.
        DatamigError: What stopped the way forward, after the way back from there was tried; or
            what a run would be refused for, and nothing was done.
    """
    part = Sample.parsed(sample) if sample else None
    plan = _admitted(migration)
    target = database_of(plan.context.target)
    beside = scratch_url(migration, target)
    with alone(migration):
        yield from drop_leftovers(migration, target, beside)
        with scratch_site(migration, target, beside) as site:
            scratch = replace(target, url=site.url)
            moved = _moved(migration, site)
            copied = yield from copy_target(moved, target, scratch)
            chosen = _chosen(rehearsed_suites(moved, sampled=part is not None), part)
            if part:
                yield Said(f"a sample of {part.text} of each table, with all that it refers to")
            walk = _Walk(chosen.migration, copied)
            yield from walk.all()
            site.keep = keep and walk.error is not None
            found = _found(plan, walk, _extra(part, chosen, site))
            path = save_rehearsal(migration, found)
            yield Rehearsed(found, path)
    if walk.error is not None:
        raise walk.error


def _admitted(migration: Migration) -> Plan:
    """Return the plan of a run on the real databases; they are only read."""
    free = migration.model_copy(update={"approval": Approval()})  # rehearsed to be approved
    with looked(free) as found:
        if found.run is not None or found.settled:
            msg = f"{migration.name} is in the target already"
            hint = f"`datamig rollback {migration.name}` takes it back, and proves the way back."
            raise AlreadyRunError(msg, hint=hint)
        Gate(wanted=True, anew=True).admit(found)
        return found.plan


def _moved(migration: Migration, site: Site) -> Migration:
    """Return the migration with the scratch database as its target, and all its files beside it.

    Its own backup step checks bytes only: that a backup restores is what the copy proves.
    """
    verify = "checksum" if migration.backup.verify == "restore" else migration.backup.verify
    policy = {"to": str(site.folder / "backups"), "encryption": None, "source": False}
    kept = {"keep": None, "keep_days": None, "verify": verify}
    changes: dict[str, Any] = {
        "backup": migration.backup.model_copy(update={**policy, **kept}),
        "rollback": Rollback(),
        "approval": Approval(),
        "metrics": None,
        "alerts": (),
        "after": "",
    }
    return migration.model_copy(update=changes).elsewhere(site.url, site.folder / "home")


def _chosen(migration: Migration, part: Sample | None) -> Sampled:
    if part is None:
        return Sampled(migration)
    source = source_place(migration)
    return sampled(migration, source.catalog(), source.dialect, part)


def _extra(part: Sample | None, chosen: Sampled, site: Site) -> dict[str, Any]:
    return {
        "sample": part.text if part else "",
        "whole tables": dict(chosen.whole),
        "kept": site.url.render_as_string(hide_password=True) if site.keep else "",
    }


@dataclass
class _Walk:
    """The three ways, and what was seen on them."""

    migration: Migration
    copied: Copied
    strides: list[Stride] = field(default_factory=list)
    tables: list[TableLoaded] = field(default_factory=list)
    proofs: list[list[ProofResult]] = field(default_factory=list)
    way: WayBack | None = None
    undo_s: dict[str, float] = field(default_factory=dict)
    again: State | None = None
    again_s: float | None = None
    stopped: DatamigError | None = None
    error: DatamigError | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.database = database_of(target_place(self.migration))
        self._undone: dict[str, State] = {}
        self._clock = 0.0

    def all(self) -> Iterator[Event]:
        """Go all ways as far as they lead; ``error`` says what was wrong at the end."""
        yield Said("rehearsal: forward")
        yield from self._forward()
        if self.strides:
            yield Said("rehearsal: back")
            yield from self._back()
        self.error = self._irreversible() or self.stopped
        if self.error is None:
            yield Said("rehearsal: forward again")
            yield from self._forward_again()
            self.error = self.stopped

    def classes(self) -> list[tuple[Stride, Reversal, dict[str, Any]]]:
        """Return every step with its class and the evidence."""
        way = self.way
        return [] if way is None else [(s, *judged(s, way)) for s in self.strides]

    def verdict(self) -> Reversal:
        """Return the class of the migration."""
        if self.way is None:
            return Reversal.NO_OP
        return whole([kind for _, kind, _ in self.classes()], self.way)

    def _forward(self) -> Iterator[Event]:
        state = self.copied.state
        self.proofs.append([])
        for name in STEPS:
            started = 0.0
            try:
                for event in run_step(self.migration, None, name):
                    if isinstance(event, StepStarted):
                        started = time.monotonic()
                    self._see(event)
                    yield event
            except DatamigError as error:
                self.stopped = error
            if started:
                seconds = time.monotonic() - started
                before, state = state, state_of(self.database)
                self.strides.append(Stride(name, before, state, seconds))
            if self.stopped:
                return

    def _back(self) -> Iterator[Event]:
        by, broken, why = "", "", ""
        self._clock = time.monotonic()
        try:
            by = "restore" if needs_restore(self.migration) else "undo"
            for event in roll_back(self.migration, safety=False, witness=self._witness):
                if isinstance(event, StepDone):
                    self.undo_s[event.step] = time.monotonic() - self._clock
                    self._clock = time.monotonic()
                yield event
        except DatamigError as error:
            broken = error.where.removeprefix("rollback/") or "rollback"
            why = f"{error.code}: {error.message}"
        final = state_of(self.database)
        self.way = WayBack(self.copied.state, final, self._undone, by, broken, why)

    def _witness(self, step: str, session: Session) -> None:
        """See the target after a step's undo, if the step had changed anything."""
        made = next((s for s in self.strides if s.step == step), None)
        if made and changed(made.before, made.after):
            self._undone[step] = observe(self.database, session)
        self._clock = time.monotonic()

    def _forward_again(self) -> Iterator[Event]:
        began = time.monotonic()
        self.proofs.append([])
        try:
            for event in run(self.migration):
                self._see(event)
                yield event
        except DatamigError as error:
            self.stopped = error
        self.again_s = time.monotonic() - began
        self.again = state_of(self.database)

    def _see(self, event: Event) -> None:
        if isinstance(event, ProofResult):
            self.proofs[-1].append(event)
        if isinstance(event, TableLoaded):
            self.proofs[-1] += event.proofs
            self.tables += [event] if len(self.proofs) == 1 else []

    def _irreversible(self) -> IrreversibleError | None:
        verdict = self.verdict()
        if self.way is None or verdict not in _RED:
            return None
        guilty = [f"{s.step} ({kind})" for s, kind, _ in self.classes() if kind in _RED]
        left = left_behind(self.way)
        shown = "; ".join(left[:8]) + (" …" if len(left) > 8 else "")
        said = "; ".join(part for part in (self.way.why, shown) if part)
        where = ", ".join(guilty) or "no step of ours"
        msg = f"the way back is {verdict}: {where}: {said}"
        hint = "Do not run it before that is understood; --keep leaves the scratch database."
        error = IrreversibleError(msg, hint=hint, where="rehearsal/back")
        if self.stopped:
            error.add_note(f"the way forward had stopped: {self.stopped}")
        return error


# ---- what the file says


def _found(plan: Plan, walk: _Walk, more: dict[str, Any]) -> dict[str, Any]:
    told, error = plan.as_dict(), walk.error
    return {
        "migration": told["migration"],
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "class": walk.verdict().value,
        "passed": error is None,
        "error": {"code": error.code, "message": error.message} if error else None,
        "seconds": round(time.monotonic() - walk.began, 3),
        **more,
        "plan": told["fingerprint"],
        "engines": [plan.context.source.dialect.name, plan.context.target.dialect.name],
        "source": told["source"],
        "target": told["target"],
        "original": summary(walk.copied.state) | {"copied in": _rounded(walk.copied.seconds)},
        "steps": [
            {
                "step": stride.step,
                "class": kind.value,
                "seconds": _rounded(stride.seconds),
                "undo seconds": _rounded(walk.undo_s.get(stride.step)),
                "evidence": evidence,
            }
            for stride, kind, evidence in walk.classes()
        ],
        "forward": _forward_facts(walk),
        "back": _back_facts(walk),
        "again": _again_facts(walk),
    }


def _forward_facts(walk: _Walk) -> dict[str, Any]:
    steps = {s.step: s.seconds for s in walk.strides}
    if walk.copied.seconds and walk.migration.backup.verify == "checksum":
        steps["backup"] = walk.copied.seconds  # with the restore that proves it
    done = len(steps) == len(STEPS) and not (walk.stopped and walk.again is None)
    return {
        "seconds": _rounded(sum(steps.values())) if done else None,
        "steps": [{"step": name, "seconds": _rounded(s)} for name, s in steps.items()],
        "tables": [
            {
                "table": t.route.name,
                "rows": t.rows_loaded,
                "rejected": t.rows_rejected,
                "seconds": _rounded(t.seconds),
                "route": t.route.describe(),
            }
            for t in walk.tables
        ],
        "proofs": _counted(walk.proofs[0]) if walk.proofs else {},
    }


def _back_facts(walk: _Walk) -> dict[str, Any] | None:
    way = walk.way
    if way is None:
        return None
    return {
        "by": way.by,
        "error": way.why,
        "seconds": _rounded(sum(walk.undo_s.values())),
        "state": summary(way.final),
        "left": left_behind(way),
    }


def _again_facts(walk: _Walk) -> dict[str, Any] | None:
    if walk.again is None:
        return None
    first = walk.strides[-1].after
    return {
        "seconds": _rounded(walk.again_s),
        "state": summary(walk.again),
        "differs from the first time": changed(first, walk.again),
        "proofs": _counted(walk.proofs[-1]),
    }


def _counted(proofs: list[ProofResult]) -> dict[str, int]:
    found: dict[str, int] = {}
    for proof in proofs:
        found[proof.verdict.value] = found.get(proof.verdict.value, 0) + 1
    return found


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
