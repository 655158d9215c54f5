"""Walks forward, back and forward again on a scratch copy, and looks on."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datamig_pipelines.backups import State, observe
from datamig_pipelines.errors import DatamigError, IrreversibleError, RejectsError
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.running.rejects import rejects
from datamig_pipelines.running.reversal import (
    Reversal,
    Stride,
    WayBack,
    changed,
    judged,
    left_behind,
    whole,
)
from datamig_pipelines.running.rollback import needs_restore, roll_back
from datamig_pipelines.running.run import StepStarted, run, run_step
from datamig_pipelines.running.scratching import Copied, state_of
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import STEPS, StepDone, TableLoaded
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines.transfer import Event, Said

_RED = (Reversal.LOSSY, Reversal.IRREVERSIBLE)
_SHOWN = 20


@dataclass
class Walk:
    """The three ways, and what was seen on them."""

    migration: Migration
    copied: Copied
    strides: list[Stride] = field(default_factory=list)
    tables: list[TableLoaded] = field(default_factory=list)
    proofs: list[list[ProofResult]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
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
        self._note_rejects()
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

    def _note_rejects(self) -> None:
        """Keep the rejected rows: the scratch database, where they stand, is dropped."""
        if any(t.rows_rejected for t in self.tables):
            self.rejects = rejects(self.migration)["rejects"][:_SHOWN]
        if isinstance(self.stopped, RejectsError):
            self.stopped.hint = (
                "They stand in the rehearsal's file. Mend them in the source, or allow them: "
                "rejects: {allow: [table]}."
            )
        elif self.stopped:
            more = ", and rejected rows stand in the rehearsal's file" if self.rejects else ""
            self.stopped.hint += f" (This was a rehearsal: the target is as it was{more}.)"

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
