"""Adds up the progress of all tables of a load: what is done, how fast, how long still."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from datamig_pipelines.steps import TableLoaded
from datamig_pipelines.transfer import Event, Progress
from datamig_pipelines.transfer.events import LoadBegun


@dataclass(frozen=True)
class Totals:
    """All tables of a load together; ``expected`` counts those, too, that nobody began yet.

    ``new_rows`` were loaded by this process, ``rows`` by it and those before it.
    """

    tables: int
    done: int
    rows: int
    expected: int
    rejected: int
    bytes: int
    new_rows: int
    seconds: float

    @property
    def rows_per_s(self) -> float:
        """Return the rows per second of this process."""
        return self.new_rows / self.seconds if self.seconds > 0 else 0.0

    @property
    def bytes_per_s(self) -> float:
        """Return the bytes per second of this process, by the mean size of all rows."""
        return self.rows_per_s * self.bytes / self.rows if self.rows else 0.0

    @property
    def left_s(self) -> float | None:
        """Return the seconds until all tables are loaded at this speed, None while nobody knows."""
        rate = self.rows_per_s
        return max(0.0, (self.expected - self.rows) / rate) if rate > 0 else None

    @property
    def percent(self) -> float:
        """Return how much of the expected rows is done."""
        return 100 * self.rows / self.expected if self.expected else 100.0


def of_table(event: Progress) -> Totals:
    """Return the figures of one table in the same form."""
    new = event.rows - event.resumed
    expected = max(event.expected, event.rows)
    return Totals(1, 0, event.rows, expected, event.rejected, event.bytes, new, event.seconds)


class LoadTotals:
    """Takes events in and knows the totals at any moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing."""
        self._clock = clock
        self._began: float | None = None
        self._expected: dict[str, int] = {}
        self._last: dict[str, Progress] = {}
        self._done: dict[str, TableLoaded] = {}

    def see(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, LoadBegun):
            self._began = self._clock()
            self._expected.update(event.expected)
        elif isinstance(event, Progress):
            if self._began is None:
                self._began = self._clock() - event.seconds
            self._last[event.table] = event
        elif isinstance(event, TableLoaded):
            self._done[event.route.name] = event

    def current(self) -> list[Progress]:
        """Return the last progress of every table that is being loaded, biggest first."""
        running = [e for name, e in self._last.items() if name not in self._done]
        return sorted(running, key=lambda e: e.expected, reverse=True)

    def overall(self) -> Totals:
        """Return the sum of all tables as of now."""
        names = {**self._expected, **self._last, **self._done}
        parts = [self._table(name) for name in names]
        seconds = 0.0 if self._began is None else self._clock() - self._began
        return Totals(
            len(names),
            len(self._done),
            sum(p.rows for p in parts),
            sum(p.expected for p in parts),
            sum(p.rejected for p in parts),
            sum(p.bytes for p in parts),
            sum(p.new_rows for p in parts),
            seconds,
        )

    def _table(self, name: str) -> Totals:
        last, done = self._last.get(name), self._done.get(name)
        if last is None and done is None:
            return Totals(1, 0, 0, self._expected.get(name, 0), 0, 0, 0, 0.0)
        if last is None and done is not None:  # loaded before this process
            rows = done.rows_loaded + done.rows_rejected
            return Totals(1, 1, rows, rows, done.rows_rejected, done.bytes, 0, 0.0)
        assert last is not None  # noqa: S101 (one of both is there; narrows the type)
        own = of_table(last)
        if done is None:
            return own
        return Totals(
            1, 1, last.rows, last.rows, last.rejected, last.bytes, own.new_rows, last.seconds
        )
