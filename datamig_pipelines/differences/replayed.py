"""The source's side of rows that a function made: the source is put through the function again."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from typing_extensions import override

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.columns import Columns
from datamig_pipelines.dialects.documents import NULL, digest, hasher
from datamig_pipelines.dialects.reading import Fingerprint, Read, Row
from datamig_pipelines.dialects.row_hash import row_texts
from datamig_pipelines.differences.difference import Cells, Effort
from datamig_pipelines.differences.pair import Buckets, Pair, Side, Within, identity, pair_of
from datamig_pipelines.ledger import BatchEntry, ShardState, TableState
from datamig_pipelines.ledger.entry import key_of
from datamig_pipelines.session import Session
from datamig_pipelines.transfer import Route
from datamig_pipelines.transfer.batches import cut
from datamig_pipelines.transfer.replay import Replay
from datamig_pipelines.transfer.transforms import Transform


class NotReplayedError(Exception):
    """The function does not say what the target has to hold; the text says why."""


def replayed_pair(
    route: Route, source: Session, target: Session, state: TableState, folder: Path
) -> Pair:
    """Return both sides of rows that a function made, compared by a key of the target.

    A function may change keys, so there are no ranges. Raises TransformNotFoundError.
    """
    plain = pair_of(replace(route, computed=()), source, target, state)
    side = Replayed(
        source, route.source.name, plain.source.columns, replay=Function(route, state, folder)
    )
    key_at = identity(route.target, plain.columns)
    return replace(plain, source=side, key_at=key_at, ranges=False, cuts=())


class Function:
    """A table's function over the very batches of its load, as the source has them now."""

    def __init__(self, route: Route, state: TableState, folder: Path) -> None:
        """Find the function. Raises TransformNotFoundError."""
        self.route = route
        self.state = state
        self.raised = 0
        self._transform = Transform(route, folder)
        self._texts = row_texts(route.columns)

    def rows(self, source: Session) -> Iterator[Cells]:
        """Yield what it makes of the source, as canonical texts; one batch is in memory."""
        self.raised = 0
        for shard in self.state.shards:
            for batch in self._batches(source, shard):
                cells, raised = self._transform.sorted_out(batch, lambda _: False)
                self.raised += len(raised)
                yield from map(self._texts, cells)

    def _batches(self, source: Session, state: ShardState) -> Iterator[Sequence[Row] | Columns]:
        route, shard = self.route, state.shard
        if not route.key:
            yield from self._again(source, route.read(pages=shard.page_range), state.entries)
            return
        for entry in state.entries:
            if not entry.taken_back:  # else a shard of its own has its rows
                within = route.read(key_of(entry.low_key), key_of(entry.high_key))
                yield from self._again(source, within, [entry])
        yield from self._again(source, route.read(key_of(state.at), key_of(shard.high_key)), [])

    def _again(
        self, source: Session, read: Read, entries: Sequence[BatchEntry]
    ) -> Iterator[Sequence[Row] | Columns]:
        """Yield the rows of a read in batches as they were loaded, then what has come since."""
        with closing(Replay(source.stream_lists(read))) as replay:
            for entry in entries:
                rows = replay.take(entry.rows_read)
                if len(rows):
                    yield rows
            for batch in cut(replay.rest(), self.route.batch_size):
                yield batch.rows


@dataclass
class Replayed(Side):
    """A side whose rows a function makes; asked for buckets only."""

    replay: Function = field(kw_only=True)

    def __post_init__(self) -> None:
        """Prepare the hash of a row."""
        super().__post_init__()
        forms = [c.compare for c in self.columns]
        self._hash = hasher(forms)
        self._plain = tuple(i for i, form in enumerate(forms) if form is not Kind.DOCUMENT)
        self._seen: dict[Buckets, dict[int, Fingerprint]] = {}

    @override
    def buckets(self, buckets: Buckets, within: Within = ()) -> dict[int, Fingerprint]:
        """Add up every bucket in one pass; refuse rows of which the ledger has no account."""
        sums: dict[int, list[int]] = {}
        for row in self._rows(within):
            one = sums.setdefault(self._number(row, buckets), [0, 0])
            one[0] += 1
            one[1] += self._hash(row)
        refused = self.replay.state.rows_rejected - self.replay.raised
        if refused > 0:
            msg = f"the target refused {refused} rows that {self.replay.route.transform} made"
            raise NotReplayedError(msg)
        self.effort += Effort(sums_fetched=len(sums))
        found = {b: Fingerprint(*both) for b, both in sums.items()}
        self._seen[buckets] = found
        return found

    @override
    def rows_within(self, within: Within, most: int) -> list[Cells]:
        """Return up to ``most`` rows of some buckets, if they are the rows that were added up."""
        *_, (buckets, numbers) = within
        kept: list[Cells] = []
        total = Fingerprint(0, 0)
        for row in self._rows(within):
            total += Fingerprint(1, self._hash(row))
            if len(kept) < most:
                kept.append(row)
        seen = self._seen[buckets]
        if total != sum((seen[n] for n in numbers if n in seen), Fingerprint(0, 0)):
            transform = self.replay.route.transform
            raise NotReplayedError(f"{transform} returns other rows each time it is asked")
        return kept

    def _rows(self, within: Within) -> Iterator[Cells]:
        count = 0
        for row in self.replay.rows(self.session):
            count += 1
            if all(self._number(row, buckets) in numbers for buckets, numbers in within):
                yield row
        self.effort += Effort(rows_fetched=count, scans=1, rows_scanned=count)

    def _number(self, row: Cells, buckets: Buckets) -> int:
        at = buckets.at or self._plain
        texts = [NULL if (t := row[i]) is None else t for i in at]
        return digest(texts) % buckets.count if at else 0
