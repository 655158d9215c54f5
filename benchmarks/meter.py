"""Time, CPU and memory, read from /proc."""

import os
import resource
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from typing_extensions import override

_TICK = os.sysconf("SC_CLK_TCK")
_EVERY_S = 0.05
_MIB = 1024.0
_USED = slice(11, 15)  # of /proc/<pid>/stat behind the name: own and reaped children


@dataclass(frozen=True)
class Lap:
    """What one stage of a run took."""

    name: str
    wall_s: float
    client_s: float
    servers_s: float

    @property
    def cpu_s(self) -> float:
        """CPU of the client and of all servers."""
        return self.client_s + self.servers_s


class Clock:
    """Measures stages: wall time, CPU of a client and of servers."""

    def __init__(self, servers: Sequence[int], *, of_children: bool) -> None:
        """Start. The client is this process, or what it started and waited for."""
        self._servers = servers
        self._who = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
        self._last = self._now()
        self.laps: list[Lap] = []

    def lap(self, name: str) -> None:
        """Note what was used since the last lap."""
        now = self._now()
        self.laps.append(Lap(name, *(b - a for a, b in zip(self._last, now, strict=True))))
        self._last = now

    def as_json(self) -> list[dict[str, object]]:
        """Return the laps, JSON-compatible."""
        return [asdict(lap) for lap in self.laps]

    def _now(self) -> tuple[float, float, float]:
        used = resource.getrusage(self._who)
        return time.monotonic(), used.ru_utime + used.ru_stime, servers_cpu(self._servers)


def children(pid: int) -> list[int]:
    """Return the direct children of a process, none if it has ended."""
    found: list[int] = []
    for task in _listed(Path(f"/proc/{pid}/task")):
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def descendants(pids: Iterable[int]) -> list[int]:
    """Return processes with all their descendants."""
    todo, found = list(pids), []
    while todo:
        found.append(pid := todo.pop())
        todo += children(pid)
    return found


def servers_cpu(pids: Sequence[int]) -> float:
    """Return the CPU seconds of servers, their ended and their living children."""
    total = sum(_ticks(pid) for pid in pids)
    living = set(descendants(pids)) - set(pids)
    return (total + sum(_ticks(pid) for pid in living)) / _TICK


def anonymous_mib(pids: Iterable[int]) -> float:
    """Return the anonymous resident memory of processes."""
    return sum(_status_kib(pid, "RssAnon:") for pid in pids) / _MIB


def started(aside: Iterable[int]) -> list[int]:
    """Return the processes that this one started, some aside, with all their descendants.

    One that is about to start still runs our own program, in our own memory: it does not count yet.
    """
    roots = set(children(os.getpid())) - set(aside)
    mine = _program(os.getpid())
    return [pid for pid in descendants(roots) if _program(pid) != mine]


class PeakMemory(threading.Thread):
    """Samples the anonymous memory of the processes that this one started, some aside."""

    def __init__(self, aside: Iterable[int]) -> None:
        """Prepare; ``start`` begins, ``finish`` ends it."""
        super().__init__(name="memory", daemon=True)
        self._aside = set(aside)
        self._over = threading.Event()
        self.peak_mib = 0.0

    @override
    def run(self) -> None:
        while not self._over.wait(_EVERY_S):
            self.peak_mib = max(self.peak_mib, anonymous_mib(started(self._aside)))

    def finish(self) -> float:
        """Stop and return the highest sum that was seen, in MiB."""
        self._over.set()
        self.join()
        return self.peak_mib


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _program(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return sum(map(int, stat.rpartition(")")[2].split()[_USED]))


def _status_kib(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)
