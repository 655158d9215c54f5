"""Loads one table: batch and ledger entry commit together, bad rows are set aside."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from datamig_pipelines.dialects.reading import Cell, Row
from datamig_pipelines.dialects.row_hash import row_hasher
from datamig_pipelines.errors import (
    EngineError,
    LedgerError,
    LockTimeoutError,
    RefusedError,
    RejectsError,
)
from datamig_pipelines.ledger import BatchEntry, Ledger, Reject, TableState
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Rejects
from datamig_pipelines.transfer.batches import Batch, ahead, cut
from datamig_pipelines.transfer.encoders import Encoder, encoder
from datamig_pipelines.transfer.events import Progress
from datamig_pipelines.transfer.pace import Pace
from datamig_pipelines.transfer.route import Route
from datamig_pipelines.transfer.rows import lens
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


class TableLoad:
    """The load of one table over a source session (in the run's snapshot) and a target session."""

    def __init__(self, route: Route, order: LoadOrder, source: Session, target: Session) -> None:
        """Prepare encoders; nothing is read or written yet. Raises TransformNotFoundError."""
        self.route = route
        self.order = order
        self.source = source
        self.target = target
        self.ledger = Ledger(target)
        self.landing = route.landing()
        self._transform = Transform(route, order.folder) if route.transform else None
        self._encode: Encoder = self._transform.encode if self._transform else encoder(route)
        self._lens = lens(route)
        self._hash = row_hasher(route.columns)

    def run(self) -> Iterator[Progress]:
        """Load what is not loaded yet and yield the progress after every commit.

        Raises:
            RejectsError: More rows were rejected than the spec allows; the good ones are kept.
            LedgerError: The ledger's accounting does not add up.
        """
        state = self.start()
        if state.done:
            return
        began = time.monotonic()
        resumed = state.rows_read
        yield self._progress(state, began, resumed)
        rows = self.source.stream_lists(self.route.read(state.high_key))
        # Closing ends the reader's thread before anybody closes the session that it reads from.
        with closing(ahead(cut(rows, self.route.batch_size), self.order.stopped)) as batches:
            for batch in batches:
                if not self.order.pace.wait(len(batch.rows), batch.bytes, self.order.stopped):
                    break
                state = self._write(batch, state)
                yield self._progress(state, began, resumed)
                self._check_rejects(state, max(state.rows_read, self.route.source.rows))
        if self.order.stopped():
            return
        self._check_rejects(state, state.rows_read)  # the engine's estimate may have been too high
        with self.target.transaction():
            self.ledger.finish_table(self.order.run_id, self.route.name, state.rows_loaded)

    def start(self) -> TableState:
        """Return where to go on. A table that cannot be resumed is emptied first."""
        state = self.ledger.table_state(self.order.run_id, self.route.name)
        if state.batches and not state.done and not self.route.key:
            with self.target.transaction():
                self.target.query(self.target.dialect.truncate(self.route.target.name))
                self.ledger.forget_table(self.order.run_id, self.route.name)
            state = TableState()
        return state

    def _progress(self, state: TableState, began: float, resumed: int) -> Progress:
        return Progress(
            self.route.name,
            state.rows_read,
            max(self.route.source.rows, state.rows_read),
            state.rows_rejected,
            state.bytes,
            time.monotonic() - began,
            resumed,
        )

    def _check_rejects(self, state: TableState, expected: int) -> None:
        if self.order.rejects.exceeded(state.rows_rejected, expected):
            msg = (
                f"{state.rows_rejected} of {state.rows_read} rows of {self.route.name} were "
                f"rejected, more than {self.order.rejects.abort_above}"
            )
            hint = (
                "See the reasons with `datamig status`, mend a cast or a filter, roll back "
                "and run again."
            )
            raise RejectsError(msg, hint=hint, where=f"load/{self.route.name}")

    # ---- one batch

    def _write(self, batch: Batch, state: TableState) -> TableState:
        """Write a batch with its ledger entry; return the table's state with it."""
        began = time.monotonic()
        number = state.batches + 1
        rows: Sequence[Row] = batch.rows
        if self._transform:
            rows = self._transformed(batch, number)
        try:
            entry = self._retried(lambda: self._commit(batch, number, rows, [], began))
        except RefusedError:
            good, bad = self._isolated(rows)
            rejects = [self._reject(number, rows, at, error) for at, error in bad]
            entry = self._retried(lambda: self._commit(batch, number, good, rejects, began))
        spent_s = time.monotonic() - began
        self.order.pace.spent(entry.rows_read, entry.bytes, spent_s, self.route.name)
        return TableState(
            batches=number,
            rows_read=state.rows_read + entry.rows_read,
            rows_loaded=state.rows_loaded + entry.rows_loaded,
            rows_rejected=state.rows_rejected + entry.rows_rejected,
            rows_filtered=state.rows_filtered + entry.rows_filtered,
            bytes=state.bytes + entry.bytes,
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

    def _transformed(self, batch: Batch, number: int) -> Sequence[Row]:
        assert self._transform is not None  # noqa: S101 (asked by the caller; narrows the type)
        try:
            return self._transform.cells(batch.rows)
        except (EngineError, RejectsError):
            raise
        except Exception as error:
            at = getattr(error, "at", None)
            if at is not None:
                at(f"load/{self.route.name}/batch {number}")
            raise

    def _commit(
        self, batch: Batch, number: int, good: Sequence[Row], rejects: list[Reject], began: float
    ) -> BatchEntry:
        last = self._lens.key(batch.rows, -1) if self.route.key else ()
        written = ""
        if self._transform:
            total = sum(self._hash(row) for row in good)
            written = f"{len(good)}:{total:x}"
        payload = self._encode(good) if len(good) else None
        entry = BatchEntry(
            run_id=self.order.run_id,
            table=self.route.name,
            number=number,
            high_key=json.dumps(last),
            rows_read=len(batch.rows),
            rows_loaded=len(good),
            rows_rejected=len(rejects),
            rows_filtered=len(batch.rows) - len(good) - len(rejects),
            bytes=batch.bytes,
            written=written,
            seconds=round(time.monotonic() - began, 3),
        )
        if not self._transform and entry.rows_filtered:
            msg = f"batch {number} of {self.route.name} lost {entry.rows_filtered} rows on the way"
            raise LedgerError(
                msg, hint="This is a bug of datamig_pipelines; nothing of the batch was kept."
            )
        with self.target.transaction():
            arrived = self.target.write(self.landing, payload) if len(good) else 0
            if arrived != len(good):
                msg = f"{len(good)} rows of {self.route.name} were sent, {arrived} arrived"
                hint = (
                    "Nothing of the batch was kept. Does a trigger or rule of the target drop rows?"
                )
                raise LedgerError(msg, hint=hint, where=f"load/{self.route.name}/batch {number}")
            self.ledger.add_batch(entry, rejects)
        return entry

    # ---- rejects

    def _isolated(
        self, rows: Sequence[Row]
    ) -> tuple[Sequence[Row], list[tuple[int, RefusedError]]]:
        """Return the rows that the target takes, and where those stand that it refuses, and why.

        Halves are tried in transactions that are rolled back: about log2(n) attempts per bad row.
        Rows that are refused only together (two of one key) are found by the shortest bad prefix.
        """
        bad: dict[int, RefusedError] = {}
        self._bisect(rows, 0, len(rows), bad)
        good = [i for i in range(len(rows)) if i not in bad]
        while (error := self._refusal(self._lens.picked(rows, good))) is not None:
            low, high = 1, len(good)
            while low < high:
                middle = (low + high) // 2
                found = self._refusal(self._lens.picked(rows, good[:middle]))
                low, high = (low, middle) if found is not None else (middle + 1, high)
            bad[good.pop(low - 1)] = error
        return self._lens.picked(rows, good), sorted(bad.items())

    def _bisect(
        self, rows: Sequence[Row], start: int, end: int, bad: dict[int, RefusedError]
    ) -> None:
        error = self._refusal(rows[start:end])
        if error is None:
            return
        if end - start == 1:
            bad[start] = error
            return
        middle = (start + end) // 2
        self._bisect(rows, start, middle, bad)
        self._bisect(rows, middle, end, bad)

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

    def _reject(self, number: int, rows: Sequence[Row], at: int, error: RefusedError) -> Reject:
        key, values = self._shown(rows, at)
        return Reject(
            table=self.route.name,
            batch=number,
            row_key=json.dumps(key, ensure_ascii=False),
            row_values=json.dumps(values, ensure_ascii=False),
            code=error.code,
            reason=error.message,
            hint=error.hint,
        )

    def _shown(self, rows: Sequence[Row], at: int) -> tuple[list[str], dict[str, str | None]]:
        names = [c.name for c in self.route.columns]
        if self._transform:
            cells: Sequence[Cell] = rows[at]
            texts = [None if c is None else str(c) for c in cells]
            return [], dict(zip(names, (clean(t) for t in texts), strict=True))
        key = list(self._lens.key(rows, at)) if self.route.key else []
        return [clean(k) or "" for k in key], dict(
            zip(names, (clean(t) for t in self._lens.values(rows, at)), strict=True)
        )


class _TrialOver(Exception):  # noqa: N818 (a signal, not an error)
    """Ends a trial write."""


def clean(text: str | None) -> str | None:
    """Return a value as every engine can keep it in a text: UTF-8, no NUL, not endless."""
    if text is None:
        return None
    text = text[:KEPT_TEXT]
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
