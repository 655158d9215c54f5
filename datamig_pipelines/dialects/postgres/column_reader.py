"""Columns, their defaults, and the sequences behind them."""

from typing import Any, Final

from datamig_pipelines.catalog import Column, Kind
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.postgres.defaults import (
    read_default,
    sequence_named_in,
    strip_parentheses,
)
from datamig_pipelines.dialects.postgres.object_reader import Others
from datamig_pipelines.dialects.postgres.type_reader import Types

_COLUMNS: Final = """
SELECT c.oid, a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
  coalesce(col_description(c.oid, a.attnum), ''), s.oid, s.name, s.increment, c.relname,
  coalesce(quote_ident(o.collname), '')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_collation o ON o.oid = a.attcollation AND a.attcollation <> y.typcollation
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
  SELECT q.seqrelid::oid AS oid, q.seqincrement AS increment,
    format('%I.%I', kn.nspname, k.relname) AS name
  FROM pg_depend p
  JOIN pg_sequence q ON q.seqrelid = CASE p.classid
    WHEN 'pg_class'::regclass THEN p.objid ELSE p.refobjid END
  JOIN pg_class k ON k.oid = q.seqrelid JOIN pg_namespace kn ON kn.oid = k.relnamespace
  WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
      AND p.refobjid = c.oid AND p.refobjsubid = a.attnum AND p.deptype = 'i'
    OR p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
      AND p.refclassid = 'pg_class'::regclass
  LIMIT 1
) s ON true
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.oid, a.attnum"""

_NAMED: Final = """
SELECT q.seqrelid::oid, format('%I.%I', n.nspname, k.relname), q.seqincrement
FROM pg_sequence q
JOIN pg_class k ON k.oid = q.seqrelid JOIN pg_namespace n ON n.oid = k.relnamespace
WHERE q.seqrelid = to_regclass(%s)"""

_COUNTING: Final = {Kind.INTEGER, Kind.DECIMAL}

Counters = dict[str, tuple[str, int]]
"""Quoted sequence and increment, by the column that it fills."""


def read_columns(
    session: Queryable, schema: str, types: Types, others: Others
) -> tuple[dict[int, tuple[Column, ...]], dict[int, Counters]]:
    """Return the columns, and the sequences of those that count by themselves, by table oid.

    A sequence that fills several columns is told to ``others``: each column gets its own counter.
    """
    columns: dict[int, tuple[Column, ...]] = {}
    counters: dict[int, Counters] = {}
    for row in session.query(_COLUMNS, (schema,)):
        oid, name, type_oid, *_ = row
        if types.is_domain(type_oid):
            types.domains[oid, name] = type_oid
        sequence = _sequence(session, row, types)
        columns[oid] = (*columns.get(oid, ()), _column(row, types, counts=sequence is not None))
        if sequence is not None:
            sequence_oid, sequence_name, increment = sequence
            counters.setdefault(oid, {})[name] = (sequence_name, increment)
            others.sequence(sequence_oid, sequence_name)
        if row[13]:
            others.add("collation", f"{schema}.{row[12]}.{name} {row[13]}")
    return columns, counters


def _sequence(
    session: Queryable, row: tuple[Any, ...], types: Types
) -> tuple[int, str, int] | None:
    """Return the sequence whose next value is the column's default, and nothing more."""
    type_oid, declaration, default, identity = row[2], row[3], row[5], row[6]
    named = sequence_named_in(default) if default else None
    if not identity and named is None:
        return None
    if types.type_of(type_oid, declaration).kind not in _COUNTING:
        return None
    if row[9] is not None:
        return int(row[9]), str(row[10]), int(row[11])
    found = session.query(_NAMED, (named,))
    return (int(found[0][0]), str(found[0][1]), int(found[0][2])) if found else None


def _column(row: tuple[Any, ...], types: Types, *, counts: bool) -> Column:
    _, name, type_oid, declaration, not_null, text, _, generated, comment = row[:9]
    type_ = types.type_of(type_oid, declaration)
    text = text if text is not None else types.default(type_oid)
    has_default = text is not None and not generated and not counts
    return Column(
        name=name,
        type=type_,
        nullable=not (not_null or types.not_null(type_oid)),
        default=read_default(str(text), type_) if has_default else None,
        identity=counts,
        generated=strip_parentheses(str(text)) if generated else None,
        comment=comment,
        domain=types.domain(type_oid),
        collation=row[13],
    )
