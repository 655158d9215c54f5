"""Reads and writes what has been done."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from typing import Any

from datamig_pipelines.errors import (
    BatchTakenError,
    LedgerError,
    RefusedError,
)
from datamig_pipelines.ledger.account import shard_states, state_of
from datamig_pipelines.ledger.entry import (
    BatchEntry,
    DifferenceEntry,
    ProofEntry,
    Reject,
    RunEntry,
    Shard,
    ShardState,
    TableState,
    behind,
    now,
)
from datamig_pipelines.ledger.storage import Storage

FINISHED = "run:finished"
"""The entry among a run's steps that says: it came to its end once, people rely on what it made."""


class Ledger(Storage):
    """The memory of one target, over one session of it.

    Methods that write do so in the caller's transaction if one is open, else at once.
    """

    # ---- runs

    def last_run(self, migration: str) -> RunEntry | None:
        """Return the newest run of a migration, None if there is none or no ledger yet."""
        runs = self.runs(migration)
        return runs[-1] if runs else None

    def runs(self, migration: str) -> list[RunEntry]:
        """Return all runs of a migration, oldest first."""
        rows = self._fetch("run", ("migration",), (migration,), order=("started_at",))
        return [RunEntry(*row) for row in rows]

    def all_runs(self) -> list[RunEntry]:
        """Return the runs of all migrations of this target, oldest first."""
        return [RunEntry(*row) for row in self._fetch("run", (), (), order=("started_at",))]

    def start_run(self, run: RunEntry) -> None:
        """Remember a new run, as the newest of the target even where the clock went back."""
        there = self.all_runs()
        last = max((max(r.started_at, r.finished_at or "") for r in there), default="")
        self._insert("run", astuple(replace(run, started_at=behind(run.started_at, last))))

    def end_run(self, run_id: str, status: str, detail: str = "") -> None:
        """Write down how a run ended (or that it goes on: ``running``)."""
        finished = None if status == "running" else now()
        if finished:
            for row in self._fetch("run", ("run_id",), (run_id,)):
                finished = behind(finished, RunEntry(*row).started_at)
        self._update(
            "run", ("status", "finished_at", "detail"), (status, finished, detail), run_id=run_id
        )

    def set_position(self, run_id: str, position: str) -> None:
        """Remember the source's position (LSN, binlog position) of the run's newest snapshot.

        From now on everything loaded is as the source was there; older positions are kept, too.
        """
        number = len(self.positions(run_id)) + 1
        self._insert("snapshot", (run_id, number, position, now()))
        self._update("run", ("position",), (position,), run_id=run_id)

    def position(self, run_id: str) -> str:
        """Return the position of the run's newest snapshot, '' where the source has none."""
        return (self.positions(run_id) or [""])[-1]

    def positions(self, run_id: str) -> list[str]:
        """Return the positions of all snapshots of a run, oldest first."""
        rows = self._fetch("snapshot", ("run_id",), (run_id,), order=("number",))
        return [row[2] or "" for row in rows]

    # ---- steps

    def steps(self, run_id: str) -> dict[str, tuple[str, str]]:
        """Return the steps of a run: name → (status, detail), in the order in which they began."""
        rows = self._fetch("step", ("run_id",), (run_id,), order=("started_at",))
        return {row[1]: (row[2], row[5] or "") for row in rows}

    def begin_step(self, run_id: str, step: str) -> None:
        """Remember that a step began (again)."""
        self._delete("step", run_id=run_id, step=step)
        self._insert("step", (run_id, step, "running", now(), None, ""))

    def end_step(self, run_id: str, step: str, status: str, detail: str = "") -> None:
        """Remember how a step ended: done, failed or undone."""
        self._update(
            "step",
            ("status", "finished_at", "detail"),
            (status, now(), detail),
            run_id=run_id,
            step=step,
        )

    # ---- tables and batches

    def table_state(self, run_id: str, table: str) -> TableState:
        """Return how far a table is. Raises LedgerError if its accounting does not add up."""
        # First: what a table is called loaded with has been committed before.
        finished = self._fetch("loaded", ("run_id", "table_name"), (run_id, table))
        return state_of(table, self._shards(run_id, table), self._entries(run_id, table), finished)

    def table_states(self, run_id: str, tables: Iterable[str]) -> dict[str, TableState]:
        """Return the same of many tables at once, which asks the ledger for all of them at once."""
        of = defaultdict[str, tuple[list[Shard], list[BatchEntry], list[Any]]](lambda: ([], [], []))
        for row in self._fetch("loaded", ("run_id",), (run_id,)):
            of[row[1]][2].append(row)
        for row in self._fetch("shard", ("run_id",), (run_id,), ("table_name", "shard")):
            of[row[1]][0].append(Shard(*row))
        for row in self._fetch("batch", ("run_id",), (run_id,), ("table_name", "shard", "number")):
            of[row[1]][1].append(BatchEntry(*row))
        return {table: state_of(table, *of[table]) for table in tables}

    def shard_state(self, run_id: str, table: str, number: int) -> ShardState:
        """Return how far one shard is. Raises LedgerError if it is none, or does not add up."""
        shards = [s for s in self._shards(run_id, table) if s.number == number]
        if not shards:
            msg = f"{table} has no shard {number}"
            raise LedgerError(msg, hint="Load the table with `datamig run`, which makes them.")
        where = ("run_id", "table_name", "shard")
        rows = self._fetch("batch", where, (run_id, table, number), order=("number",))
        return shard_states(table, shards, [BatchEntry(*row) for row in rows])[0]

    def add_shards(self, shards: Sequence[Shard]) -> None:
        """Remember the shards of a table; all of a new table in one transaction."""
        for shard in shards:
            self._insert("shard", astuple(shard))

    def end_shard(self, shard: Shard) -> None:
        """Remember that all rows of a shard are loaded."""
        self._mark_shard(shard, now())

    def reopen(self, run_id: str, table: str, shards: Sequence[Shard]) -> None:
        """Remember that rows of some shards, and so of the table, are missing again."""
        for shard in shards:
            self._mark_shard(shard, None)
        for name in ("loaded", "proof", *self._listing()):
            self._delete(name, run_id=run_id, table_name=table)

    def add_batch(self, entry: BatchEntry, rejects: list[Reject]) -> None:
        """Remember a batch and its rejects.

        Raises:
            LedgerError: It does not add up.
            BatchTakenError: The ledger has a batch of that number.
        """
        if entry.rows_read != entry.rows_loaded + entry.rows_rejected + entry.rows_filtered:
            msg = (
                f"batch {entry.number} of {entry.table} read {entry.rows_read} rows, but loaded "
                f"{entry.rows_loaded}, rejected {entry.rows_rejected}, "
                f"filtered {entry.rows_filtered}"
            )
            raise LedgerError(
                msg, hint="This is a bug of datamig_pipelines; nothing of the batch was kept."
            )
        try:
            self._insert("batch", astuple(entry))
        except RefusedError as error:
            msg = f"batch {entry.number} of {entry.table}, shard {entry.shard}: {error.message}"
            hint = "Another process loads the same run, or the commit arrived after all: run again."
            raise BatchTakenError(msg, hint=hint) from error
        for reject in rejects:
            self._insert("reject", (entry.run_id, *astuple(reject), now()))

    def take_back(self, entry: BatchEntry, number: int) -> Shard:
        """Forget the rows of a batch and return the new shard (``number``) that loads them again.

        The batch stays in the chain, empty. The caller deletes the rows in the same transaction.
        """
        of_batch: dict[str, str | int] = {
            "run_id": entry.run_id,
            "table_name": entry.table,
            "shard": entry.shard,
        }
        self._delete("reject", **of_batch, batch=entry.number)
        empty = ("rows_read", "rows_loaded", "rows_rejected", "rows_filtered", "bytes")
        self._update(
            "batch",
            (*empty, "written", "digest"),
            (*(0 for _ in empty), "", ""),
            **of_batch,
            number=entry.number,
        )
        again = Shard(entry.run_id, entry.table, number, entry.low_key, entry.high_key)
        self.add_shards([again])
        self.reopen(entry.run_id, entry.table, [again])
        return again

    def finish_table(self, run_id: str, table: str, rows: int) -> None:
        """Remember that a table is complete."""
        self._insert("loaded", (run_id, table, rows, now()))

    def forget_table(self, run_id: str, table: str) -> None:
        """Forget a table's shards, batches, rejects and proofs: its load starts over."""
        self._forget(run_id=run_id, table_name=table)

    def forget_tables(self, run_id: str) -> None:
        """Forget the same of all tables of a run: it was taken back."""
        self._forget(run_id=run_id)

    def loaded_tables(self, run_id: str) -> list[str]:
        """Return the names of the tables that are complete."""
        return [
            row[1] for row in self._fetch("loaded", ("run_id",), (run_id,), order=("table_name",))
        ]

    def begun_tables(self, run_id: str) -> list[str]:
        """Return the names of the tables that are complete or have a batch."""
        begun = {row[1] for row in self._fetch("batch", ("run_id",), (run_id,))}
        return sorted(begun | set(self.loaded_tables(run_id)))

    def rejects(self, run_id: str) -> list[tuple[str, Reject]]:
        """Return the rejected rows of a run, with the time of each."""
        rows = self._fetch("reject", ("run_id",), (run_id,), order=("table_name", "batch"))
        return [(row[-1], Reject(*row[1:-1])) for row in rows]

    def settle_reject(self, run_id: str, reject: Reject) -> None:
        """Forget a reject that was loaded after all, and count it so in its batch and table.

        To be called in the transaction that writes the row. Raises LedgerError if it is not there.
        """
        self._drop_reject(run_id, reject)
        batch: dict[str, Any] = {
            "run_id": run_id,
            "table_name": reject.table,
            "shard": reject.shard,
            "number": reject.batch,
        }
        rows = self._fetch("batch", tuple(batch), tuple(batch.values()))
        if len(rows) != 1 or BatchEntry(*rows[0]).rows_rejected < 1:
            msg = f"batch {reject.batch} of {reject.table} has no reject {reject.row_key}"
            raise LedgerError(msg, hint="Somebody edited the ledger: roll back and load again.")
        entry = BatchEntry(*rows[0])
        counted = (entry.rows_rejected - 1, entry.rows_loaded + 1)
        self._update("batch", ("rows_rejected", "rows_loaded"), counted, **batch)
        table = {"run_id": run_id, "table_name": reject.table}
        for row in self._fetch("loaded", tuple(table), tuple(table.values())):
            self._update("loaded", ("rows_loaded",), (row[2] + 1,), **table)

    def change_reject(self, run_id: str, before: Reject, after: Reject) -> None:
        """Remember why a row was refused again. Raises LedgerError if it is not there."""
        with self.session.transaction():
            self._drop_reject(run_id, before)
            self._insert("reject", (run_id, *astuple(after), now()))

    def _drop_reject(self, run_id: str, reject: Reject) -> None:
        """Delete one reject, and one only: a collation may call others equal, or they are."""
        where: dict[str, Any] = {
            "run_id": run_id,
            "table_name": reject.table,
            "shard": reject.shard,
            "batch": reject.batch,
            "row_key": reject.row_key,
            "row_values": reject.row_values,
        }
        rows = self._fetch("reject", tuple(where), tuple(where.values()))
        own = next((i for i, row in enumerate(rows) if Reject(*row[1:-1]) == reject), None)
        if own is None:
            msg = f"the reject {reject.row_key} of {reject.table} is not in the ledger any more"
            raise LedgerError(msg, hint="Somebody else replayed it; list the rejects again.")
        self._delete("reject", **where)
        for row in rows[:own] + rows[own + 1 :]:
            self._insert("reject", row)

    # ---- proofs

    def add_proof(self, entry: ProofEntry) -> None:
        """Remember a proof, in place of an older one of the same name."""
        self.forget_proof(entry)
        self._insert("proof", astuple(entry))

    def forget_proof(self, entry: ProofEntry) -> None:
        """Forget a proof."""
        self._delete("proof", run_id=entry.run_id, table_name=entry.table, proof=entry.proof)

    def proofs(self, run_id: str) -> list[ProofEntry]:
        """Return the proofs of a run."""
        rows = self._fetch("proof", ("run_id",), (run_id,), order=("table_name", "proof"))
        return [ProofEntry(*row) for row in rows]

    def rejected_keys(self, run_id: str, table: str) -> list[str]:
        """Return the keys of a table's rejected rows, as `Reject.row_key`; '' where unknown."""
        rows = self._fetch("reject", ("run_id", "table_name"), (run_id, table))
        return [row[3] or "" for row in rows]

    def set_differences(self, run_id: str, table: str, found: Sequence[DifferenceEntry]) -> None:
        """Remember what differs in a table, in place of what differed before."""
        self._delete("difference", run_id=run_id, table_name=table)
        for entry in found:
            self._insert("difference", (run_id, *astuple(entry), now()))

    def differences(self, run_id: str) -> list[DifferenceEntry]:
        """Return what differs, as far as it was listed."""
        if not self._listing():
            return []
        order = ("table_name", "row_key", "column_name")
        rows = self._fetch("difference", ("run_id",), (run_id,), order=order)
        return [DifferenceEntry(*row[1:-1]) for row in rows]

    # ---- plumbing

    def _forget(self, **where: str) -> None:
        for name in ("batch", "shard", "reject", "loaded", "proof", *self._listing()):
            self._delete(name, **where)

    def _listing(self) -> tuple[str, ...]:
        """Return the table of differences, which a ledger lacks until the next run or proof."""
        return ("difference",) if self._has("difference") else ()

    def _shards(self, run_id: str, table: str) -> list[Shard]:
        where = ("run_id", "table_name")
        return [
            Shard(*row) for row in self._fetch("shard", where, (run_id, table), order=("shard",))
        ]

    def _entries(self, run_id: str, table: str) -> list[BatchEntry]:
        where, order = ("run_id", "table_name"), ("shard", "number")
        return [BatchEntry(*row) for row in self._fetch("batch", where, (run_id, table), order)]

    def _mark_shard(self, shard: Shard, done_at: str | None) -> None:
        self._update(
            "shard",
            ("done_at",),
            (done_at,),
            run_id=shard.run_id,
            table_name=shard.table,
            shard=shard.number,
        )
