"""Indexes that are no constraints."""

from typing import Any, Final

from datamig_pipelines.catalog import Index, IndexPart
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.postgres.defaults import strip_parentheses
from datamig_pipelines.dialects.postgres.naming import quote
from datamig_pipelines.dialects.postgres.object_reader import Others

_INDEXES: Final = """
SELECT i.indrelid, c.relname, x.relname, am.amname, i.indisunique, i.indisvalid, i.indnkeyatts,
  pg_get_expr(i.indpred, i.indrelid), i.indoption::text,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS u(num, place)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.num AND u.num > 0
    ORDER BY u.place),
  ARRAY(SELECT pg_get_indexdef(i.indexrelid, p, false) FROM generate_series(1, i.indnatts) p),
  ARRAY(SELECT CASE WHEN o.opcdefault THEN '' ELSE format('%I', o.opcname) END
    FROM unnest(i.indclass) WITH ORDINALITY AS u(oid, place)
    JOIN pg_opclass o ON o.oid = u.oid ORDER BY u.place)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid AND NOT c.relispartition
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am am ON am.oid = x.relam
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT EXISTS (
  SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, x.relname"""

_DESCENDING, _NULLS_FIRST = 1, 2


def read_indexes(session: Queryable, schema: str, others: Others) -> dict[int, list[Index]]:
    """Return the indexes by table oid; options without a word in `Index` are told to ``others``."""
    found: dict[int, list[Index]] = {}
    for row in session.query(_INDEXES, (schema,)):
        oid, table, name, method, unique, valid, keys, predicate = row[:8]
        where = f"{schema}.{table}: {name}"
        if not valid:
            others.add("invalid index", where)
            continue
        plain = method == "btree"
        found.setdefault(oid, []).append(
            Index(
                name=name,
                parts=tuple(_part(row, place, where, others) for place in range(keys)),
                unique=unique,
                where=None if predicate is None else strip_parentheses(predicate),
                method="" if plain else method,
                include=tuple(row[9][keys:]),
            )
        )
    return found


def _part(row: tuple[Any, ...], place: int, where: str, others: Others) -> IndexPart:
    method, column, definition = row[3], row[9][place], row[10][place]
    option, class_ = int(row[8].split()[place]), row[11][place]
    descending = bool(option & _DESCENDING)
    if bool(option & _NULLS_FIRST) != descending:
        others.add("index option", f"{where}: NULLS {'FIRST' if not descending else 'LAST'}")
    if class_ and method != "btree" and column is not None:
        return IndexPart(expression=f"{quote(column)} {class_}", descending=descending)
    if class_:
        others.add("index option", f"{where}: operator class {class_}")
    if column is None:
        return IndexPart(expression=strip_parentheses(definition), descending=descending)
    return IndexPart(column=column, descending=descending)
