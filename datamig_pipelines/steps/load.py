"""Copies the rows: all chosen tables over one snapshot, several at a time, biggest first."""

import queue
import threading
import time
from collections.abc import Iterator
from functools import partial

from typing_extensions import override

from datamig_pipelines.dialects import Statement
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.ledger import Ledger, ProofEntry
from datamig_pipelines.proofs import PROOFS, Evidence, ProofResult
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.steps.base import Context, Step, StepDone, TableLoaded
from datamig_pipelines.transfer import Event, Progress, Route
from datamig_pipelines.transfer.events import LoadBegun
from datamig_pipelines.transfer.pace import load_pace
from datamig_pipelines.transfer.table_load import LoadOrder, TableLoad

_TICK_S = 0.5


class Load(Step):
    """Loads every table of the plan and proves it under the snapshot that it was read in."""

    name = "load"
    does = "copies the rows batch by batch and proves every table as soon as it is complete"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return the SELECT of every stream."""
        return [
            Statement(
                context.source.dialect.select(r.read(None)), purpose=f"{r.name}: {r.describe()}"
            )
            for r in context.chosen()
        ]

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Load what the ledger does not call loaded, and yield progress and loaded tables.

        Raises the first error of any table, after all workers have stopped; what they committed is
        kept and the next run goes on from there.
        """
        crew = _Crew(context)
        try:
            yield from crew.events(session)
        finally:
            crew.dismiss()
        done = Ledger(session)
        states = [done.table_state(context.run_id, r.name) for r in context.chosen()]
        yield StepDone(
            self.name,
            {
                "tables": len(states),
                "rows": sum(s.rows_loaded for s in states),
                "rejected": sum(s.rows_rejected for s in states),
                "bytes": sum(s.bytes for s in states),
            },
        )

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Forget what was loaded; the rows go with their tables when `schema` is undone."""
        ledger = Ledger(session)
        for route in context.routes:
            with session.transaction():
                ledger.forget_table(context.run_id, route.name)
        yield StepDone(self.name, {"forgotten": len(context.routes)})


class _Crew:
    """The workers of one load; each has a source session in the snapshot and a target session."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._told: queue.Queue[Event | BaseException | None] = queue.Queue()
        self._todo: queue.SimpleQueue[Route] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sessions: list[Session] = []
        self._pace = load_pace(
            context.migration,
            context.target.dialect,
            partial(context.target.open, readonly=True),
            self._told.put,
        )

    def events(self, session: Session) -> Iterator[Event]:
        """Start the workers and yield what they tell until all are through."""
        routes = sorted(self.context.chosen(), key=lambda r: r.source.rows, reverse=True)
        for route in routes:
            self._todo.put(route)
        count = self._workers(len(routes))
        readers, position = open_readers(
            self.context.source.dialect, self.context.source.url, count
        )
        self._sessions += readers
        if position:
            Ledger(session).set_position(self.context.run_id, position)
        expected = tuple((r.name, r.source.rows) for r in routes)
        text = f"loading {len(routes)} tables, {len(readers)} at a time"
        yield LoadBegun(text, expected)
        for number, reader in enumerate(readers):
            # The engine with one writer shares the step's own session; only one worker runs then.
            own = self.context.target.dialect.can.concurrent_writers
            writer = self.context.target.open(readonly=False) if own else session
            if own:
                self._sessions.append(writer)
            self._threads.append(
                threading.Thread(
                    target=self._work, args=(reader, writer), name=f"datamig-load-{number}"
                )
            )
        for thread in self._threads:
            thread.start()
        yield from self._told_events()

    def _workers(self, tables: int) -> int:
        target, source = self.context.target.dialect.can, self.context.source.dialect.can
        if not (target.concurrent_writers and source.shared_snapshot):
            return 1
        return max(1, min(self.context.migration.workers, tables))

    def _told_events(self) -> Iterator[Event]:
        left = len(self._threads)
        first: BaseException | None = None
        while left:
            told = self._told.get()
            if told is None:
                left -= 1
            elif isinstance(told, Event):
                yield told
            else:
                first = first or told
                self._stop.set()
        if first is not None:
            raise first

    def dismiss(self) -> None:
        """Stop the workers, wait for them, and close their sessions."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._pace.close()
        for session in self._sessions:
            session.close()

    def _work(self, source: Session, target: Session) -> None:
        try:
            while not self._stop.is_set():
                try:
                    route = self._todo.get_nowait()
                except queue.Empty:
                    break
                try:
                    self._load(route, source, target)
                except DatamigError as error:
                    raise error.at(f"load/{route.name}")  # noqa: B904 (the same error)
        except BaseException as error:  # noqa: BLE001 (raised again where the events are read)
            self._told.put(error)
        finally:
            self._told.put(None)

    def _load(self, route: Route, source: Session, target: Session) -> None:
        began = time.monotonic()
        context = self.context
        order = LoadOrder(
            context.run_id,
            context.migration.rejects,
            context.migration.base,
            self._stop.is_set,
            self._pace,
        )
        told_at = 0.0
        last: Progress | None = None
        for last in TableLoad(route, order, source, target).run():
            if last.seconds - told_at >= _TICK_S:
                told_at = last.seconds
                self._told.put(last)
        if self._stop.is_set():
            return
        if last is not None:
            self._told.put(last)
        ledger = Ledger(target)
        state = ledger.table_state(context.run_id, route.name)
        proofs = []
        for name in context.migration.validation.proofs:
            if PROOFS[name].after_load:
                result = PROOFS[name].prove(Evidence(route, source, target, state))
                remember(ledger, context.run_id, result)
                proofs.append(result)
        self._told.put(
            TableLoaded(
                route,
                state.rows_loaded,
                state.rows_rejected,
                state.bytes,
                time.monotonic() - began,
                tuple(proofs),
            )
        )


def remember(ledger: Ledger, run_id: str, result: ProofResult) -> None:
    """Write a proof's outcome into the ledger."""
    ledger.add_proof(
        ProofEntry(
            run_id,
            result.table,
            result.proof,
            result.verdict.value,
            result.source,
            result.target,
            result.detail,
        )
    )
