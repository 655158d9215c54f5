"""The two sides of one table, as they are compared."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from datamig_pipelines.catalog import Kind, Table, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.cutting import Grid
from datamig_pipelines.dialects.documents import former, has_documents
from datamig_pipelines.dialects.reading import Compared, Fingerprint, KeyPart, Projection, Read
from datamig_pipelines.differences.difference import Cells, Effort
from datamig_pipelines.ledger import TableState
from datamig_pipelines.ledger.entry import key_of
from datamig_pipelines.session import Session
from datamig_pipelines.transfer import Route

Key = tuple[str, ...]
Range = tuple[Key | None, Key | None]
"""The keys in (after, upto]; None: an open end. An end may be the first parts of a key alone."""

WHOLE: Range = (None, None)
WHOLE_NUMBER: Final = re.compile(r"-?\d+")


@dataclass(frozen=True)
class Buckets:
    """Rows put into ``count`` buckets by the hash of the cells at some places; all of them: ()."""

    at: tuple[int, ...]
    count: int


Within = tuple[tuple[Buckets, tuple[int, ...]], ...]
"""Rows that are, of each of these buckets, in one of some."""


@dataclass
class Side:
    """One of both tables; counts what it is asked."""

    session: Session
    name: TableName
    columns: tuple[Compared, ...]
    key: tuple[KeyPart, ...] = ()
    where: str = ""
    effort: Effort = field(default_factory=Effort)

    def __post_init__(self) -> None:
        """Write names and cells once."""
        self.dialect = self.session.dialect
        self.table = self.dialect.table(self.name)
        self.cells = [self.dialect.cell(c) for c in self.columns]
        self._formed = former([c.compare for c in self.columns])

    @property
    def plain_cells(self) -> list[str]:
        """Return the cells that both engines write alike: all but documents."""
        cells = zip(self.columns, self.cells, strict=True)
        return [cell for column, cell in cells if column.compare is not Kind.DOCUMENT]

    def fingerprint(self, keys: Range = WHOLE) -> Fingerprint:
        """Return the fingerprint of the rows whose keys are in a range."""
        found = self.session.fingerprint(self.table, self.columns, self._within(keys))
        self.effort += Effort(scans=1, rows_scanned=found.rows)
        return found

    def grid(self, grid: Grid, keys: Range = WHOLE) -> dict[int | None, Fingerprint]:
        """Return the fingerprint of every bucket of a grid that has rows, in one scan of a range.

        Rows whose key is NULL have the bucket None.
        """
        bucket = self.dialect.grid_bucket(self.key[0], grid)
        found = self.session.fingerprints(self.table, self.columns, bucket, self._within(keys))
        rows = sum(f.rows for f in found.values())
        self.effort += Effort(scans=1, rows_scanned=rows, sums_fetched=len(found))
        return found

    def ends(self, keys: Range) -> list[int]:
        """Return the least and the largest first part of the keys in a range, [] of none.

        The filter is left out: an index has them at once, but not those that a filter leaves.
        """
        sql = self.dialect.ends_sql(self.table, self.key[0], self._ranged(keys))
        found = [str(end) for end in self.session.query(sql)[0] if end is not None]
        self.effort += Effort(scans=1, rows_scanned=len(found), sums_fetched=len(found))
        return [int(end) for end in found if WHOLE_NUMBER.fullmatch(end)]

    def rows(self, keys: Range, most: int) -> list[Cells]:
        """Return up to ``most`` rows of a range."""
        return self._fetched(self._within(keys), most)

    def rows_within(self, within: Within, most: int) -> list[Cells]:
        """Return up to ``most`` rows of some buckets."""
        return self._fetched(self._and(self._chosen(within)), most)

    def cuts(self, keys: Range, parts: int, rows: int) -> list[Key]:
        """Return keys that cut a range of so many rows into equal parts, strictly ascending."""
        read = Read(self.name, (), Wire.CELLS, self.key, self._within(keys))
        if keys == WHOLE:
            found = self.dialect.cut_points(self.session, read, parts)
            if found:
                return found
        found = [tuple(str(k) for k in key) for key in self._cut(read, parts)]
        self.effort += Effort(rows_fetched=len(found), scans=1, rows_scanned=rows)
        return list(dict.fromkeys(found))

    def _cut(self, read: Read, parts: int) -> list[Key]:
        return self.dialect.range_cuts(self.session, read, parts)

    def buckets(self, buckets: Buckets, within: Within = ()) -> dict[int, Fingerprint]:
        """Return the fingerprint of every bucket of a table, or of some buckets of it."""
        found = self._sums(self._bucket(buckets), self._and(self._chosen(within)))
        rows = sum(f.rows for f in found.values())
        self.effort += Effort(scans=1, rows_scanned=rows, sums_fetched=len(found))
        return found

    def _bucket(self, buckets: Buckets) -> str:
        cells = [self.cells[i] for i in buckets.at] or self.plain_cells
        return self.dialect.bucket(cells, buckets.count) if cells else "0"

    def _chosen(self, within: Within) -> str:
        return " AND ".join(
            f"({self.dialect.is_one_of(self._bucket(buckets), [str(n) for n in numbers])})"
            for buckets, numbers in within
        )

    def _sums(self, bucket: str, where: str) -> dict[int, Fingerprint]:
        if has_documents(self.columns):
            sums = self.session.fingerprints(self.table, self.columns, bucket, where)
            return {b: found for b, found in sums.items() if b is not None}
        sql = self.dialect.buckets_sql(self.table, bucket, self.cells, where)
        rows = self.session.query(sql)
        return {int(b): Fingerprint(int(count), int(total)) for b, count, total in rows}

    def _fetched(self, condition: str, most: int) -> list[Cells]:
        sql = self.dialect.rows_sql(self.table, self.cells, condition, most)
        rows = [self._formed(r) for r in self.session.query(sql)]
        self.effort += Effort(rows_fetched=len(rows), scans=1, rows_scanned=len(rows))
        return rows

    def _within(self, keys: Range) -> str:
        return self._and(self._ranged(keys))

    def _ranged(self, keys: Range) -> str:
        """Return the condition of a range; an end may be the first parts of a key alone."""
        after, upto = keys
        if after and upto and len(after) == len(upto):
            return self.dialect.in_range(self.name, self.key[: len(after)], after, upto)
        ends = [(k, e) for k, e in (((after, (after, None))), ((upto, (None, upto)))) if k]
        return " AND ".join(
            self.dialect.in_range(self.name, self.key[: len(key)], *end) for key, end in ends
        )

    def _and(self, condition: str) -> str:
        # The filter alone stays as it is written: it may end in a comment.
        if not self.where or not condition:
            return condition or self.where
        return f"({self.where}) AND ({condition})"


@dataclass(frozen=True)
class Pair:
    """Both sides, alike column by column.

    ``key_at`` are the places of the columns that tell rows apart, () if there are none; ``ranges``
    says that both sides can be read in the same ranges of the same key, and ``cuts`` are the keys
    at which the load's batches ended, in order; ``computed`` are columns that the target generates.
    """

    table: str
    target_table: TableName
    columns: tuple[Projection, ...]
    source: Side
    target: Side
    key_at: tuple[int, ...]
    ranges: bool
    cuts: tuple[Key, ...] = ()
    computed: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the compared columns, in the target."""
        return tuple(c.name for c in self.columns)

    @property
    def key_names(self) -> tuple[str, ...]:
        """Return the names of the key's columns."""
        return tuple(self.names[i] for i in self.key_at)

    @property
    def counted(self) -> bool:
        """Say whether the first part of the key is a whole number on both sides.

        Not of MySQL's YEAR: it takes small numbers for years of two digits.
        """
        return self.ranges and all(
            side.dialect.same_order(side.key[0].type) == "number"
            and side.key[0].type.kind in (Kind.INTEGER, Kind.DECIMAL)
            for side in (self.source, self.target)
        )

    @property
    def effort(self) -> Effort:
        """Return what both sides were asked so far."""
        return self.source.effort + self.target.effort

    def key_of(self, row: Cells) -> Key | None:
        """Return the key of a row, None without one."""
        return tuple(row[i] or "" for i in self.key_at) if self.key_at else None


