"""What the work says reaches the log and the asset, at a bearable rate."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from datamig_pipelines.orchestration import events
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.transfer import Event, Progress, Said
from datamig_pipelines_tests.orchestration.conftest import Library


class Context:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.observed: list[Any] = []
        self.log = self

    def info(self, text: str, *values: object) -> None:
        self.said.append(text % values if values else text)

    def log_event(self, event: Any) -> None:
        self.observed.append(event)


def _progress(rows: int) -> Progress:
    return Progress("books", rows, 300, 1, 10 * rows, 2.0, 100)


def test_progress_is_observed_every_five_seconds(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that tells of itself each second is observed each fifth."""
    clock = iter(range(100, 200))
    # The module's own clock: other threads of this process ask the real one.
    monkeypatch.setattr(events, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    context, graph = Context(), Graph.of(library.migration)
    list(events.heard(context, graph, (_progress(r) for r in range(100, 220, 10))))

    assert len(context.observed) == 2
    facts = context.observed[0].metadata
    assert (facts["rows"].value, facts["percent"].value) == (150, 50.0)
    assert facts["rows_per_second"].value == 25
    assert (facts["bytes_per_second"].value, facts["eta_seconds"].value) == (250, 6)
    assert "of 1 tables, 150 of about 300 rows (50%)" in context.said[0]


def test_sentences_are_logged_and_results_passed_on(library: Library) -> None:
    """Said goes to the log, also with a % in it; what is neither said nor progress is yielded."""
    result = Event()
    context, graph = Context(), Graph.of(library.migration)
    passed = list(events.heard(context, graph, (e for e in (Said("50 % done"), result))))

    assert context.said == ["50 % done"]
    assert passed == [result]


def test_closing_stops_the_work(library: Library) -> None:
    """When Dagster closes a step, the generator of the work is closed at once."""
    closed = []

    def work() -> Iterator[Event]:
        try:
            yield Event()
            yield Event()
        finally:
            closed.append(True)

    heard = events.heard(Context(), Graph.of(library.migration), work())
    next(heard)
    heard.close()  # type: ignore[attr-defined]

    assert closed == [True]
