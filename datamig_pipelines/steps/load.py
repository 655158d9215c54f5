"""Copies the rows: all shards of the chosen tables over one snapshot, several at a time."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from typing_extensions import override

from datamig_pipelines.dialects import Statement
from datamig_pipelines.errors import (
    BatchTakenError,
    ConnectError,
    ConnectionLostError,
    EngineError,
    RunningElsewhereError,
    SourceChangedError,
    StreamChangedError,
)
from datamig_pipelines.ledger import FINISHED, Ledger, Shard, ShardState, TableState
from datamig_pipelines.proofs import PROOFS
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.steps.base import Context, Step, StepDone, TableLoaded
from datamig_pipelines.steps.validate import evidence, remember
from datamig_pipelines.transfer import Event, Route, Said
from datamig_pipelines.transfer.crew import Crew, Job
from datamig_pipelines.transfer.events import LoadBegun
from datamig_pipelines.transfer.manifest import cut_table, shard_lock
from datamig_pipelines.transfer.pace import Pace, load_pace
from datamig_pipelines.transfer.reproof import Reproof, TakeBack
from datamig_pipelines.transfer.retrying import Patience
from datamig_pipelines.transfer.table_load import LoadOrder, TableLoad, too_many_rejects
from datamig_pipelines.transfer.tally import Tally

_TICK_S = 0.5
_IN_HAND_S = 10.0  # how long the shards of workers that ended just now may stay locked
_NONE = 0  # the shard of a table that has none to load
_AWAY = (ConnectionLostError, ConnectError)


class Load(Step):
    """Loads every table of the plan and proves it under the snapshot that it was read in."""

    name = "load"
    does = "copies the rows batch by batch and proves every table as soon as it is complete"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return the SELECT of every stream, as it is before the table is cut into shards."""
        return [
            Statement(context.source.dialect.select(r.read()), purpose=f"{r.name}: {r.describe()}")
            for r in context.chosen()
        ]

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Load what the ledger does not call loaded, and yield progress and loaded tables.

        Lost connections are opened again. Raises the first other error of any table, after all
        workers have stopped; what they committed is kept and the next run goes on from there.
        """
        yield from _Copying(context, session).events()
        names = [r.name for r in context.chosen()]
        states = Ledger(session).table_states(context.run_id, names).values()
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
        """Change nothing: the rows go with their tables when `schema` is undone.

        The account of them stays until the whole run is taken back. A rollback that was killed
        knows by it which rows the load brought, and which others wrote.
        """
        tables = Ledger(session).begun_tables(context.run_id)
        yield StepDone(self.name, {"rows go with their tables": len(tables)})


class _Copying:
    """One load: attempts over one snapshot each, until one comes to its end."""

    def __init__(self, context: Context, session: Session) -> None:
        self.context = context
        self.session = session
        self._lost = False

    def events(self) -> Iterator[Event]:
        """Try until all is loaded; give up after too many tries in a row without a new batch."""
        patience = Patience(self.context.migration.max_retries)
        start_over: set[str] = set()
        while True:
            attempt = _Attempt(self.context, self.session, start_over)
            try:
                if self._lost:
                    _revive(self.session)
                yield from attempt.events()
                _revive(self.session)
            except (*_AWAY, StreamChangedError) as error:
                self._lost = self._lost or self.session.lost or error.retryable
                if not self._lost:
                    raise  # nobody ever answered there
                start_over = attempt.out_of_order
                if attempt.commits:
                    patience.renew()
                wait_s = patience.wait_s(error)
                yield Said(f"{error.message}; the load goes on in {wait_s:.0f} s")
                time.sleep(wait_s)
            else:
                return
            finally:
                attempt.dismiss()


def _revive(session: Session) -> None:
    """Make sure that the step's own session, which holds the run's lock, is alive."""
    try:
        session.check()
    except ConnectionLostError:
        session.reopen()


class _Attempt:
    """A load over one snapshot: what is loaded is proven again first, where the source moved on."""

    def __init__(self, context: Context, session: Session, start_over: set[str]) -> None:
        self.context = context
        self.session = session
        self.out_of_order: set[str] = set()
        """Tables without a key that did not come again as they were loaded so far."""
        self._start_over = start_over
        self._ledger = Ledger(session)
        self._sessions: list[Session] = []
        self._crew = Crew(())
        self._pace = load_pace(
            context.migration,
            context.target.dialect,
            partial(context.target.open, readonly=True),
            self._tell,
        )
        self._tallies: list[Tally] = []
        self._keys_stand = False

    @property
    def commits(self) -> int:
        """Return how many batches were committed."""
        return sum(t.commits for t in self._tallies)

    def events(self) -> Iterator[Event]:
        """Load all that the ledger does not call loaded, and yield what happens."""
        chosen = {r.name for r in self.context.chosen()}
        position = self._assemble(self._states())
        states = self._taken()
        steps = self._ledger.steps(self.context.run_id).items()
        done = [name for name, (status, _) in steps if status == "done"]
        self._keys_stand = any(name.startswith("constraints:") for name in done)
        relied_on = self._keys_stand or FINISHED in done
        if not relied_on or any(not states[name].done for name in chosen):
            yield from self._proven_again(states, position)
            before, states = states, self._states()
            # A loaded table that changed belongs to this snapshot now, asked for or not.
            chosen |= {name for name in states if before[name].done and not states[name].done}
        jobs = self._jobs([r for r in self.context.routes if r.name in chosen], states)
        cut = f" in {len(jobs)} shards" if len(jobs) > len(chosen) else ""
        text = f"loading {len(chosen)} tables{cut}, {len(self._crew)} at a time"
        expected = [(r.name, r.source.rows) for r in self.context.routes if r.name in chosen]
        yield LoadBegun(text, tuple(expected))
        yield from self._crew.work(jobs)

    def dismiss(self) -> None:
        """Close the sessions of all workers, who have stopped."""
        self._pace.close()
        for session in self._sessions:
            with suppress(EngineError):
                session.close()

    def _tell(self, event: Event) -> None:
        self._crew.tell(event)

    def _states(self) -> dict[str, TableState]:
        run_id = self.context.run_id
        return self._ledger.table_states(run_id, [r.name for r in self.context.routes])

    def _assemble(self, states: dict[str, TableState]) -> str:
        """Open the workers' sessions; return the source's position."""
        source, target = self.context.source, self.context.target
        alone = not (target.dialect.can.concurrent_writers and source.dialect.can.shared_snapshot)
        shards = sum(max(r.shards, len(states[r.name].shards)) for r in self.context.chosen())
        count = 1 if alone else max(1, min(self.context.migration.workers, shards))
        readers, position = open_readers(source.dialect, source.url, count)
        self._sessions += readers
        pairs = []
        for reader in readers:
            # The engine with one writer shares the step's own session; only one worker runs then.
            writer = self.session
            if target.dialect.can.concurrent_writers:
                writer = target.open(readonly=False)
                self._sessions.append(writer)
            pairs.append((reader, writer))
        self._crew = Crew(pairs)
        return position

    # ---- workers of a load that is shared

    def _taken(self) -> dict[str, TableState]:
        """Take all open shards in hand and return how far the tables are then.

        A worker of `running.share` outlives its Dagster run when that is killed. What it writes,
        from a moment of its own, would end behind what was proven here.
        """
        self._take([s.shard for t in self._states().values() for s in t.open_shards])
        return self._states()

    def _take(self, shards: Iterable[Shard]) -> None:
        """Lock shards against the workers of `running.share`. Raises RunningElsewhereError."""
        shared = self.context.migration.spread is not None
        if not (shared and self.context.target.dialect.can.concurrent_writers):
            return
        deadline = time.monotonic() + _IN_HAND_S
        for shard in shards:
            while not self.session.lock_run(shard_lock(shard)):
                if time.monotonic() > deadline:
                    msg = f"a worker has shard {shard.number} of {shard.table} in hand"
                    hint = "Wait until it has ended, or stop it, and run again."
                    raise RunningElsewhereError(msg, hint=hint)
                time.sleep(_TICK_S)

    # ---- what was loaded before

    def _proven_again(self, states: dict[str, TableState], position: str) -> Iterator[Event]:
        """Make what is loaded equal to the new snapshot, and remember its position then.

        The position is written last: killed before, the next load proves everything again.
        """
        run_id = self.context.run_id
        begun = [r for r in self.context.routes if states[r.name].shards]
        for route in (r for r in begun if r.name in self._start_over):
            self._refuse_behind_keys(route)
            TakeBack(route, run_id, self._sessions[0], self.session).start_over()
            yield Said(f"{route.name}: its rows do not come in the same order, it starts over")
        if position and position == self._ledger.position(run_id):
            return
        begun = [r for r in begun if r.name not in self._start_over]
        if begun:
            yield Said(f"proving again what is loaded of {len(begun)} tables: the source moved on")
            yield from self._crew.work([self._reproof(r, states[r.name]) for r in begun])
        self._taken()
        with self.session.transaction():
            self._ledger.set_position(run_id, position)

    def _reproof(self, route: Route, state: TableState) -> Job:
        def events(source: Session, target: Session) -> Iterator[Event]:
            stopped = self._crew.stop.is_set
            findings = Reproof(route, source, stopped).findings(state)
            if findings and not stopped():
                self._refuse_behind_keys(route)
                back = TakeBack(route, self.context.run_id, source, target)
                yield from map(Said, back.apply(findings, state))

        return Job(f"load/{route.name}", events)

    def _refuse_behind_keys(self, route: Route) -> None:
        """Raise SourceChangedError if keys of `constraints` stand: a delete might cascade."""
        if self._keys_stand:
            msg = f"loaded rows of {route.name} changed in the source, and the target has keys now"
            hint = "Roll back and run again, or stop writers of the source while it is migrated."
            raise SourceChangedError(msg, hint=hint)

    # ---- what is to be loaded

    def _jobs(self, routes: Sequence[Route], states: dict[str, TableState]) -> list[Job]:
        """Return a job per open shard, and one per table that has none; biggest first."""
        jobs: list[tuple[float, Job]] = []
        for route in routes:
            state = states[route.name]
            if not state.shards:
                shards = cut_table(route, self.context.run_id, self._sessions[0])
                self._take(shards)
                with self.session.transaction():
                    self._ledger.add_shards(shards)
                state = replace(state, shards=tuple(ShardState(s) for s in shards))
            numbers = [s.shard.number for s in state.open_shards]
            tally = Tally(route, state, numbers)
            self._tallies.append(tally)
            size = route.source.rows / len(state.shards)
            for number in numbers or [_NONE]:
                work = partial(self._load, route, tally, number)
                jobs.append((size, Job(f"load/{route.name}", work)))
        return [job for _, job in sorted(jobs, key=lambda j: -j[0])]

    def _load(
        self, route: Route, tally: Tally, number: int, source: Session, target: Session
    ) -> Iterator[Event]:
        """Load a shard; where the target is lost, open it again: the source's snapshot holds."""
        patience, seen = Patience(self.context.migration.max_retries), 0
        while True:
            try:
                if target.lost:
                    target.reopen()
                yield from self._loaded(route, tally, number, source, target)
            except StreamChangedError:
                self.out_of_order.add(route.name)
                raise
            except (*_AWAY, BatchTakenError) as error:
                if source.lost or self._crew.stop.is_set():
                    raise
                if tally.commits > seen:
                    patience.renew()
                seen = tally.commits
                wait_s = patience.wait_s(error)
                yield Said(f"{route.name}: {error.message}; it goes on in {wait_s:.0f} s")
                self._crew.stop.wait(wait_s)
            else:
                return

    def _loaded(
        self, route: Route, tally: Tally, number: int, source: Session, target: Session
    ) -> Iterator[Event]:
        if number != _NONE:
            order = load_order(self.context, self._crew.stop.is_set, self._pace)
            for progress in TableLoad(route, order, source, target, number, tally).run():
                if tally.due(_TICK_S):
                    yield progress
        if not self._crew.stop.is_set() and tally.close(number):
            yield from _finished(self.context, route, tally, source, target)


def load_order(context: Context, stopped: Callable[[], bool], pace: Pace) -> LoadOrder:
    """Return what one table's load needs to know of its run."""
    migration = context.migration
    return LoadOrder(context.run_id, migration.rejects, migration.base, stopped, pace)


def _finished(
    context: Context, route: Route, tally: Tally, source: Session, target: Session
) -> Iterator[Event]:
    """Call a table loaded whose shards are, and prove it. May be repeated."""
    ledger, rejects = Ledger(target), context.migration.rejects
    state = ledger.table_state(context.run_id, route.name)
    if not state.done:
        if rejects.exceeded(state.rows_rejected, state.rows_read):
            raise too_many_rejects(route, rejects, state)
        with target.transaction():
            ledger.finish_table(context.run_id, route.name, state.rows_loaded)
    yield tally.progress()
    proofs = []
    for name in context.migration.validation.proofs:
        if PROOFS[name].after_load:
            result = PROOFS[name].prove(evidence(context, route, source, target, state))
            remember(ledger, context.run_id, result)
            proofs.append(result)
    yield TableLoaded(
        route,
        state.rows_loaded,
        state.rows_rejected,
        state.bytes,
        tally.seconds,
        tuple(proofs),
    )
