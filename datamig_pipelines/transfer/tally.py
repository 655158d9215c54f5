"""Counts one table's rows while several workers load its shards."""

import threading
import time
from collections.abc import Iterable

from datamig_pipelines.ledger import BatchEntry, TableState
from datamig_pipelines.spec import Rejects
from datamig_pipelines.transfer.events import Progress
from datamig_pipelines.transfer.route import Route


class Tally:
    """What the workers of one table have committed so far, and which shards are still open."""

    def __init__(self, route: Route, state: TableState, shards: Iterable[int]) -> None:
        """Begin with what the ledger says; ``shards`` are the numbers of those to be loaded."""
        self.route = route
        self.commits = 0
        self.rows_read = state.rows_read
        self.rows_rejected = state.rows_rejected
        self._bytes = state.bytes
        self._resumed = state.rows_read
        self._open = set(shards)
        self._finisher: int | None = None
        self._began: float | None = None
        self._told_at = 0.0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Start the clock, if no other worker has."""
        with self._lock:
            if self._began is None:
                self._began = time.monotonic()

    def add(self, entry: BatchEntry) -> None:
        """Count a committed batch."""
        with self._lock:
            self.commits += 1
            self.rows_read += entry.rows_read
            self.rows_rejected += entry.rows_rejected
            self._bytes += entry.bytes

    def close(self, shard: int) -> bool:
        """Say that a shard is complete; True for the worker that has to finish the table."""
        with self._lock:
            self._open.discard(shard)
            if not self._open and self._finisher is None:
                self._finisher = shard
            return self._finisher == shard

    @property
    def seconds(self) -> float:
        """Return the time since this process began to load the table."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def due(self, tick_s: float) -> bool:
        """Say whether progress was last told so long ago; if so, it is told now."""
        with self._lock:
            seconds = self.seconds
            if seconds - self._told_at < tick_s:
                return False
            self._told_at = seconds
            return True

    def progress(self) -> Progress:
        """Return how far the table is."""
        with self._lock:
            return Progress(
                self.route.name,
                self.rows_read,
                max(self.route.source.rows, self.rows_read),
                self.rows_rejected,
                self._bytes,
                self.seconds,
                self._resumed,
            )

    def exceeds(self, rejects: Rejects, read: int = 0, rejected: int = 0) -> bool:
        """Say whether so many rows more would pass the limit of rejects, as far as one can know.

        A filtered table is measured by what was read; else the estimate of its rows counts, too.
        """
        with self._lock:
            expected = 0 if self.route.where else self.route.source.rows
            return rejects.exceeded(
                self.rows_rejected + rejected, max(self.rows_read + read, expected)
            )
