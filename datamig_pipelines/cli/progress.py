"""Shows a run while it runs: a bar per table in a terminal, a line now and then elsewhere."""

import contextlib
import os
import sys
import threading
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from datamig_pipelines.cli.output import PIPED_WIDTH, duration
from datamig_pipelines.transfer import Event
from datamig_pipelines.transfer.events import Progress as TableProgress
from datamig_pipelines.transfer.events import Said

_EVERY_S = 10.0


class Live:
    """Draws what events tell on its own copy of stderr, so that redirections do not reach it."""

    def __init__(self) -> None:
        """Take hold of stderr as it is now."""
        self._file = _own_stderr()
        terminal = self._file.isatty()
        self.console = Console(
            file=self._file, width=None if terminal else PIPED_WIDTH, highlight=False
        )
        self._bars = _bars(self.console) if terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._overall: TaskID | None = None
        self._said: dict[str, float] = {}
        self._last: dict[str, TableProgress] = {}
        self._began = 0.0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing; the last state stays on the screen."""
        if self._bars:
            self._bars.stop()
        if self._file is not sys.stderr:
            with contextlib.suppress(OSError):
                self._file.close()

    def show(self, event: Event) -> None:
        """Show one event; may be called from several threads."""
        from datamig_pipelines.running import StepStarted
        from datamig_pipelines.steps import TableLoaded

        with self._lock:
            if isinstance(event, TableProgress):
                self._progress(event)
            elif isinstance(event, TableLoaded):
                self._loaded(
                    event.route.name, event.rows_loaded, event.rows_rejected, event.seconds
                )
            elif isinstance(event, StepStarted):
                self._line(f"{event.step}: {event.does}")
            elif isinstance(event, Said):
                self._line(f"  {event.text}")

    def _progress(self, event: TableProgress) -> None:
        self._last[event.table] = event
        if self._bars is None:
            self._now_and_then(event)
            return
        task = self._task(self._bars, event.table)
        self._bars.update(task, completed=event.rows, total=max(event.expected, 1), event=event)
        self._draw_overall(self._bars)

    def _now_and_then(self, event: TableProgress) -> None:
        now = time.monotonic()
        if now - self._said.setdefault(event.table, now) >= _EVERY_S:
            self._said[event.table] = now
            self._line(f"  {event.table}: of {event.expected:,}: {_figures(event)}")

    def _task(self, bars: Progress, table: str) -> TaskID:
        if table not in self._tasks:
            self._tasks[table] = bars.add_task(table, total=None, event=None)
        return self._tasks[table]

    def _draw_overall(self, bars: Progress) -> None:
        if self._overall is None:
            self._began = time.monotonic() - max(e.seconds for e in self._last.values())
            self._overall = bars.add_task("tables so far", total=None, event=None)
        total = _sum(list(self._last.values()), time.monotonic() - self._began)
        bars.update(self._overall, completed=total.rows, total=max(total.expected, 1), event=total)

    def _loaded(self, table: str, rows: int, rejected: int, seconds: float) -> None:
        if self._bars and table in self._tasks:
            self._bars.remove_task(self._tasks.pop(table))
        aside = f", {rejected:,} rejected" if rejected else ""
        self._line(f"  {table}: {rows:,} rows in {duration(seconds)}{aside}")

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)


def _own_stderr() -> TextIO:
    try:
        return os.fdopen(
            os.dup(sys.stderr.fileno()), "w", buffering=1, encoding="utf-8", errors="replace"
        )
    except (OSError, ValueError, AttributeError):
        return sys.stderr  # it is no file: a test has taken its place


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f}%"),
        _Figures(Column(no_wrap=True)),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _Figures(ProgressColumn):
    """Rows, speed, time left and rejects, from the last event of a table."""

    def render(self, task: Task) -> Text:
        """Return the figures of one line."""
        event = task.fields.get("event")
        if event is None:
            return Text("")
        return Text(_figures(event), style="red" if event.rejected else "")


def _figures(event: TableProgress) -> str:
    rest = _left(event)
    parts = [f"{event.rows:,} rows", f"{_rate(event):,.0f} rows/s"]
    parts += [f"{duration(rest)} left"] if rest is not None else []
    parts += [f"{event.rejected:,} rejected"] if event.rejected else []
    return " · ".join(parts)


def _rate(event: TableProgress) -> float:
    return (event.rows - event.resumed) / event.seconds if event.seconds > 0 else 0.0


def _left(event: TableProgress) -> float | None:
    rate = _rate(event)
    return max(0.0, (event.expected - event.rows) / rate) if rate > 0 else None


def _sum(events: list[TableProgress], seconds: float) -> TableProgress:
    """Return all tables begun so far as one."""
    return TableProgress(
        "",
        sum(e.rows for e in events),
        sum(e.expected for e in events),
        sum(e.rejected for e in events),
        sum(e.bytes for e in events),
        seconds,
        sum(e.resumed for e in events),
    )
