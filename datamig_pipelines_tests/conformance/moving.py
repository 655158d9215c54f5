"""Runs a whole migration through the one door and collects what it said."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from datamig_pipelines.errors import DatamigError
from datamig_pipelines.ledger import Ledger, Reject
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running import look, run
from datamig_pipelines.running.opening import target_place
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import StepDone
from datamig_pipelines.transfer import Event

MOST_ROWS_BUT_NOT_ALL = 7
"""A batch size that cuts most tables of a test into several batches, the last one not full."""


@dataclass
class Moved:
    """What a run said, and how it ended."""

    migration: Migration
    events: list[Event] = field(default_factory=list)
    error: DatamigError | None = None
    notes: tuple[str, ...] = ()
    rejects: list[Reject] = field(default_factory=list)

    def not_equal(self) -> dict[tuple[str, str], str]:
        """Return the proofs that are not green: (table, proof) → verdict and detail."""
        proofs = {(e.table, e.proof): e for e in self.events if isinstance(e, ProofResult)}
        for event in self.events:
            for proof in getattr(event, "proofs", ()):
                proofs.setdefault((proof.table, proof.proof), proof)
        return {k: f"{p.verdict}: {p.detail}" for k, p in proofs.items() if p.verdict != "equal"}

    def proven(self) -> dict[str, set[str]]:
        """Return the proofs that were taken of each table, whatever they say."""
        taken: dict[str, set[str]] = {}
        for event in self.events:
            one = [event] if isinstance(event, ProofResult) else getattr(event, "proofs", ())
            for proof in one:
                taken.setdefault(proof.table, set()).add(proof.proof)
        return taken

    def left_out(self) -> list[str]:
        """Return what the steps left out because the target refused it."""
        details = (e.detail for e in self.events if isinstance(e, StepDone))
        return [what for detail in details for what in detail.get("left out", [])]


def migration(
    source: str, target: str, folder: Path, monkeypatch: pytest.MonkeyPatch, /, **said: Any
) -> Migration:
    """Return a migration between two URLs; ``said`` are further attributes of its file."""
    monkeypatch.setenv("CONFORMANCE_SOURCE", source)
    monkeypatch.setenv("CONFORMANCE_TARGET", target)
    attributes = {
        "name": "conformance",
        "source": {"url_env": "CONFORMANCE_SOURCE", **said.pop("source", {})},
        "target": {"url_env": "CONFORMANCE_TARGET", **said.pop("target", {})},
        **said,
    }
    return Migration.model_validate(attributes).based(folder)


def move(spec: Migration) -> Moved:
    """Run a migration; an error of ours ends it and is kept."""
    moved = Moved(spec, notes=look(spec).context.notes)
    try:
        for event in run(spec):
            moved.events.append(event)
    except DatamigError as error:
        moved.error = error
    with target_place(spec).open(readonly=True) as session:
        ledger = Ledger(session)
        last = ledger.last_run(spec.name)
        moved.rejects = [r for _, r in ledger.rejects(last.run_id)] if last else []
    return moved
