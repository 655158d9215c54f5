"""Where the client's CPU goes, function by function, in the threads that load."""

import cProfile
import os
import pstats
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_THREADS = "datamig-"
_SHOWN = 14


@contextmanager
def profiled(found: list[dict[str, object]]) -> Iterator[None]:
    """Profile the CPU time of every thread of ours that ends within the block.

    Python 3.12 and later profile one thread at a time: the writer, which starts first. Every call
    costs about a microsecond more, so functions that are called per row look too big.
    """
    plain = threading.Thread.run

    def run(thread: threading.Thread) -> None:
        if not thread.name.startswith(_THREADS):
            plain(thread)
            return
        profile = cProfile.Profile(time.thread_time)
        try:
            profile.enable()
        except ValueError:  # another thread is being profiled
            plain(thread)
            return
        try:
            plain(thread)
        finally:
            profile.disable()
            found.extend(_table(thread.name, profile))

    threading.Thread.run = run  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        threading.Thread.run = plain  # type: ignore[method-assign]


def _table(thread: str, profile: cProfile.Profile) -> list[dict[str, object]]:
    stats: Any = pstats.Stats(profile)
    rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:_SHOWN]
    return [
        {"thread": thread, "function": _named(*place), "calls": calls, "own_s": own}
        for place, (_, calls, own, _, _) in rows
    ]


def _named(file: str, line: int, function: str) -> str:
    short = file.partition("datamig_pipelines" + os.sep)[2] or os.path.basename(file)  # noqa: PTH119
    return function if file == "~" else f"{short}:{line} {function}"
