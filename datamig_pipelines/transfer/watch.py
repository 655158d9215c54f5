"""Looks at what may hold a load up: a word of a person, a replica that cannot follow."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from datamig_pipelines.errors import EngineError
from datamig_pipelines.ledger.control import Control, Word
from datamig_pipelines.session import Session

_WORD_EVERY_S = 2.0
_LAG_EVERY_S = 5.0


@dataclass(frozen=True)
class Seen:
    """What the last look showed; '' where nothing is in the way."""

    pause: str = ""
    lag: str = ""
    go: str = ""

    @property
    def held(self) -> bool:
        """Say whether the load has to wait."""
        return bool(self.pause or self.lag)


class Watch:
    """Looks for all workers of a load, at most every two seconds, over a session of its own.

    A look that fails keeps what was seen last, is told once, and is tried again: if the target is
    gone, the workers find out themselves.
    """

    def __init__(
        self,
        control: Callable[[Session | None], Control],
        session: Callable[[], Session] | None,
        max_lag_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep where to look; ``session`` None: nothing of it needs the target."""
        self._control = control
        self._open = session
        self._max_lag_s = max_lag_s
        self._clock = clock
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._word_at = self._lag_at = float("-inf")
        self._seen = Seen()
        self._blind = ""
        self.trouble = ""

    def look(self) -> Seen:
        """Return what is in the way; another worker's look of just now is good enough."""
        now = self._clock()
        if now - self._word_at < _WORD_EVERY_S or not self._lock.acquire(blocking=False):
            return self._seen
        try:
            self._word_at = now
            self._seen = self._looked(now)
            self.trouble = self._blind
        except EngineError as error:
            self.trouble = error.message
            self._drop()
        finally:
            self._lock.release()
        return self._seen

    def _looked(self, now: float) -> Seen:
        if self._open is not None and self._session is None:
            self._session = self._open()
        word = self._control(self._session).last()
        lag = self._seen.lag
        if self._max_lag_s is not None and now - self._lag_at >= _LAG_EVERY_S:
            self._lag_at = now
            lag = self._lag(self._max_lag_s)
        return Seen(_pause(word), lag, "" if word is None else f"resumed by {word.who}")

    def _lag(self, most_s: float) -> str:
        if self._session is None:
            return ""
        found = self._session.dialect.replication_lag_s(self._session)
        self._blind = "this user may not see how far the replicas are" if found is None else ""
        if found is None or found <= most_s:
            return ""
        return f"a replica of the target is {found:.0f} s behind (throttle.max_lag_s: {most_s:g})"

    def close(self) -> None:
        """Close the session; nobody looks any more."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _pause(word: Word | None) -> str:
    return f"paused by {word.who} at {word.at}" if word is not None and word.paused else ""
