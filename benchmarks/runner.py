"""Runs the stages of one case, measured from outside."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from benchmarks.meter import Clock, Lap, PeakMemory
from benchmarks.pipes import Stage
from datamig_pipelines_tests.engines import PASSWORD

_ROOT = Path(__file__).parents[1]
_LINES, _WIDTH = 8, 200  # of what a failed command said


class RunFailedError(Exception):
    """A command of a stage ended with an error."""


@dataclass(frozen=True)
class Outcome:
    """What one run took; ``peak_mib`` is above what the client itself calls idle."""

    laps: tuple[Lap, ...]
    peak_mib: float
    profile: tuple[dict[str, object], ...] = ()

    @property
    def whole(self) -> Lap:
        """All stages together."""
        walls, clients, servers = zip(
            *[(p.wall_s, p.client_s, p.servers_s) for p in self.laps], strict=True
        )
        return Lap("whole", sum(walls), sum(clients), sum(servers))

    def lap(self, *names: str) -> Lap | None:
        """Return the first stage that has one of the names."""
        return next((p for p in self.laps if p.name in names), None)


def run(stages: Sequence[Stage], servers: Sequence[int], folder: Path) -> Outcome:
    """Run stages one after the other. Raises RunFailedError."""
    clock = Clock(servers, of_children=True)
    memory = PeakMemory(aside=servers)
    memory.start()
    said = ""
    try:
        for stage in stages:
            said = _piped(stage, folder)
            clock.lap(stage.name)
    finally:
        peak = memory.finish()
    return (
        _told(json.loads(said), clock.laps[0], peak) if said else Outcome(tuple(clock.laps), peak)
    )


def _told(report: dict[str, list[dict[str, object]]], whole: Lap, peak: float) -> Outcome:
    """Return the outcome of a client that measured its stages itself."""
    laps = [Lap(**lap) for lap in report["laps"]]  # type: ignore[arg-type]
    inner = Outcome(tuple(laps), 0).whole
    start = replace(
        whole,
        name="start",
        wall_s=whole.wall_s - inner.wall_s,
        client_s=whole.client_s - inner.client_s,
        servers_s=whole.servers_s - inner.servers_s,
    )
    idle = float(str(report["idle_mib"]))
    return Outcome((start, *laps), peak - idle, tuple(report["profile"]))


def _piped(stage: Stage, folder: Path) -> str:
    """Run the commands of a stage, each into the next; return what the last one printed."""
    with (
        tempfile.TemporaryFile() as order,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as errors,
    ):
        order.write(stage.stdin.encode())
        order.seek(0)
        processes: list[subprocess.Popen[bytes]] = []
        for number, command in enumerate(stage.commands, 1):
            before = processes[-1].stdout if processes else order
            into = out if number == len(stage.commands) else subprocess.PIPE
            processes.append(
                subprocess.Popen(
                    command,
                    stdin=before,
                    stdout=into,
                    stderr=errors,
                    cwd=folder,
                    env=_environment(folder),
                )
            )
            if processes[1:] and before:
                before.close()  # so that the reader hears when its writer ends
        codes = [process.wait() for process in processes]
        if any(codes):
            raise RunFailedError(f"{stage.name} ended with {codes}: {_tail(errors) or _tail(out)}")
        out.seek(0)
        return out.read().decode(errors="replace").strip() if stage.stdin else ""


def _tail(file: IO[bytes]) -> str:
    file.seek(0)
    said = file.read().decode(errors="replace").replace(f"{_ROOT}{os.sep}", "")
    lines = said.strip().splitlines()
    return " / ".join(line[:_WIDTH] for line in lines[-_LINES:])


def _environment(folder: Path) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PG", "MYSQL", "MARIADB"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {
        "PGPASSWORD": PASSWORD,
        "MYSQL_PWD": PASSWORD,
        "DATAMIG_HOME": str(folder / "home"),
        "PYTHONPATH": str(_ROOT),
        "TZ": "UTC",
    }
