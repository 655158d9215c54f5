"""Passes on what the work says: sentences to the log, progress to the asset, at a bearable rate."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import dagster as dg

from datamig_pipelines.orchestration.checks import evaluation_of
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.running import StepStarted, SuiteJudged
from datamig_pipelines.running.totals import LoadTotals, of_table
from datamig_pipelines.transfer import Event, Progress, Said

_PAUSE_S = 5.0
"""An observation costs 15 ms and more; a table is observed at most this often."""


def heard(context: Any, graph: Graph, events: Iterator[Event]) -> Iterator[Event]:
    """Yield what is neither said nor progress.

    When Dagster interrupts the step or closes it, the work is closed, too: workers stop and what
    they committed stays.
    """
    watched = _Watched(context, graph)
    with closing(cast("Any", events)):
        for event in events:
            watched.totals.see(event)
            match event:
                case Said(text):
                    context.log.info("%s", text)
                case StepStarted(step, does):
                    context.log.info("%s: %s", step, does)
                case SuiteJudged(result):
                    context.log_event(evaluation_of(graph, result))
                case Progress():
                    watched.progress(event)
                case _:
                    yield event


class _Watched:
    """What a step has shown so far of its tables, and when."""

    def __init__(self, context: Any, graph: Graph) -> None:
        self.totals = LoadTotals()
        self._context = context
        self._graph = graph
        self._seen: dict[str, float] = {}

    def progress(self, event: Progress) -> None:
        """Observe the table and tell how far all of them are, each if it was not told just now."""
        now = time.monotonic()
        if self._due(event.table, now):
            self._observe(event)
        if self._due("", now):
            total = self.totals.overall()
            self._context.log.info(
                "%d of %d tables, %d of about %d rows (%.0f%%), %d rows/s, %s left, %d rejected",
                total.done,
                total.tables,
                total.rows,
                total.expected,
                total.percent,
                total.rows_per_s,
                "? s" if total.left_s is None else f"{total.left_s:.0f} s",
                total.rejected,
            )

    def _due(self, what: str, now: float) -> bool:
        if now - self._seen.setdefault(what, now) < _PAUSE_S:
            return False
        self._seen[what] = now
        return True

    def _observe(self, event: Progress) -> None:
        keys, figures = self._graph.keys, of_table(event)
        key = keys.table(event.table, event.table.rpartition(".")[2]) or keys.rest
        facts: dict[str, Any] = {
            "rows": event.rows,
            "expected": event.expected,
            "percent": round(100 * event.rows / event.expected, 1) if event.expected else 0.0,
            "rejected": event.rejected,
            "bytes": event.bytes,
            "rows_per_second": round(figures.rows_per_s),
            "bytes_per_second": round(figures.bytes_per_s),
        }
        if figures.left_s is not None:
            facts["eta_seconds"] = round(figures.left_s)
        self._context.log_event(
            dg.AssetObservation(key, description=f"{event.table} loading", metadata=facts)
        )
