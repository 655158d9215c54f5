"""Where a table may be cut into equal parts, and what is certain about its order."""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.cutting import ROWS_PER_PART, Sample, quantiles
from datamig_pipelines.dialects.mysql.canonical import canonical
from datamig_pipelines.dialects.mysql.names import literal, quote
from datamig_pipelines.dialects.mysql.selecting import compared, in_range
from datamig_pipelines.dialects.reading import Compared, KeyPart, Read

_PIECES_PER_PART: Final = 16
"""A piece of the key space is halved until it is estimated to hold that share of a part."""
_LOOKS: Final = 300
_LOOKS_PER_PART: Final = 60
"""Most estimates asked for, together: half a millisecond each."""

_INDEX: Final = """
SELECT index_name FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = {table} AND seq_in_index = 1
  AND CONCAT('`', REPLACE(column_name, '`', '``'), '`') = {column}
  AND sub_part IS NULL AND index_type = 'BTREE'
ORDER BY index_name <> 'PRIMARY', non_unique, index_name LIMIT 1"""


def key_objection(type_: Type) -> str:
    """Return why a stream cannot go on behind a key; see `Dialect.key_objection`.

    A text without a length is unique by a hash: no index has its order, and a sort looks at its
    first bytes only. A CHAR that is not padded lies padded in an index, so that ``k > 'a'`` finds
    other rows with the index than without (MariaDB 10.11).
    """
    if type_.kind is Kind.TEXT and type_.length is None:
        return "a text without a length is not kept in order"
    unpadded = type_.kind is Kind.CHAR and "nopad" in type_.native.lower()
    return "its index is not in the order of its collation" if unpadded else ""


def same_order(type_: Type) -> str:
    """Return the word for an order; see `Dialect.same_order`.

    Texts have collations that pad, UUIDs an order of MariaDB's own, BINARY is filled up, and dates
    may be 0000-00-00.
    """
    if type_.kind in (Kind.INTEGER, Kind.YEAR):
        return "number"
    if type_.kind is Kind.DECIMAL and type_.scale is not None:
        return "number" if type_.scale == 0 else f"number.{type_.scale}"
    if type_.kind is Kind.BLOB and not type_.native.lower().startswith("binary"):
        return "bytes"
    return ""


def times(part: KeyPart, width: int) -> str:
    """Return how often a width goes into a key; see `Dialect.times`. DIV ends at 64 bits."""
    if part.type.kind is Kind.INTEGER:
        return f"{part.sql} DIV {width}"
    return f"({part.sql} - {part.sql} % {width}) / {width}"


def cut_points(session: Queryable, read: Read, parts: int, table: str) -> list[tuple[str, ...]]:
    """Return keys that cut a stream into equal parts; see `Dialect.cut_points`.

    Where the key begins with an integer, the optimizer's estimates tell how dense it lies, at the
    cost of some hundred EXPLAINs. Any other key is sampled, which reads an index once.
    """
    if not read.key or parts < 2:
        return []
    if read.key[0].type.kind is Kind.INTEGER and not read.where:
        cuts = _Density(session, read, table).cuts(parts)
        if cuts is not None:
            return cuts
    return _sampled(session, read, parts, table)


# ---- samples


