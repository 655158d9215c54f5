"""Where output goes: results to stdout, everything about the way there to stderr."""

import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

PIPED_WIDTH = 200


def out() -> Console:
    """Return the console of results."""
    return _console(sys.stdout)


def err() -> Console:
    """Return the console of progress, questions and errors."""
    return _console(sys.stderr)


def _console(stream: TextIO) -> Console:
    # Made anew each time: a test, a pipe and a redirection put other streams there.
    return Console(file=stream, width=None if stream.isatty() else PIPED_WIDTH, highlight=False)


def document(data: object) -> None:
    """Print one JSON document on stdout."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=plain, default=str) + "\n")


def tolerate() -> None:
    """Write what a terminal's or a pipe's encoding lacks as an escape, instead of failing at it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Print a line of the result, as it is."""
    out().print(text, markup=False, soft_wrap=True)


def remark(text: str) -> None:
    """Print a line about the way there, as it is."""
    err().print(text, markup=False, soft_wrap=True)


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()
) -> None:
    """Print a table on stdout; ``right`` names the columns of numbers."""
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    out().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(str(value))


def duration(seconds: float) -> str:
    """Return a duration as people say it: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Return bytes as people say them: ``512 B``, ``1.4 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
