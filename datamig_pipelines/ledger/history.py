"""The part of the ledger that people read: what was applied when, by whom, from which text."""

import json
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from datamig_pipelines.ledger.entry import RunEntry, behind
from datamig_pipelines.ledger.ledger import Ledger


def moment(at: datetime | None = None) -> str:
    """Return a time as it stands here: UTC, exact enough to put entries in order."""
    return (at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class HistoryEntry:
    """Something that happened to a run of a migration, or (without a run) its plan was approved.

    ``event``: started · applied · baseline · acknowledged · edited · rolled back · approved.
    ``spec`` is the text of the file (`spec.text`), ``plan`` the facts of the plan (JSON); both are
    empty where nothing was said about them. ``seconds`` is how long it took since the run began.
    """

    run_id: str
    migration: str
    event: str
    spec_sum: str = ""
    spec: str = ""
    plan_sum: str = ""
    plan: str = ""
    who: str = ""
    happened_at: str = field(default_factory=moment)
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class ApprovalEntry:
    """Somebody's word that a plan may run under these safety rules (JSON)."""

    migration: str
    fingerprint: str
    rules: str
    who: str
    approved_at: str
    valid_until: str


@dataclass(frozen=True)
class RehearsalEntry:
    """How a rehearsal of a plan ended; ``error`` is the code of what was red.

    ``rules`` are the safety rules that it took place under (JSON), ``sample`` is '' for all rows,
    ``reversal`` the class of the way back, which took ``back_seconds``.
    """

    migration: str
    fingerprint: str
    rules: str
    sample: str
    reversal: str
    error: str
    seconds: float
    back_seconds: float
    who: str
    rehearsed_at: str


class History(Ledger):
    """The ledger with its history, its catalogs, its approvals and its rehearsals."""

    # ---- history

    def entries(self, migration: str) -> list[HistoryEntry]:
        """Return what happened to a migration, oldest first."""
        rows = self._fetch("history", ("migration",), (migration,), order=("happened_at",))
        return [HistoryEntry(*row) for row in rows]

    def add_entry(self, entry: HistoryEntry) -> None:
        """Remember that something happened, as the newest entry of its run."""
        own = [e.happened_at for e in self.entries(entry.migration) if e.run_id == entry.run_id]
        if entry.run_id and own:
            at = behind(entry.happened_at, own[-1], step=timedelta(microseconds=1))
            entry = replace(entry, happened_at=at)
        self._insert("history", astuple(entry))

    def accepted(self, run: RunEntry) -> HistoryEntry | None:
        """Return the newest entry of a run that says which file and plan it stands for."""
        own = [e for e in self.entries(run.migration) if e.run_id == run.run_id and e.plan_sum]
        return own[-1] if own else None

    # ---- what the target held

    def catalog(self, scope: str) -> tuple[str, dict[str, Any]] | None:
        """Return the run and the facts that were remembered last; ``scope`` is the schema meant."""
        rows = self._fetch("catalog", ("scope",), (scope,), order=("taken_at",))
        return (rows[-1][0], json.loads(rows[-1][2])) if rows else None

    def keep_catalog(self, run_id: str, scope: str, facts: dict[str, Any]) -> None:
        """Remember what the target holds, in place of what was remembered before."""
        with self.session.transaction():
            self._delete("catalog", scope=scope)
            self._insert("catalog", (run_id, scope, json.dumps(facts), moment()))

    # ---- approvals

    def approvals(self, migration: str) -> list[ApprovalEntry]:
        """Return the approvals of a migration, oldest first."""
        rows = self._fetch("approval", ("migration",), (migration,), order=("approved_at",))
        return [ApprovalEntry(*row) for row in rows]

    def add_approval(self, entry: ApprovalEntry) -> None:
        """Remember an approval."""
        self._insert("approval", astuple(entry))

    # ---- rehearsals

    def rehearsals(self, migration: str) -> list[RehearsalEntry]:
        """Return the rehearsals of a migration, oldest first."""
        rows = self._fetch("rehearsal", ("migration",), (migration,), order=("rehearsed_at",))
        return [RehearsalEntry(*row) for row in rows]

    def add_rehearsal(self, entry: RehearsalEntry) -> None:
        """Remember a rehearsal."""
        self._insert("rehearsal", astuple(entry))

    @override
    def _fetch(
        self,
        name: str,
        where: tuple[str, ...],
        values: tuple[Any, ...],
        order: tuple[str, ...] = (),
    ) -> list[tuple[Any, ...]]:
        """Return rows; none where an older version made the ledger without this table."""
        young = name in ("history", "catalog", "approval", "rehearsal")
        if young and not self._has(name):
            return []
        return super()._fetch(name, where, values, order)
