"""Passes on what the work says: sentences to the log, progress to the asset, at a bearable rate."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, cast

import dagster as dg

from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.running import StepStarted
from datamig_pipelines.transfer import Event, Progress, Said

_PAUSE_S = 5.0
"""An observation costs 15 ms and more; a table is observed at most this often."""


def heard(context: Any, graph: Graph, events: Iterator[Event]) -> Iterator[Event]:
    """Yield what is neither said nor progress.

    When Dagster interrupts the step or closes it, the work is closed, too: workers stop and what
    they committed stays.
    """
    observed: dict[str, float] = {}
    with closing(cast("Any", events)):
        for event in events:
            match event:
                case Said(text):
                    context.log.info("%s", text)
                case StepStarted(step, does):
                    context.log.info("%s: %s", step, does)
                case Progress():
                    _observe(context, graph, event, observed)
                case _:
                    yield event


def _observe(context: Any, graph: Graph, event: Progress, observed: dict[str, float]) -> None:
    now = time.monotonic()
    if now - observed.setdefault(event.table, now) < _PAUSE_S:
        return
    observed[event.table] = now
    key = graph.keys.table(event.table, event.table.rpartition(".")[2]) or graph.keys.rest
    share = event.rows / event.expected if event.expected else 0.0
    facts = {
        "rows": event.rows,
        "expected": event.expected,
        "percent": round(100 * share, 1),
        "rejected": event.rejected,
        "rows_per_second": round((event.rows - event.resumed) / event.seconds)
        if event.seconds
        else 0,
    }
    context.log_event(
        dg.AssetObservation(key, description=f"{event.table} loading", metadata=facts)
    )
    context.log.info("%s: %d of about %d rows", event.table, event.rows, event.expected)
