"""What the ledger remembers. Times are UTC in ISO format, durations seconds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime


def now() -> str:
    """Return the present moment as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class RunEntry:
    """One application of a migration.

    ``status``: running · done · failed · rolling_back · rolled_back. ``fingerprint`` is the plan's.
    """

    run_id: str
    migration: str
    fingerprint: str
    status: str
    started_at: str
    finished_at: str | None = None
    who: str = ""
    position: str = ""
    detail: str = ""


@dataclass(frozen=True)
class BatchEntry:
    """One committed batch: ``rows_read = rows_loaded + rows_rejected + rows_filtered``.

    ``high_key`` is the key of its last row (JSON list of texts, empty where there is no key);
    ``written`` is the fingerprint of what was written where only the loader knows it.
    """

    run_id: str
    table: str
    number: int
    high_key: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_filtered: int
    bytes: int
    written: str
    seconds: float
    committed_at: str = field(default_factory=now)


@dataclass(frozen=True)
class Reject:
    """A row that the target refused: its key and values (JSON), the engine's reason and a hint."""

    table: str
    batch: int
    row_key: str
    row_values: str
    code: str
    reason: str
    hint: str


@dataclass(frozen=True)
class ProofEntry:
    """A proof's verdict: equal · different · not comparable."""

    run_id: str
    table: str
    proof: str
    verdict: str
    source: str
    target: str
    detail: str
    proven_at: str = field(default_factory=now)


@dataclass(frozen=True)
class TableState:
    """How far a table's load is, added up over its batches."""

    batches: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_filtered: int = 0
    bytes: int = 0
    high_key: tuple[str, ...] | None = None
    written: tuple[int, int] | None = None
    done: bool = False
