"""Figures of a run for Prometheus: served on a port, written to a file, or both.

What happened before this process is taken from the ledger first, so that counters go on where an
interrupted run stopped. They grow only after a durable commit.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final

from datamig_pipelines.errors import EngineError
from datamig_pipelines.ledger import Ledger, TableState
from datamig_pipelines.planning import Plan
from datamig_pipelines.running.watch import StepFailed, watch
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import TableLoaded
from datamig_pipelines.transfer import Event, Progress, Said
from datamig_pipelines.transfer.events import Committed, Paced

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge

_FILE_EVERY_S: Final = 5.0
_SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
STATES: Final = ("running", "done", "failed")


class Figures:
    """The figures of one migration in a registry of its own, fed by events."""

    def __init__(self, migration: str) -> None:
        """Make the registry; nothing is served yet."""
        from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram

        self.registry = CollectorRegistry()
        self._name = migration
        self._counted: dict[tuple[Counter, str], int] = {}

        def counter(name: str, text: str) -> "Counter":
            return Counter(f"datamig_{name}", text, ("migration", "table"), registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> "Gauge":
            return Gauge(f"datamig_{name}", text, ("migration", *labels), registry=self.registry)

        self._rows = counter("rows", "Rows in committed batches, again where a table starts over.")
        self._bytes = counter("bytes", "Bytes of committed batches, on the wire.")
        self._rejects = counter("rejects", "Rows that the target refused.")
        self._batches = counter("batches", "Committed batches.")
        self._expected = gauge("expected_rows", "Rows of the source, by the engine.", "table")
        self._rate = gauge("rows_per_second", "Rows per second since the load began.", "table")
        self._left = gauge("eta_seconds", "Seconds until the table is loaded.", "table")
        self._paused = gauge("paused", "1 while somebody has paused the load.")
        self._slowed = gauge("slowed", "1 while the load goes slower for the target's sake.")
        self._success = gauge("last_success_timestamp_seconds", "When a run ended as done.")
        self._commit = Histogram(
            "datamig_commit_seconds",
            "Seconds from a batch's encoding to its commit.",
            ("migration", "table"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._state = Enum(
            "datamig_run_state",
            "State of the run.",
            ("migration",),
            registry=self.registry,
            states=[*STATES, "none"],
        )
        self._paused.labels(migration).set(0)
        self._slowed.labels(migration).set(0)

    def remember(self, table: str, state: TableState, expected: int) -> None:
        """Count what the ledger knows of a table."""
        self._raise(self._rows, table, state.rows_read)
        self._raise(self._bytes, table, state.bytes)
        self._raise(self._rejects, table, state.rows_rejected)
        self._raise(self._batches, table, state.batches)
        self._expected.labels(self._name, table).set(max(expected, state.rows_read))

    def settle(self, state: str, success_at: str = "") -> None:
        """Set the state of the run, and when a run ended well (ISO; '' is never)."""
        self._state.labels(self._name).state(state if state in STATES else "none")
        if success_at:
            moment = datetime.fromisoformat(success_at).timestamp()
            self._success.labels(self._name).set(moment)

    def see(self, event: Event) -> None:
        """Take an event in."""
        match event:
            case Committed(table, rows, size, seconds):
                for counter, more in ((self._rows, rows), (self._bytes, size), (self._batches, 1)):
                    self._raise(counter, table, self._counted.get((counter, table), 0) + more)
                self._commit.labels(self._name, table).observe(seconds)
            case Progress():
                self._progress(event)
            case TableLoaded():
                self._left.labels(self._name, event.route.name).set(0)
            case Paced(_, paused, slowed):
                self._paused.labels(self._name).set(paused)
                self._slowed.labels(self._name).set(slowed)
            case StepFailed():
                self.settle("failed")

    def _progress(self, event: Progress) -> None:
        labels = (self._name, event.table)
        self._raise(self._rejects, event.table, event.rejected)
        self._expected.labels(*labels).set(event.expected)
        rate = (event.rows - event.resumed) / event.seconds if event.seconds > 0 else 0.0
        self._rate.labels(*labels).set(rate)
        if rate > 0:
            self._left.labels(*labels).set(max(0.0, (event.expected - event.rows) / rate))

    def _raise(self, counter: "Counter", table: str, to: int) -> None:
        """Raise a counter to a figure; one that fell (a table that starts over) stays."""
        before = self._counted.get((counter, table), 0)
        self._counted[counter, table] = max(before, to)
        counter.labels(self._name, table).inc(max(0, to - before))


@contextmanager
def exported(plan: Plan, ledger: Ledger) -> Iterator[list[Said]]:
    """Show a run's figures as long as the block runs, if the spec asks for it.

    Yields what is to be said about it: a port that is taken or a file that cannot be written is
    no reason to stop.
    """
    migration = plan.context.migration
    said: list[Said] = []
    if migration.metrics is None:
        yield said
        return
    figures = Figures(migration.name)
    _recall(figures, plan, ledger)
    with ExitStack() as stack:
        if migration.metrics.port is not None:
            said.append(Said(_serve(figures, migration, stack)))
        page = _Page(figures, migration)
        said += [Said(page.trouble)] if page.write() else []
        stack.enter_context(watch(lambda event: _see(figures, page, event)))
        try:
            yield said
        finally:
            _settled(figures, migration, ledger)
            page.write()


def _see(figures: Figures, page: "_Page", event: Event) -> None:
    figures.see(event)
    page.now_and_then()


def _recall(figures: Figures, plan: Plan, ledger: Ledger) -> None:
    for route in plan.context.routes:
        state = ledger.table_state(plan.context.run_id, route.name)
        figures.remember(route.name, state, route.source.rows)
    _settled(figures, plan.context.migration, ledger)


def _settled(figures: Figures, migration: Migration, ledger: Ledger) -> None:
    with suppress(EngineError):  # the target is gone: the figures say "failed" already
        runs = ledger.runs(migration.name)
        ended = [r.finished_at for r in runs if r.status == "done" and r.finished_at]
        figures.settle(runs[-1].status if runs else "none", ended[-1] if ended else "")


def _serve(figures: Figures, migration: Migration, stack: ExitStack) -> str:
    """Open the port until the stack ends; return what to tell about it."""
    from prometheus_client import start_http_server

    said = migration.metrics
    assert said is not None  # noqa: S101 (asked by the caller; narrows the type)
    assert said.port is not None  # noqa: S101 (as above)
    place = f"{said.host}:{said.port}"
    try:
        server, thread = start_http_server(said.port, said.host, figures.registry)
    except OSError as error:
        return f"no metrics on {place}: {error.strerror or error}; the run goes on without"

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    stack.callback(close)
    return f"metrics on http://{place}/metrics"


class _Page:
    """The textfile collector's file; nothing if the spec names none."""

    def __init__(self, figures: Figures, migration: Migration) -> None:
        file = migration.metrics.file if migration.metrics else None
        self.path = migration.path(file) if file else None
        self.trouble = ""
        self._figures = figures
        self._written_at = 0.0

    def now_and_then(self) -> None:
        """Write it again if the last time is long enough ago."""
        if time.monotonic() - self._written_at >= _FILE_EVERY_S:
            self.write()

    def write(self) -> bool:
        """Put the new file into the old one's place at once; True: it could not be done."""
        from prometheus_client import write_to_textfile

        self._written_at = time.monotonic()
        if self.path is None or self.trouble:
            return False
        try:
            write_to_textfile(str(self.path), self._figures.registry)
        except OSError as error:
            why = error.strerror or error
            self.trouble = f"no metrics in {self.path}: {why}; the run goes on without"
        return bool(self.trouble)
