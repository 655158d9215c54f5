"""Loads one shard: batch and ledger entry commit together, bad rows are set aside."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.dialects.reading import Cell, Row
from datamig_pipelines.dialects.row_hash import row_hasher
from datamig_pipelines.errors import (
    DatamigError,
    LedgerError,
    LockTimeoutError,
    RefusedError,
    RejectsError,
)
from datamig_pipelines.ledger import BatchEntry, Ledger, Reject, ShardState, TableState
from datamig_pipelines.ledger.entry import key_of, now
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Rejects
from datamig_pipelines.transfer.batches import Batch, ahead, cut
from datamig_pipelines.transfer.encoders import Encoder, encoder
from datamig_pipelines.transfer.events import Progress
from datamig_pipelines.transfer.isolating import failing_alone, failing_together
from datamig_pipelines.transfer.pace import Pace
from datamig_pipelines.transfer.replay import behind
from datamig_pipelines.transfer.route import Route
from datamig_pipelines.transfer.rows import lens
from datamig_pipelines.transfer.tally import Tally
from datamig_pipelines.transfer.transforms import Transform

_BACK_OFF_S = (0.2, 0.5, 1.0, 2.0)
KEPT_TEXT = 2_000  # characters of a rejected value that the ledger keeps


@dataclass(frozen=True)
class LoadOrder:
    """What one table's load needs to know beside its route."""

    run_id: str
    rejects: Rejects
    folder: Path
    stopped: Callable[[], bool]
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True)
class _Place:
    """Where a shard is: the next batch's number, and the key that it begins behind."""

    number: int
    low_key: str


