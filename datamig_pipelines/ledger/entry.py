"""What the ledger remembers. Times are UTC in ISO format, durations seconds."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from datamig_pipelines.errors import LedgerError

SOURCE_SUITE: Final = "before:"
TARGET_SUITE: Final = "suite:"
"""What the proof's name of a suite of expectations begins with; its file follows."""


def now() -> str:
    """Return the present moment as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def behind(at: str, last: str | None, *, step: timedelta = timedelta(milliseconds=1)) -> str:
    """Return a time that comes after the last one, whatever the clock says.

    Entries are put in order by their times. A clock that was set back, or that of another machine,
    would hide a new entry behind an older one.

    Raises:
        LedgerError: The last one is no time.
    """
    if not last or at > last:
        return at
    unit = "milliseconds" if step >= timedelta(milliseconds=1) else "microseconds"
    try:
        return (datetime.fromisoformat(last) + step).isoformat(timespec=unit)
    except (ValueError, OverflowError) as error:
        msg = f"the ledger in the target has an entry of {last!r}, which is no time to go on from"
        hint = "Somebody edited it: write the time of that entry as the others are."
        raise LedgerError(msg, hint=hint) from error


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


def key_text(key: tuple[str, ...] | None) -> str:
    """Return a key as the ledger keeps it: a JSON list of texts, '' for an open end."""
    return "" if key is None else json.dumps(key)


def key_of(text: str) -> tuple[str, ...] | None:
    """Return the key behind its text in the ledger; None for an open end or no key at all."""
    return tuple(json.loads(text)) or None if text else None


@dataclass(frozen=True)
class Shard:
    """A part of a table that one worker loads: the keys in (low, high], or a range of pages.

    The keys are texts of `key_text`, ``pages`` is ``first:behind`` of a table without a key. All
    three are '' where the shard is the whole table. ``done_at`` is None while rows may be missing.
    """

    run_id: str
    table: str
    number: int
    low_key: str = ""
    high_key: str = ""
    pages: str = ""
    done_at: str | None = None

    @property
    def page_range(self) -> tuple[int, int | None] | None:
        """Return the first page and the one behind the last (None: to the end)."""
        first, _, behind = self.pages.partition(":")
        return (int(first), int(behind) if behind else None) if first else None


@dataclass(frozen=True)
class BatchEntry:
    """One committed batch: ``rows_read = rows_loaded + rows_rejected + rows_filtered``.

    ``low_key`` is the key that it begins behind, ``high_key`` that of its last row (`key_text`;
    ``[]`` where there is no key). ``digest`` is that of the rows as they were read; '' marks a
    batch whose rows were taken back, because the source had changed them: a shard of its own took
    its place. ``written`` is the fingerprint of what was written where only the loader knows it.
    """

    run_id: str
    table: str
    shard: int
    number: int
    low_key: str
    high_key: str
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_filtered: int
    bytes: int
    written: str
    digest: str
    seconds: float
    committed_at: str = field(default_factory=now)

    @property
    def taken_back(self) -> bool:
        """Say whether its rows were taken back and are loaded by another shard."""
        return not self.digest


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
    shard: int = 1


@dataclass(frozen=True)
class ProofEntry:
    """A proof's verdict: equal · different · not comparable.

    Suites of expectations are remembered like proofs, the mark of their side before their file;
    those of the source have their digest as the target's figure.
    """

    run_id: str
    table: str
    proof: str
    verdict: str
    source: str
    target: str
    detail: str
    proven_at: str = field(default_factory=now)

    @property
    def of_suite(self) -> bool:
        """Say whether it is the verdict of a suite of expectations."""
        return self.proof.startswith((SOURCE_SUITE, TARGET_SUITE))


@dataclass(frozen=True)
class DifferenceEntry:
    """A value, or (``column`` is '') a row, that differs: both values, cut, and the cause."""

    table: str
    row_key: str
    column: str
    source: str | None
    target: str | None
    cause: str


@dataclass(frozen=True)
class ShardState:
    """How far a shard is: its committed batches, in order."""

    shard: Shard
    entries: tuple[BatchEntry, ...] = ()

    @property
    def next_number(self) -> int:
        """Return the number of the batch that comes next."""
        return len(self.entries) + 1

    @property
    def at(self) -> str:
        """Return the key (`key_text`) behind which the shard goes on."""
        return self.entries[-1].high_key if self.entries else self.shard.low_key

    @property
    def rows_read(self) -> int:
        """Return the rows read so far; those that were taken back do not count."""
        return sum(e.rows_read for e in self.entries)


@dataclass(frozen=True)
class TableState:
    """How far a table's load is, added up over its shards; no shards: nothing was begun."""

    batches: int = 0
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_filtered: int = 0
    bytes: int = 0
    written: tuple[int, int] | None = None
    done: bool = False
    shards: tuple[ShardState, ...] = ()

    @property
    def open_shards(self) -> tuple[ShardState, ...]:
        """Return the shards that are not complete."""
        return tuple(s for s in self.shards if s.shard.done_at is None)
