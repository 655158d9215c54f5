"""What the work tells those who watch it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """Anything that happened; the base of all events."""


@dataclass(frozen=True)
class Said(Event):
    """A sentence for the reader of the log."""

    text: str


@dataclass(frozen=True)
class Paced(Said):
    """The load waits, goes slower, or goes on: what holds now, in words and for the metrics."""

    paused: bool = False
    slowed: bool = False


@dataclass(frozen=True)
class LoadBegun(Said):
    """A load begins; ``expected`` is each of its tables with the estimate of its rows."""

    expected: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Committed(Event):
    """One batch is durable; ``seconds`` is the time from its encoding to its commit."""

    table: str
    rows: int
    bytes: int
    seconds: float


@dataclass(frozen=True)
class Replayed(Event):
    """A rejected row was tried again; ``reason`` says why it is still none of the target's."""

    table: str
    key: str
    loaded: bool
    reason: str = ""


@dataclass(frozen=True)
class Progress(Event):
    """How far one table is, counted after a durable commit.

    ``table`` is the name in the source; ``expected`` the estimate of its rows; ``seconds`` the time
    since this process began to load it; ``resumed`` the rows that an earlier process had loaded.
    """

    table: str
    rows: int
    expected: int
    rejected: int
    bytes: int
    seconds: float
    resumed: int = 0