class TableLoad:
    """The load of one shard of a table, over two sessions.

    The source's session is in the run's snapshot. The shard stands in the ledger already; its table
    is complete when all of its shards are, which is for the caller to find out (`Tally.close`).
    """

    def __init__(
        self,
        route: Route,
        order: LoadOrder,
        source: Session,
        target: Session,
        shard: int = 1,
        tally: Tally | None = None,
    ) -> None:
        """Prepare encoders; nothing is read or written yet. Raises TransformNotFoundError."""
        self.route = route
        self.order = order
        self.source = source
        self.target = target
        self.shard = shard
        self.tally = tally or Tally(route, TableState(), [shard])
        self.ledger = Ledger(target)
        self.landing = route.landing()
        self._transform = Transform(route, order.folder) if route.transform else None
        self._encode: Encoder = self._transform.encode if self._transform else encoder(route)
        self._lens = lens(route)
        self._hash = row_hasher(route.columns)

    def run(self) -> Iterator[Progress]:
        """Load what is not loaded yet and yield the table's progress after every commit.

        It begins by asking the ledger: a batch whose commit was in doubt is there, or it is not.

        Raises:
            RejectsError: More rows were rejected than the spec allows; the good ones are kept.
            LedgerError: The ledger's accounting does not add up.
            StreamChangedError: The rows of a table without a key did not come again.
        """
        state = self.ledger.shard_state(self.order.run_id, self.route.name, self.shard)
        if state.shard.done_at is not None:
            return
        self.tally.begin()
        yield self.tally.progress()
        place = _Place(state.next_number, state.at)
        rows = cut(self._lists(state), self.route.batch_size)
        # Closing ends the reader's thread before anybody closes the session that it reads from.
        with closing(ahead(rows, self.order.stopped)) as batches:
            for batch in batches:
                if not self.order.pace.wait(len(batch.rows), batch.bytes, self.order.stopped):
                    break
                began = time.monotonic()
                entry = self._write(batch, place)
                spent_s = time.monotonic() - began
                self.order.pace.spent(entry.rows_read, entry.bytes, spent_s, self.route.name)
                place = _Place(entry.number + 1, entry.high_key)
                self.tally.add(entry)
                yield self.tally.progress()
                if self.tally.exceeds(self.order.rejects):
                    raise too_many_rejects(self.route, self.order.rejects, self.tally)
        if self.order.stopped():
            return
        with self.target.transaction():
            self.ledger.end_shard(state.shard)

    def _lists(self, state: ShardState) -> Iterator[list[Row] | Columns]:
        """Return the rows behind what is loaded; without a key, those come first once more."""
        shard = state.shard
        if self.route.key:
            read = self.route.read(key_of(state.at), key_of(shard.high_key))
            return self.source.stream_lists(read)
        lists = self.source.stream_lists(self.route.read(pages=shard.page_range))
        return behind(lists, state.entries, self._lens.digest) if state.entries else lists

    # ---- one batch

    def _write(self, batch: Batch, place: _Place) -> BatchEntry:
        """Write a batch with its ledger entry and return the entry."""
        began = time.monotonic()
        rows: Sequence[Row] = batch.rows
        failed: list[Reject] = []
        if self._transform:
            rows, failed = self._transformed(self._transform, batch, place.number)
        entry = self._entry(batch, place)

        def commit(good: Sequence[Row], rejects: list[Reject]) -> BatchEntry:
            return self._commit(entry, good, rejects, began)

        try:
            return self._retried(lambda: commit(rows, failed))
        except RefusedError:
            good, bad = self._isolated(rows)
            refused = [self._reject(place.number, rows, at, error) for at, error in bad]
            return self._retried(lambda: commit(good, failed + refused))

    def _entry(self, batch: Batch, place: _Place) -> BatchEntry:
        """Return a batch's entry as far as it does not depend on what the target takes."""
        last = self._lens.key(batch.rows, -1) if self.route.key else ()
        return BatchEntry(
            run_id=self.order.run_id,
            table=self.route.name,
            shard=self.shard,
            number=place.number,
            low_key=place.low_key,
            high_key=json.dumps(last),
            rows_read=len(batch.rows),
            rows_loaded=0,
            rows_rejected=0,
            rows_filtered=0,
            bytes=batch.bytes,
            written="",
            digest=self._lens.digest(batch.rows),
            seconds=0.0,
        )

    def _retried(self, commit: Callable[[], BatchEntry]) -> BatchEntry:
        """Commit a batch; where a lock was in the way, wait and do it again, five times at most."""
        for wait_s in _BACK_OFF_S:
            try:
                return commit()
            except LockTimeoutError:
                if self.order.stopped():
                    raise
                time.sleep(wait_s)
        return commit()

    def _transformed(
        self, transform: Transform, batch: Batch, number: int
    ) -> tuple[Sequence[Row], list[Reject]]:
        """Return what the function makes of a batch, and the rows that it raises for."""

        def too_many(bad: int) -> bool:
            return self.tally.exceeds(self.order.rejects, len(batch.rows), bad)

        try:
            cells, bad = transform.sorted_out(batch.rows, too_many)
        except DatamigError as error:
            raise error.at(f"load/{self.route.name}/batch {number}")  # noqa: B904 (the same error)
        return cells, [
            self._kept(number, self._source_shown(batch.rows, at), error)
            for at, error in sorted(bad.items())
        ]

    def _commit(
        self, bare: BatchEntry, good: Sequence[Row], rejects: list[Reject], began: float
    ) -> BatchEntry:
        written = ""
        if self._transform:
            total = sum(self._hash(row) for row in good)
            written = f"{len(good)}:{total:x}"
        payload = self._encode(good) if len(good) else None
        filtered = bare.rows_read - len(good) - len(rejects)
        entry = replace(
            bare,
            rows_loaded=len(good),
            rows_rejected=len(rejects),
            rows_filtered=filtered,
            written=written,
            seconds=round(time.monotonic() - began, 3),
            committed_at=now(),
        )
        where = f"load/{self.route.name}/batch {entry.number}"
        if not self._transform and filtered:
            msg = f"batch {entry.number} of {self.route.name} lost {filtered} rows on the way"
            hint = "This is a bug of datamig_pipelines; nothing of the batch was kept."
            raise LedgerError(msg, hint=hint, where=where)
        with self.target.transaction():
            # The entry first: if it is there already, no row is sent a second time.
            self.ledger.add_batch(entry, rejects)
            arrived = self.target.write(self.landing, payload) if len(good) else 0
            if arrived != len(good):
                msg = f"{len(good)} rows of {self.route.name} were sent, {arrived} arrived"
                hint = (
                    "Nothing of the batch was kept. Does a trigger or rule of the target drop rows?"
                )
                raise LedgerError(msg, hint=hint, where=where)
        return entry

    # ---- rejects

    def _isolated(
        self, rows: Sequence[Row]
    ) -> tuple[Sequence[Row], list[tuple[int, RefusedError]]]:
        """Return the rows that the target takes, and where those stand that it refuses, and why.

        Parts are tried in transactions that are rolled back.
        """
        bad: dict[int, RefusedError] = {}

        def failure(places: Sequence[int]) -> RefusedError | None:
            return self._refusal(self._lens.picked(rows, places))

        failing_alone(len(rows), failure, bad)
        good = failing_together(len(rows), failure, bad)
        return self._lens.picked(rows, good), sorted(bad.items())

    def _refusal(self, rows: Sequence[Row]) -> RefusedError | None:
        """Return why the target refuses these rows, None if it takes them. Nothing is kept."""
        if not len(rows):
            return None
        try:
            payload = self._encode(rows)
            with self.target.transaction():
                self.target.write(self.landing, payload)
                raise _TrialOver  # noqa: TRY301 (the way to roll back)
        except _TrialOver:
            return None
        except RefusedError as error:
            return error

    def _reject(self, number: int, rows: Sequence[Row], at: int, error: DatamigError) -> Reject:
        if not self._transform:
            return self._kept(number, self._source_shown(rows, at), error)
        cells: Sequence[Cell] = rows[at]
        return self._kept(number, ((), [None if c is None else str(c) for c in cells]), error)

    def _source_shown(
        self, rows: Sequence[Row], at: int
    ) -> tuple[tuple[str, ...], list[str | None]]:
        """Return the key and the values of a row as it was read."""
        return self._lens.key(rows, at) if self.route.key else (), self._lens.values(rows, at)

    def _kept(
        self, number: int, shown: tuple[tuple[str, ...], list[str | None]], error: DatamigError
    ) -> Reject:
        key, values = shown
        names = [c.name for c in self.route.columns]
        named = dict(zip(names, (clean(v) for v in values), strict=True))
        return Reject(
            table=self.route.name,
            batch=number,
            row_key=json.dumps([clean(k) for k in key], ensure_ascii=False),
            row_values=json.dumps(named, ensure_ascii=False),
            code=error.code,
            reason=clean(error.message) or "",
            hint=error.hint,
            shard=self.shard,
        )


def too_many_rejects(route: Route, rejects: Rejects, counted: Tally | TableState) -> RejectsError:
    """Return the error of a table with more rejects than the spec allows."""
    msg = (
        f"{counted.rows_rejected} of {counted.rows_read} rows of {route.name} were "
        f"rejected, more than {rejects.abort_above}"
    )
    hint = (
        "See the reasons with `datamig status`, mend a cast or a filter, roll back and run again."
    )
    return RejectsError(msg, hint=hint, where=f"load/{route.name}")


class _TrialOver(Exception):  # noqa: N818 (a signal, not an error)
    """Ends a trial write."""


def clean(text: str | None) -> str | None:
    """Return a value as every engine can keep it in a text: UTF-8, no NUL, not endless."""
    if text is None:
        return None
    text = text[:KEPT_TEXT]
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
