"""Proves loaded batches again under a new snapshot, and takes back what the source changed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from datamig_pipelines.dialects.reading import KeyPart
from datamig_pipelines.ledger import BatchEntry, Ledger, Shard, ShardState, TableState
from datamig_pipelines.ledger.entry import key_of
from datamig_pipelines.session import Session
from datamig_pipelines.transfer.replay import Replay
from datamig_pipelines.transfer.route import Route
from datamig_pipelines.transfer.rows import lens

_TOGETHER = 50  # ranges per DELETE: a target without keys yet is searched once for all of them


@dataclass(frozen=True)
class Findings:
    """What the source did to a table's loaded rows since they were read.

    ``changed`` are batches whose rows are not what they were, ``grown`` finished shards that have
    rows behind their last batch now.
    """

    batches: int
    changed: tuple[BatchEntry, ...] = ()
    grown: tuple[Shard, ...] = ()

    def __bool__(self) -> bool:
        """Say whether anything has to be done."""
        return bool(self.changed or self.grown)


class Reproof:
    """Reads what was loaded of a table once more; costs that one read, and writes nothing."""

    def __init__(self, route: Route, source: Session, stopped: Callable[[], bool]) -> None:
        """Use a session in the new snapshot."""
        self.route = route
        self.source = source
        self._stopped = stopped
        self._digest = lens(route).digest

    def findings(self, state: TableState) -> Findings:
        """Return what changed. Of a table without a key, the first change alone is looked for."""
        changed: list[BatchEntry] = []
        grown: list[Shard] = []
        for shard in state.shards:
            wrong, more = self._keyed(shard) if self.route.key else self._in_order(shard)
            changed += wrong
            grown += [shard.shard] if more else []
            if changed and not self.route.key:
                break
        live = sum(not e.taken_back for s in state.shards for e in s.entries)
        return Findings(live, tuple(changed), tuple(grown))

    def _keyed(self, state: ShardState) -> tuple[list[BatchEntry], bool]:
        """Return the batches that changed, and whether a finished shard has rows behind them.

        One stream is read as long as it shows what it should; behind a change it is opened anew.
        """
        changed: list[BatchEntry] = []
        replay: Replay | None = None
        try:
            for entry in state.entries:
                if self._stopped():
                    return changed, False
                if not entry.taken_back:
                    replay = replay or self._replay(state.shard, entry.low_key)
                    if replay.shows(entry, self._digest):
                        continue
                    changed.append(entry)
                if replay:
                    replay.close()
                replay = None
            if state.shard.done_at is None:
                return changed, False
            replay = replay or self._replay(state.shard, state.at)
            return changed, bool(replay.take(1))
        finally:
            if replay:
                replay.close()

    def _in_order(self, state: ShardState) -> tuple[list[BatchEntry], bool]:
        with closing(self._replay(state.shard, "")) as replay:
            for entry in state.entries:
                if self._stopped():
                    break
                if not replay.shows(entry, self._digest):
                    return [entry], False
            return [], state.shard.done_at is not None and bool(replay.take(1))

    def _replay(self, shard: Shard, low_key: str) -> Replay:
        if not self.route.key:
            return Replay(self.source.stream_lists(self.route.read(pages=shard.page_range)))
        read = self.route.read(key_of(low_key), key_of(shard.high_key))
        return Replay(self.source.stream_lists(read))


class TakeBack:
    """Takes changed batches out of the target, so that they are copied again."""

    def __init__(self, route: Route, run_id: str, source: Session, target: Session) -> None:
        """Use a target session; each step is a transaction of its own."""
        self.route = route
        self.run_id = run_id
        self.target = target
        self.ledger = Ledger(target)
        self._key = _key_in_target(route, source, target)

    def apply(self, findings: Findings, state: TableState) -> Iterator[str]:
        """Take back what changed, open what has grown, and say so."""
        name, changed = self.route.name, findings.changed
        # Where most of a table changed, emptying it is less work than searching it.
        most = len(changed) > max(_TOGETHER, findings.batches // 2)
        if changed and (not self._key or most or not self._taken_back(changed, state)):
            self.start_over()
            why = "the rows that are loaded do not come again as they were"
            yield f"{name}: {why}, the table starts over"
            return
        if changed:
            count = f"{len(changed)} of {findings.batches} batches"
            yield f"{name}: {count} changed in the source since, copied again"
        if findings.grown:
            with self.target.transaction():
                self.ledger.reopen(self.run_id, name, findings.grown)
            yield f"{name}: rows were added behind those that are loaded, read on"

    def start_over(self) -> None:
        """Empty the table and forget its load."""
        with self.target.transaction():
            self.target.query(self.target.dialect.truncate(self.route.target.name))
            self.ledger.forget_table(self.run_id, self.route.name)

    def _taken_back(self, changed: Sequence[BatchEntry], state: TableState) -> bool:
        """Take batches back; False if the target does not hold them where their keys say."""
        number = max(s.shard.number for s in state.shards) + 1
        for at in range(0, len(changed), _TOGETHER):
            entries = changed[at : at + _TOGETHER]
            try:
                with self.target.transaction():
                    self._delete(entries)
                    for entry in entries:
                        self.ledger.take_back(entry, number)
                        number += 1
            except _Misplaced:
                return False
        return True

    def _delete(self, entries: Sequence[BatchEntry]) -> None:
        dialect, table = self.target.dialect, self.route.target.name
        ranges = [
            dialect.in_range(table, self._key, key_of(e.low_key), key_of(e.high_key))
            for e in entries
        ]
        condition = " OR ".join(f"({r})" for r in ranges)
        count = dialect.count(dialect.table(table), condition)
        if int(self.target.query(count)[0][0]) != sum(e.rows_loaded for e in entries):
            raise _Misplaced
        if self.route.transform:
            self._check_written(entries, ranges)
        self.target.query(dialect.delete_where(table, condition))

    def _check_written(self, entries: Sequence[BatchEntry], ranges: Sequence[str]) -> None:
        """Raise unless each range holds what its batch wrote: a function may change keys."""
        quote, table = self.target.dialect.quote, self.target.dialect.table(self.route.target.name)
        columns = [
            c.here(quote(c.name), c.compare) for c in self.route.columns if c.compare is not None
        ]
        for entry, condition in zip(entries, ranges, strict=True):
            if (
                not columns
                or str(self.target.fingerprint(table, columns, condition)) != entry.written
            ):
                raise _Misplaced


class _Misplaced(Exception):  # noqa: N818 (a signal: the transaction is rolled back)
    """A range of the target does not hold as many rows as were loaded into it."""


def _key_in_target(route: Route, source: Session, target: Session) -> tuple[KeyPart, ...]:
    """Return the key as the target's columns, () where these have no such order or values."""
    parts = []
    for part in route.key:
        column = next((c for c in route.columns if c.plain and c.sql == part.sql), None)
        order = source.dialect.same_order(part.type)
        if column is None or not order or target.dialect.same_order(column.into) != order:
            return ()
        parts.append(KeyPart(target.dialect.quote(column.name), column.into))
    return tuple(parts)