def _sampled(session: Queryable, read: Read, parts: int, table: str) -> list[tuple[str, ...]]:
    within = in_range(read.key, read.after, read.upto)
    conditions = [c for c in (f"({read.where})" if read.where else "", within) if c]
    (rows,) = session.query(f"SELECT COUNT(*) FROM {table}")[0]
    nth = max(1, int(rows) // (ROWS_PER_PART * parts))
    found = session.query(_sample_sql(read, parts, table, conditions, nth))
    seen = found[0][-1] if found else 0
    if conditions and nth > 1 and seen < ROWS_PER_PART * parts // 2:
        nth = max(1, nth * seen // (ROWS_PER_PART * parts))
        found = session.query(_sample_sql(read, parts, table, conditions, nth))
    return [tuple(row[:-1]) for row in found]


def range_cuts(session: Queryable, read: Read, parts: int, table: str) -> list[tuple[str, ...]]:
    """Return the keys that cut a range into equal parts; see `Dialect.range_cuts`."""
    within = in_range(read.key, read.after, read.upto)
    conditions = [c for c in (f"({read.where})" if read.where else "", within) if c]
    found = session.query(_sample_sql(read, parts, table, conditions, 1))
    return [tuple(row[:-1]) for row in found]


def _sample_sql(read: Read, parts: int, table: str, conditions: list[str], nth: int) -> str:
    """Return the SELECT of the cut points among every n-th key, chosen by its checksum."""
    texts = _texts(read)
    chosen = f"CRC32(CONCAT_WS(',', {', '.join(texts)})) % {nth} = 0"
    where = " AND ".join([*conditions, *([chosen] if nth > 1 else [])])
    source = f"{table} WHERE {where}" if where else table
    return quantiles(Sample(texts, [compared(p) for p in read.key], source), parts, "DIV")


def _texts(read: Read) -> list[str]:
    return [canonical(Compared(p.sql, p.type, p.type.kind)) for p in read.key]


# ---- estimates


@dataclass(frozen=True, order=True)
class _Piece:
    """Keys from ``low`` to ``high``, both included; the most rows come first in a heap."""

    minus_rows: int
    low: int
    high: int

    @property
    def rows(self) -> int:
        """Return the estimated number of rows."""
        return -self.minus_rows


class _Density:
    """How many rows lie where in the space of an integer that a key begins with."""

    def __init__(self, session: Queryable, read: Read, table: str) -> None:
        """Nothing is asked yet."""
        self._session = session
        self._read = read
        self._column = read.key[0].sql
        index = session.query(
            _INDEX.format(table=literal(read.table.name), column=literal(self._column))
        )
        self._from = f"{table} FORCE INDEX ({quote(index[0][0])})" if index else ""

    def cuts(self, parts: int) -> list[tuple[str, ...]] | None:
        """Return the cut points; None if estimates cannot tell them."""
        ends = [self._end(descending=False), self._end(descending=True)] if self._from else [None]
        if None in ends:
            return [] if self._from else None
        pieces = self._pieces(int(ends[0][0]), int(ends[1][0]), parts)  # type: ignore[index]
        total = sum(p.rows for p in pieces)
        if any(p.low == p.high and p.rows * 3 > total // parts for p in pieces) and total > parts:
            return None  # one number has so many rows that the key's other columns must cut them
        found: dict[tuple[str, ...], None] = {}
        for edge in _edges(pieces, total, parts):
            key = self._end(descending=True, most=edge)
            if key is not None:
                found[key] = None
        last = tuple(str(v) for v in ends[1] or ())
        return [key for key in found if key != last]

    def _pieces(self, low: int, high: int, parts: int) -> list[_Piece]:
        """Return pieces in order, the densest halved until all are small."""
        heap = [self._piece(low, high)]
        whole: list[_Piece] = []  # of a single number
        total = heap[0].rows
        for _ in range((_LOOKS + _LOOKS_PER_PART * parts) // 2):
            if not heap or heap[0].rows * parts * _PIECES_PER_PART <= total:
                break
            densest = heappop(heap)
            if densest.low == densest.high:
                whole.append(densest)
                continue
            middle = (densest.low + densest.high) // 2
            halves = self._piece(densest.low, middle), self._piece(middle + 1, densest.high)
            for half in halves:
                heappush(heap, half)
            total += halves[0].rows + halves[1].rows - densest.rows
        return sorted([*heap, *whole], key=lambda p: p.low)

    def _piece(self, low: int, high: int) -> _Piece:
        sql = (
            f"EXPLAIN SELECT {self._column} FROM {self._from} "
            f"WHERE {self._column} BETWEEN {low} AND {high}"
        )
        (plan,) = self._session.query(sql)[-1:]
        rows = next((v for v in reversed(plan[-3:]) if _is_number(v)), 0)
        return _Piece(-int(rows), low, high)

    def _end(self, *, descending: bool, most: int | None = None) -> tuple[str, ...] | None:
        """Return the first or the last key of the stream, at ``most`` where that is said."""
        read = self._read
        conditions = [in_range(read.key, read.after, read.upto)]
        if most is not None:
            conditions.append(f"{self._column} <= {most}")
        where = " AND ".join(c for c in conditions if c)
        order = ", ".join(p.sql + (" DESC" if descending else "") for p in read.key)
        sql = f"SELECT {', '.join(_texts(read))} FROM {self._from}" + (
            f" WHERE {where}" if where else ""
        )
        found = self._session.query(f"{sql} ORDER BY {order} LIMIT 1")
        return tuple(found[0]) if found else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdigit())


def _edges(pieces: list[_Piece], total: int, parts: int) -> list[int]:
    """Return the ends of those pieces that are nearest to equal shares of the rows."""
    edges = []
    before, cut = 0, 1
    for piece in pieces:
        after = before + piece.rows
        while cut < parts and after * parts >= total * cut:
            nearer = after * parts - total * cut <= total * cut - before * parts
            edges.append(piece.high if nearer else piece.low - 1)
            cut += 1
        before = after
    return edges