def pair_of(
    route: Route, source: Session, target: Session, state: TableState, where: str | None = None
) -> Pair:
    """Return the two sides of a route; ``where`` stands in for the route's own filter."""
    columns = tuple(c for c in (*route.columns, *route.computed) if c.compare is not None)
    there = tuple(c.there(c.compare) for c in columns if c.compare)
    quote = target.dialect.quote
    here = tuple(c.here(quote(c.name), c.compare) for c in columns if c.compare)
    keys = _ranged(route, columns, source, target)
    key_at = tuple(at for at, _, _ in keys) or identity(route.target, columns)
    condition = route.where if where is None else where
    return Pair(
        route.name,
        route.target.name,
        columns,
        Side(source, route.source.name, there, tuple(k for _, k, _ in keys), condition),
        Side(target, route.target.name, here, tuple(k for _, _, k in keys)),
        key_at,
        bool(keys),
        tuple(_batch_ends(state)) if keys else (),
        tuple(c.name for c in route.computed),
    )


def _ranged(
    route: Route, columns: Sequence[Projection], source: Session, target: Session
) -> list[tuple[int, KeyPart, KeyPart]]:
    """Return place and both names of the route's key, if a range of it is the same set of rows."""
    found = []
    for part, name in zip(route.key, route.key_names, strict=True):
        at = next((i for i, c in enumerate(columns) if c.plain and c.sql == part.sql), None)
        if at is None:
            return []
        column = columns[at]
        there = replace(part, type=_counting(part.type, route.source, name))
        here = KeyPart(
            target.dialect.quote(column.name), _counting(column.into, route.target, column.name)
        )
        order = source.dialect.same_order(there.type)
        if not order or target.dialect.same_order(here.type) != order:
            return []
        found.append((at, there, here))
    return found


def _counting(type_: Type, table: Table, name: str) -> Type:
    """Return the type of a key column; one that counts by itself holds nothing but integers."""
    column = table.column(name)
    return replace(type_, strict=True) if column is not None and column.identity else type_


def identity(table: Table, columns: Sequence[Projection]) -> tuple[int, ...]:
    """Return the places of a key of the target, the primary one first; () if there is none."""
    places = {c.name: i for i, c in enumerate(columns)}
    keys = [table.primary_key.columns] if table.primary_key else []
    keys += [u.columns for u in table.uniques]
    required = {c.name for c in table.columns if not c.nullable}
    required |= set(table.primary_key.columns) if table.primary_key else set()
    for key in keys:
        if all(c in places and c in required for c in key):
            return tuple(places[c] for c in key)
    return ()


def _batch_ends(state: TableState) -> list[Key]:
    """Return the keys at which batches ended, in the order of the table.

    Shards follow each other by their keys; one that only loads again what another took back lies
    within that other.
    """
    by_start = {s.shard.low_key: s for s in sorted(state.shards, key=lambda s: -s.shard.number)}
    ends: list[str] = []
    at, seen = "", set[str]()
    while at in by_start and at not in seen:
        seen.add(at)
        one = by_start[at]
        ends += [e.high_key for e in one.entries]
        at = one.shard.high_key
        if not at:
            break
        ends.append(at)
    return [key for key in (key_of(e) for e in dict.fromkeys(ends)) if key]
