"""Where a table may be cut into equal parts: statistics, samples, pages."""

from dataclasses import dataclass
from typing import Any, Final

from datamig_pipelines.catalog import Kind, TableName
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.cutting import Sample, quantiles
from datamig_pipelines.dialects.postgres.naming import literal, qualified, quote
from datamig_pipelines.dialects.postgres.ranges import in_range
from datamig_pipelines.dialects.reading import KeyPart, Read

_PAGES: Final = 1000
_PAGES_PER_PART: Final = 64
"""Pages in a sample. Rows of one page are alike, so it is the pages that make it exact."""
_ENOUGH: Final = 100
"""Sampled rows per part; where a filter leaves fewer, ten times as many pages are looked at."""
_BOUNDS_PER_PART: Final = 4
_TID_RANGES: Final = 14_00_00
"""Version that scans a range of pages without reading the whole table."""

_FACTS: Final = """
SELECT c.relkind::text, current_setting('server_version_num')::int, greatest(c.relpages, 0),
  (SELECT coalesce(sum(pg_relation_size(k.oid)), 0)::bigint FROM pg_class k
    WHERE k.oid = c.oid OR c.relkind = 'p'
      AND k.oid IN (SELECT relid FROM pg_partition_tree(c.oid)))
    / current_setting('block_size')::int,
  c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid),
  coalesce(pg_stat_get_mod_since_analyze(c.oid), 0), c.reltuples
FROM pg_class c WHERE c.oid = to_regclass({name}) AND c.relkind IN ('r', 'p', 'm')"""

_BOUNDS: Final = """
SELECT s.histogram_bounds::text::text[] FROM pg_stats s
JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
WHERE c.oid = to_regclass({name}) AND '"' || replace(s.attname, '"', '""') || '"' = {column}
  AND NOT s.inherited AND s.histogram_bounds IS NOT NULL"""


@dataclass(frozen=True)
class _Facts:
    """One table as the catalog knows it; ``known_pages`` are those that ANALYZE saw."""

    kind: str
    version: int
    known_pages: int
    pages: int
    heirs: bool
    changed: int
    rows: float

    @property
    def up_to_date(self) -> bool:
        """Say whether the statistics are those of the rows that are there now."""
        grown = abs(self.pages - self.known_pages) > self.known_pages * 0.1
        return self.rows > 0 and not grown and self.changed <= self.rows * 0.1


def _facts(session: Queryable, table: TableName) -> _Facts | None:
    found = session.query(_FACTS.format(name=literal(qualified(table))))
    return _Facts(*found[0]) if found else None


def page_cuts(session: Queryable, table: TableName, parts: int) -> list[int]:
    """Return pages that cut a table into equal parts.

    [] for what has no pages of its own, for parents, and where a range of pages is no scan of its
    own.
    """
    facts = _facts(session, table)
    if facts is None or facts.kind == "p" or facts.heirs or facts.version < _TID_RANGES:
        return []
    cuts = {facts.pages * i // parts for i in range(1, parts)}
    return sorted(cuts - {0})


def cut_points(session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
    """Return keys that cut a stream into equal parts; see `Dialect.cut_points`.

    ANALYZE's histogram costs nothing; where it cannot be used, some pages are sampled.
    """
    facts = _facts(session, read.table) if read.key and parts > 1 else None
    if facts is None:
        return []
    whole = len(read.key) == 1 and not read.where and read.after is None and read.upto is None
    if whole and facts.kind == "r" and facts.up_to_date and read.key[0].type.native != "money":
        bounds = _histogram(session, read)
        last = len(bounds) - 1
        if last >= parts * _BOUNDS_PER_PART:
            return [(bounds[last * i // parts],) for i in range(1, parts)]
    return _sampled(session, read, parts, facts)


def range_cuts(session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
    """Return the keys that cut a range into equal parts; see `Dialect.range_cuts`."""
    facts = _facts(session, read.table)
    if facts is None:
        return []
    return [tuple(row[:-1]) for row in _of_pages(session, read, parts, facts, facts.pages)]


def _histogram(session: Queryable, read: Read) -> list[str]:
    sql = _BOUNDS.format(name=literal(qualified(read.table)), column=literal(read.key[0].sql))
    found = session.query(sql)
    return list(found[0][0]) if found else []


def _sampled(session: Queryable, read: Read, parts: int, facts: _Facts) -> list[tuple[str, ...]]:
    wanted = max(_PAGES, _PAGES_PER_PART * parts)
    rows = _of_pages(session, read, parts, facts, wanted)
    if wanted < facts.pages and (rows[0][-1] if rows else 0) < _ENOUGH * parts:
        rows = _of_pages(session, read, parts, facts, wanted * 10)
    return [tuple(row[:-1]) for row in rows]


def _of_pages(
    session: Queryable, read: Read, parts: int, facts: _Facts, wanted: int
) -> list[tuple[Any, ...]]:
    own = f"{quote(read.table.name)}."
    source = ("ONLY " if facts.heirs else "") + qualified(read.table)
    if wanted * 2 < facts.pages:
        source += f" TABLESAMPLE SYSTEM ({100 * wanted / facts.pages:.6f}) REPEATABLE (0)"
    conditions = [f"({read.where})"] if read.where else []
    conditions.append(in_range(read.table, read.key, read.after, read.upto))
    where = " AND ".join(c for c in conditions if c)
    sample = Sample(
        [_text(k) for k in read.key],
        [own + k.sql for k in read.key],
        f"{source} WHERE {where}" if where else source,
    )
    return session.query(quantiles(sample, parts))


def _text(part: KeyPart) -> str:
    if part.type.kind is Kind.BLOB:
        return f"encode({part.sql}, 'hex')"
    return f"{part.sql}{'::numeric' if part.type.native == 'money' else ''}::text"
