"""How fast a load may go: limits, pauses, and courtesy towards a target that suffers."""

import threading
import time
from collections.abc import Callable
from typing import Final

from datamig_pipelines.dialects.base import Dialect
from datamig_pipelines.dialects.capabilities import Limit
from datamig_pipelines.ledger.control import Control, ControlFile, ControlTable
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, Throttle
from datamig_pipelines.transfer.events import Committed, Event, Paced, Said
from datamig_pipelines.transfer.watch import Seen, Watch

_SLICE_S: Final = 0.2  # whoever waits looks this often whether it is to stop
_SLOWEST: Final = 1 / 16
_RECOVERS: Final = 0.05  # of the full pace, per batch
_WEIGHT: Final = 0.3  # of the newest batch in the mean
_SUFFERS: Final = 2.0  # times the best time of a row
_LONGEST_REST_S: Final = 60.0

Tell = Callable[[Event], None]


class Pace:
    """One pace for all workers of a load. Made without arguments it holds nobody up.

    Rows and bytes: a bucket that holds one batch; a batch that is bigger than a second's budget
    passes, and the next one waits the longer. Suffering (``max_commit_s``): the share of the time
    in which a worker works is halved while batches take too long, and grows again step by step.
    """

    def __init__(
        self,
        throttle: Throttle | None = None,
        watch: Watch | None = None,
        tell: Tell = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Keep the limits and who is told about waiting."""
        self._throttle = throttle or Throttle()
        self._watch = watch
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = float("-inf")
        self._seen = Seen()
        self._trouble = ""
        self._share = 1.0
        self._mean_s = self._best_s = 0.0  # of one row
        self._halved_at = float("-inf")
        self._warned = False

    def wait(self, rows: int, size: int, stopped: Callable[[], bool]) -> bool:
        """Return when a batch of so many rows and bytes may be written; False: ``stopped``.

        No transaction may be open on the target: this may take hours.
        """
        ready = self._clock() + self._rest_s(rows)
        while not stopped():
            left = _SLICE_S if self._held() else self._turn(rows, size, ready)
            if left <= 0:
                return True
            self._sleep(min(left, _SLICE_S))
        return False

    def spent(self, rows: int, size: int, seconds: float, table: str = "") -> None:
        """Learn from a batch that was committed just now, and tell about it."""
        self._tell(Committed(table, rows, size, seconds))
        most_s = self._throttle.max_commit_s
        if most_s is None or rows == 0:
            return
        with self._lock:
            before = self._share
            self._learn(rows, seconds, most_s)
            share, mean_s = self._share, self._mean_s
        if before == 1.0 > share:
            text = f"slower: {rows:,} rows take {mean_s * rows:.1f} s to write"
            self._tell(Paced(f"{text} (throttle.max_commit_s: {most_s:g})", slowed=True))
        elif before < 1.0 == share:
            self._tell(Paced("at full pace again: the target writes as quickly as before"))

    def close(self) -> None:
        """Close what looks at the target."""
        if self._watch is not None:
            self._watch.close()

    # ---- the limits

    def _turn(self, rows: int, size: int, ready: float) -> float:
        """Take the turn, or return how many seconds it is away."""
        said = self._throttle
        with self._lock:
            now = self._clock()
            left = max(self._free_at, ready) - now
            if left <= 0:
                rows_s = rows / said.rows_per_s if said.rows_per_s else 0.0
                bytes_s = size / said.bytes_per_s if said.bytes_per_s else 0.0
                self._free_at = now + max(rows_s, bytes_s)
            return left

    # ---- the target suffers

    def _rest_s(self, rows: int) -> float:
        with self._lock:
            rest = (1 / self._share - 1) * self._mean_s * rows
        return min(rest, _LONGEST_REST_S)

    def _learn(self, rows: int, seconds: float, most_s: float) -> None:
        each_s, now = seconds / rows, self._clock()
        first = self._best_s == 0.0
        self._mean_s = each_s if first else self._mean_s + _WEIGHT * (each_s - self._mean_s)
        self._best_s = each_s if first else min(self._best_s, each_s)
        at_best_s = self._best_s * rows
        if at_best_s > most_s and not self._warned:
            self._warned = True
            text = (
                f"{rows:,} rows take {at_best_s:.1f} s at best, longer than throttle.max_commit_s "
                f"({most_s:g}): lower batch_size; meanwhile {_SUFFERS:g} times that is the limit"
            )
            self._tell(Said(text))
        limit_s = most_s if at_best_s <= most_s else _SUFFERS * at_best_s
        if self._mean_s * rows <= limit_s:
            self._share = min(1.0, self._share + _RECOVERS)
        elif now - self._halved_at >= seconds:  # several workers suffer together: halve once
            self._halved_at = now
            self._share = max(_SLOWEST, self._share / 2)

    # ---- held up

    def _held(self) -> bool:
        if self._watch is None:
            return False
        seen, trouble = self._watch.look(), self._watch.trouble
        with self._lock:
            before, self._seen = self._seen, seen
            troubled, self._trouble = trouble and not self._trouble, trouble
        if troubled:
            self._tell(Said(f"cannot see whether to wait: {trouble}"))
        if (before.pause, bool(before.lag)) != (seen.pause, bool(seen.lag)):
            self._tell(_told(before, seen))
        return seen.held


def _told(before: Seen, now: Seen) -> Paced:
    if now.pause:
        kept = "what was committed is kept, the source's snapshot stays open"
        return Paced(f"{now.pause}: {kept}", paused=True, slowed=bool(now.lag))
    if now.lag:
        return Paced(f"waiting: {now.lag}", slowed=True)
    if before.pause:
        return Paced(f"going on: {now.go or 'the pause is over'}")
    return Paced("going on: the replicas have caught up")


def load_pace(
    migration: Migration, dialect: Dialect, session: Callable[[], Session], tell: Tell
) -> Pace:
    """Return the pace of one load; ``session`` opens a session of the target to look with."""
    max_lag_s = migration.throttle.max_lag_s if Limit.LAG in dialect.can.limits else None
    by_table = dialect.can.concurrent_writers
    watch = Watch(
        lambda at: control_of(migration, dialect, at),
        session if by_table or max_lag_s is not None else None,
        max_lag_s,
    )
    return Pace(migration.throttle, watch, tell)


def control_of(migration: Migration, dialect: Dialect, session: Session | None) -> Control:
    """Return where the word about a migration stands; see `datamig_pipelines.ledger.control`."""
    if dialect.can.concurrent_writers and session is not None:
        return ControlTable(session, migration.name)
    return ControlFile(migration.home)
