"""Runs cases in turn, checks every copy, and keeps what was measured."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import targets
from benchmarks.routes import Case, Route, Setting
from benchmarks.runner import Outcome, RunFailedError, run
from benchmarks.servers import Engines
from benchmarks.sources import Sources, settle

_SETTLE_S = 0.3


@dataclass(frozen=True)
class Measurement:
    """One run of one case."""

    group: str
    route: str
    case: str
    round: int
    rows: int
    outcome: Outcome | None
    wrong: str = ""
    """Why the run does not count, '' if it does."""

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-compatible values."""
        return asdict(self)


@dataclass
class Session:
    """Servers, sources and a scratch folder."""

    engines: Engines
    sources: Sources
    folder: Path
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)

    def measure(
        self, group: str, route: Route, cases: Sequence[Case], rows: int, rounds: int
    ) -> list[Measurement]:
        """Run all cases once, then again, ``rounds`` times: noise meets all of them alike."""
        made = []
        for number in range(1, rounds + 1):
            for case in cases:
                found = self._once(group, route, case, min(rows, case.rows), number)
                if found:
                    self.say(_line(found))
                    made.append(found)
        return made

    def _once(
        self, group: str, route: Route, case: Case, rows: int, number: int
    ) -> Measurement | None:
        source = self.sources.url(route.source, route.table, rows)
        blank = Measurement(group, route.name, case.name, number, rows, None)
        with targets.fresh(route.target, self.engines, self.folder) as target:
            servers = tuple(self.engines.running())
            stages = case.stages(Setting(source, target, route.table, self.folder, servers))
            if not stages:
                return None
            if case.prepared:
                targets.prepare(target, route.table)
            settle(self.engines)
            time.sleep(_SETTLE_S)
            try:
                outcome = run(stages, servers, self.folder)
            except RunFailedError as error:
                return replace(blank, wrong=str(error))
            there = targets.figures(target, route.table)
        expected = self.sources.figures(route.table, rows)
        wrong = "" if there == expected else f"the copy is wrong: {there} instead of {expected}"
        return replace(blank, outcome=outcome, wrong=wrong)


def _line(found: Measurement) -> str:
    head = f"{found.route:16} {found.case:24} #{found.round}"
    if found.outcome is None or found.wrong:
        return f"{head} does not count: {found.wrong[:300]}"
    whole = found.outcome.whole
    per_row = whole.cpu_s / found.rows * 1e6
    peak = found.outcome.peak_mib
    return f"{head} {whole.wall_s:7.2f} s  {per_row:6.2f} µs CPU/row  {peak:5.0f} MiB"
