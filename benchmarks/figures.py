"""From single runs to medians and ratios."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.meter import Lap
from benchmarks.routes import REFERENCE
from benchmarks.session import Measurement

Pick = Callable[[Measurement], float | None]

_COPY = ("copy", "load")  # what the stage is called in which the rows move


def _of(lap: Callable[[Measurement], Lap | None], field: str) -> Pick:
    """Return what picks a figure of a stage, in microseconds per row."""

    def pick(measured: Measurement) -> float | None:
        found = lap(measured)
        return None if found is None else getattr(found, field) / measured.rows * 1e6

    return pick


def _whole(measured: Measurement) -> Lap | None:
    return measured.outcome.whole if measured.outcome else None


def _copied(measured: Measurement) -> Lap | None:
    return measured.outcome.lap(*_COPY) if measured.outcome else None


CPU, WALL = _of(_whole, "cpu_s"), _of(_whole, "wall_s")
CLIENT, SERVERS = _of(_whole, "client_s"), _of(_whole, "servers_s")
COPY_CPU, COPY_WALL = _of(_copied, "cpu_s"), _of(_copied, "wall_s")


@dataclass(frozen=True)
class Case:
    """All runs of one case that count, beside the runs of the bare pipe in the same rounds."""

    name: str
    runs: Sequence[Measurement]
    base: dict[tuple[int, int], Measurement]
    """The bare pipe by round and rows; with 0 rows any of the round."""

    @property
    def rows(self) -> int:
        """The rows of one run."""
        return self.runs[0].rows

    @property
    def peak_mib(self) -> float:
        """The highest peak of memory."""
        return max(m.outcome.peak_mib for m in self.runs if m.outcome)

    def middle(self, pick: Pick) -> float | None:
        """Return the median of a figure."""
        found = [v for v in map(pick, self.runs) if v is not None]
        return median(found) if found else None

    def best(self, pick: Pick) -> float | None:
        """Return the least of a figure."""
        return min((v for v in map(pick, self.runs) if v is not None), default=None)

    def ratio(self, pick: Pick) -> float | None:
        """Return the median of the ratios to the bare pipe of the same round."""
        pairs = [(pick(m), pick(b)) for m in self.runs if (b := self._beside(m))]
        found = [mine / its for mine, its in pairs if mine is not None and its]
        return median(found) if found else None

    def _beside(self, run: Measurement) -> Measurement | None:
        return self.base.get((run.round, run.rows)) or self.base.get((run.round, 0))


def cases(measured: Iterable[Measurement]) -> list[Case]:
    """Return the cases of one table of results, in the order in which they were run."""
    counted = [m for m in measured if m.outcome and not m.wrong]
    pipes = [m for m in counted if m.case.startswith(REFERENCE)]
    base = {(m.round, rows): m for m in pipes for rows in (m.rows, 0)}
    names = dict.fromkeys(m.case for m in counted)
    return [Case(name, [m for m in counted if m.case == name], base) for name in names]


def times(mine: Case | None, other: Case | None, pick: Pick = CPU) -> float | None:
    """Return how many times more a case needs than another one."""
    if mine is None or other is None:
        return None
    own, its = mine.middle(pick), other.middle(pick)
    return its / own if own and its is not None else None
