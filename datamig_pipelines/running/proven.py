"""Whether the way back of a plan is proven: by a rehearsal, before the way forward."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from datamig_pipelines.errors import NotRehearsedError
from datamig_pipelines.ledger import History, RehearsalEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.ledger.history import moment
from datamig_pipelines.planning.rehearsed import told_of
from datamig_pipelines.planning.risks import risks
from datamig_pipelines.running.approval import rules_of
from datamig_pipelines.running.changes import listed
from datamig_pipelines.running.opening import Situation, target_place
from datamig_pipelines.spec import Migration


@dataclass(frozen=True)
class Proven:
    """Whether a plan has to be rehearsed, why, and the last rehearsal that there was of it."""

    reasons: tuple[str, ...] = ()
    entry: RehearsalEntry | None = None
    missing: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON-compatible words."""
        return {
            "needed": bool(self.reasons),
            "reasons": list(self.reasons),
            "given": not self.missing,
            "missing": self.missing,
            "last": facts(self.entry) if self.entry else None,
        }

    def __str__(self) -> str:
        """Return the last rehearsal of the plan in words."""
        entry = self.entry
        if entry is None:
            return "not rehearsed"
        part = f"a sample of {entry.sample}" if entry.sample else "all rows"
        how = f"red, {entry.error}" if entry.error else entry.reversal
        return f"rehearsed {entry.rehearsed_at}, {part}: {how}, way back {entry.back_seconds:.1f} s"


def proven_of(found: Situation) -> Proven:
    """Return what is known of rehearsals of the plan of now.

    Where one is required, the target's ledger says it, for whoever runs; else the files of this
    machine. A run that began is let go on: it cannot be rehearsed any more.
    """
    plan, migration = found.plan, found.plan.context.migration
    reasons = () if found.run is not None else _reasons(found)
    known = found.ledger.rehearsals(migration.name) if found.ledger else []
    mine = [e for e in known if e.fingerprint == plan.fingerprint]
    if not reasons:
        return Proven(entry=_newest([*mine, *_of_files(migration, plan.fingerprint)]))
    last = _newest(mine)
    return Proven(reasons, last, _missing(migration, last, known=bool(known)))


def last_rehearsal(migration: Migration, ledger: History | None) -> dict[str, Any] | None:
    """Return the last rehearsal of any plan that the ledger or this machine's files know."""
    known = ledger.rehearsals(migration.name) if ledger else []
    last = _newest([*known, *_of_files(migration)])
    return facts(last) if last else None


def facts(entry: RehearsalEntry) -> dict[str, Any]:
    """Return a rehearsal in JSON-compatible words."""
    return {
        "at": entry.rehearsed_at,
        "plan": entry.fingerprint,
        "class": entry.reversal,
        "error": entry.error,
        "sample": entry.sample or "all rows",
        "seconds": entry.seconds,
        "back seconds": entry.back_seconds,
        "by": entry.who,
    }


def refuse_unproven(found: Situation) -> None:
    """Raise NotRehearsedError unless the plan was rehearsed well, or need not be."""
    state = proven_of(found)
    if not state.missing:
        return
    plan, migration = found.plan, found.plan.context.migration
    msg = f"plan {plan.fingerprint} of {migration.name} needs a rehearsal: {state.missing}"
    hint = f"`datamig rehearse {migration.name}`, in Dagster job {migration.name}_rehearse."
    raise NotRehearsedError(listed(msg, list(state.reasons)), hint=hint)


def remember_rehearsal(migration: Migration, told: dict[str, Any]) -> None:
    """Write the verdict of a rehearsal into the target's ledger; ``told`` is its file."""
    with target_place(migration).open(readonly=False) as session:
        ledger = History(session)
        ledger.create()
        ledger.add_rehearsal(_entry(migration, told))


def _missing(migration: Migration, last: RehearsalEntry | None, *, known: bool) -> str:
    if last is None:
        return "its plan was changed since it was rehearsed" if known else "nobody rehearsed it"
    if last.rules != rules_of(migration):
        return f"the rules of its safety changed since {last.rehearsed_at}"
    if last.error:
        return f"that of {last.rehearsed_at} was red ({last.error})"
    if last.sample and migration.rehearsal.all_rows:
        return f"that of {last.rehearsed_at} was of a sample ({last.sample})"
    end = datetime.fromisoformat(last.rehearsed_at) + timedelta(
        hours=migration.rehearsal.valid_hours
    )
    return f"that of {last.rehearsed_at} is too old" if end < datetime.now(UTC) else ""


def _entry(migration: Migration, told: dict[str, Any]) -> RehearsalEntry:
    return RehearsalEntry(
        migration.name,
        str(told["plan"]),
        rules_of(migration),
        told["sample"],
        str(told["class"]),
        (told["error"] or {}).get("code", ""),
        float(told["seconds"]),
        float((told["back"] or {}).get("seconds") or 0.0),
        whoami(),
        moment(datetime.fromisoformat(told["time"])),
    )


def _of_files(migration: Migration, fingerprint: str = "") -> list[RehearsalEntry]:
    """Return the last rehearsal of this plan ('': of any) that the files tell of, if any does."""
    for _, told in told_of(migration):
        entry = _read(migration, told)
        if entry and entry.fingerprint.startswith(fingerprint):
            return [entry]
    return []


def unreadable(migration: Migration) -> list[str]:
    """Return the files of rehearsals that say nothing: cut off, or edited."""
    return [str(path) for path, told in told_of(migration) if _read(migration, told) is None]


def _read(migration: Migration, told: dict[str, Any]) -> RehearsalEntry | None:
    try:
        return _entry(migration, told)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _newest(entries: list[RehearsalEntry]) -> RehearsalEntry | None:
    return max(entries, key=lambda e: e.rehearsed_at, default=None)


def _reasons(found: Situation) -> tuple[str, ...]:
    required = found.plan.context.migration.rehearsal.required
    if required == "risky":
        return tuple(risks(found.plan))
    return ("the file asks for one (rehearsal.required)",) if required else ()
