"""Shows a run while it runs: a bar per table in a terminal, one line now and then elsewhere."""

import contextlib
import os
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from datamig_pipelines.cli.output import PIPED_WIDTH, duration, size
from datamig_pipelines.transfer import Event
from datamig_pipelines.transfer.events import Progress as TableProgress
from datamig_pipelines.transfer.events import Said

if TYPE_CHECKING:
    from datamig_pipelines.running.totals import LoadTotals, Totals

_EVERY_S = 5.0
_TABLE_LINES = 50
"""Tables that a log gets a line of their own for; later ones are counted in the line of all."""

_NAMED = 3  # tables in the line of all


class Live:
    """Draws what events tell on its own copy of stderr, so that redirections do not reach it."""

    def __init__(self) -> None:
        """Take hold of stderr as it is now."""
        from datamig_pipelines.running.totals import LoadTotals

        self._file = _own_stderr()
        terminal = self._file.isatty()
        self.console = Console(
            file=self._file, width=None if terminal else PIPED_WIDTH, highlight=False
        )
        self._bars = _bars(self.console) if terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._overall: TaskID | None = None
        self._totals = LoadTotals()
        self._said_at: float | None = None
        self._table_lines = 0
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
        elif (more := self._table_lines - _TABLE_LINES) > 0:
            self._line(f"  ... and {more:,} more tables; `datamig status` shows all")
        if self._file is not sys.stderr:
            with contextlib.suppress(OSError):
                self._file.close()

    def show(self, event: Event) -> None:
        """Show one event; may be called from several threads."""
        from datamig_pipelines.running import StepStarted
        from datamig_pipelines.steps import TableLoaded

        with self._lock:
            self._totals.see(event)
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
        from datamig_pipelines.running.totals import of_table

        if self._bars is None:
            self._now_and_then()
            return
        task = self._task(self._bars, event.table)
        figures = of_table(event)
        self._bars.update(task, completed=event.rows, total=max(event.expected, 1), figures=figures)
        self._draw_overall(self._bars)

    def _now_and_then(self) -> None:
        now = time.monotonic()
        if self._said_at is None:
            self._said_at = now
        if now - self._said_at >= _EVERY_S:
            self._said_at = now
            self._line(f"  {_line_of_all(self._totals)}")

    def _task(self, bars: Progress, table: str) -> TaskID:
        if table not in self._tasks:
            self._tasks[table] = bars.add_task(table, total=None, figures=None)
        return self._tasks[table]

    def _draw_overall(self, bars: Progress) -> None:
        if self._overall is None:
            self._overall = bars.add_task("", total=None, figures=None)
        total = self._totals.overall()
        bars.update(
            self._overall,
            description=f"{total.done} of {total.tables} tables",
            completed=total.rows,
            total=max(total.expected, 1),
            figures=total,
        )

    def _loaded(self, table: str, rows: int, rejected: int, seconds: float) -> None:
        if self._bars and table in self._tasks:
            self._bars.remove_task(self._tasks.pop(table))
        self._table_lines += 1
        if self._bars is None and self._table_lines > _TABLE_LINES:
            self._now_and_then()
            return
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
    """Rows, speed, time left and rejects of one table, or of all."""

    def render(self, task: Task) -> Text:
        """Return the figures of one line."""
        figures = task.fields.get("figures")
        if figures is None:
            return Text("")
        return Text(_figures(figures), style="red" if figures.rejected else "")


def _figures(total: "Totals") -> str:
    rate, rest = total.rows_per_s, total.left_s
    parts = [f"{total.rows:,} rows", f"{rate:,.0f} rows/s", f"{size(total.bytes_per_s)}/s"]
    parts += [f"{duration(rest)} left"] if rest is not None else []
    parts += [f"{total.rejected:,} rejected"] if total.rejected else []
    return " · ".join(parts)


def _line_of_all(totals: "LoadTotals") -> str:
    """Return one line for a log: ``3 of 9 tables, 40% · … · now orders 12%, lines 3%``."""
    from datamig_pipelines.running.totals import of_table

    total, running = totals.overall(), totals.current()
    head = f"{total.done} of {total.tables} tables, {total.percent:.0f}% · {_figures(total)}"
    shown = [f"{e.table} {of_table(e).percent:.0f}%" for e in running[:_NAMED]]
    more = [f"{len(running) - _NAMED} more"] if len(running) > _NAMED else []
    return f"{head} · now {', '.join([*shown, *more])}" if running else head
