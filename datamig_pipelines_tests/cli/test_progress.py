"""What is shown while a run runs."""

import io
import itertools
import sys
from types import SimpleNamespace

import pytest

from datamig_pipelines.cli import progress
from datamig_pipelines.cli.output import duration, size
from datamig_pipelines.cli.progress import Live
from datamig_pipelines.errors import StepError
from datamig_pipelines.running import StepStarted
from datamig_pipelines.running.watch import StepFailed, tell, watch
from datamig_pipelines.steps import TableLoaded
from datamig_pipelines.transfer import Event, Progress, Said
from datamig_pipelines.transfer.events import LoadBegun

HALF = Progress("orders", 500, 1000, 3, 9_000, 5.0, resumed=100)
DONE = TableLoaded(SimpleNamespace(name="orders"), 997, 3, 9_000, 10.0)  # type: ignore[arg-type]


class Screen(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        """Be one."""
        return True


def test_live_draws_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets a bar with rows, speed without the resumed rows, time left and rejects."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")

    with Live() as live:
        live.show(StepStarted("load", "copies the rows"))
        live.show(LoadBegun("loading", (("orders", 1000), ("lines", 3000))))
        live.show(HALF)
    shown = screen.getvalue()

    for part in (
        "load: copies the rows",
        "orders",
        "500 rows",
        "80 rows/s",
        "1.4 kB/s",
        "6.2 s left",
        "3 rejected",
        "0 of 2 tables",
    ):
        assert part in shown


def test_live_writes_lines_now_and_then_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets plain lines: steps, sentences, tables, and progress at a bearable rate."""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)

    with Live() as live:
        for event in (StepStarted("load", "copies"), Said("two at a time"), HALF, HALF, DONE):
            live.show(event)
    shown = file.getvalue()

    assert shown == "load: copies\n  two at a time\n  orders: 997 rows in 10 s, 3 rejected\n"
    assert "\x1b" not in shown


def test_live_tells_of_all_tables_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log gets one line for all tables that are being loaded, those not begun counted in."""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    monkeypatch.setattr(progress, "_EVERY_S", 0.0)

    with Live() as live:
        live.show(LoadBegun("loading", (("orders", 1000), ("lines", 3000))))
        live.show(HALF)
    line = file.getvalue().splitlines()[-1]

    assert line.startswith("  0 of 2 tables, 12% · 500 rows · ")
    assert line.endswith(" left · 3 rejected · now orders 50%")


def test_live_never_writes_thousands_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two thousand tables the first fifty get a line, the others are counted."""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    ticks = itertools.count(step=0.001)  # every five seconds there is one line more
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(ticks)))

    with Live() as live:
        for number in range(2000):
            name = f"t{number}"
            live.show(Progress(name, 5, 5, 0, 50, 0.1))
            live.show(TableLoaded(SimpleNamespace(name=name), 5, 0, 50, 0.1))  # type: ignore[arg-type]
    lines = file.getvalue().splitlines()

    assert len(lines) < 60
    assert lines[-1] == "  ... and 1,950 more tables; `datamig status` shows all"


def test_watch_sees_what_is_told_in_its_block() -> None:
    """A watcher gets every event, the error object included, and none after its block."""
    seen: list[Event] = []
    failed = StepFailed("load", StepError("no", hint="so"))

    with watch(seen.append):
        assert tell(HALF) is HALF
        tell(failed)
    tell(DONE)

    assert seen == [HALF, failed]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    """Two units at most."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(512, "512 B"), (1_400_000_000, "1.4 GB"), (5e15, "5000.0 TB")]
)
def test_size_reads_as_people_say_it(count: float, text: str) -> None:
    """One unit."""
    assert size(count) == text
