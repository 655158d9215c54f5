"""Views, and the names of everything that is no table."""

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Final

from datamig_pipelines.catalog import TableName, View
from datamig_pipelines.dialects.base import Queryable

_NOT_OF_AN_EXTENSION: Final = (
    "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{0}'::regclass "
    "AND e.objid = {1}.oid AND e.deptype = 'e')"
)

_VIEWS: Final = f"""
SELECT c.oid, c.relname, c.relkind = 'm', pg_get_viewdef(c.oid),
  coalesce(array_to_string(c.reloptions, ', '), ''),
  ARRAY(SELECT DISTINCT d.refobjid::bigint FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass
    WHERE r.ev_class = c.oid AND d.refobjid <> c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('v', 'm')
  AND {_NOT_OF_AN_EXTENSION.format("pg_class", "c")}
ORDER BY c.oid"""

_RELATIONS: Final = f"""
SELECT c.oid, CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
    ELSE 'partition in another schema than its table' END,
  format('%s.%s', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
  AND (c.relkind IN ('S', 'f') OR c.relispartition AND c.relkind IN ('r', 'p') AND EXISTS (
    SELECT FROM pg_inherits i JOIN pg_class r ON r.oid = i.inhparent
    WHERE i.inhrelid = c.oid AND r.relnamespace <> c.relnamespace))
  AND {_NOT_OF_AN_EXTENSION.format("pg_class", "c")} AND NOT EXISTS (
    SELECT FROM pg_depend i
    WHERE i.classid = 'pg_class'::regclass AND i.objid = c.oid AND i.deptype = 'i'
      AND c.relkind = 'S')
ORDER BY c.relname"""

_UNMOVED: Final = f"""
SELECT 'row security policy', format('%s.%s: %s', n.nspname, c.relname, p.polname)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s
UNION ALL
SELECT 'inheritance', format('%s.%s from %s', n.nspname, c.relname, i.inhparent::regclass)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND NOT c.relispartition
UNION ALL
SELECT 'aggregate with an order', format('%s.%s(%s)', n.nspname, p.proname,
  pg_get_function_identity_arguments(p.oid))
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND (a.aggkind <> 'n' OR a.aggsortop <> 0)
  AND {_NOT_OF_AN_EXTENSION.format("pg_proc", "p")}
UNION ALL
SELECT 'range type with a canonical function', format('%s.%s', n.nspname, t.typname)
FROM pg_type t JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %s AND r.rngcanonical::oid <> 0
  AND {_NOT_OF_AN_EXTENSION.format("pg_type", "t")}
UNION ALL
SELECT 'text search configuration', format('%s.%s', n.nspname, t.cfgname)
FROM pg_ts_config t JOIN pg_namespace n ON n.oid = t.cfgnamespace WHERE n.nspname = %s
UNION ALL
SELECT 'operator', format('%s.%s', n.nspname, o.oprname)
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE n.nspname = %s AND {_NOT_OF_AN_EXTENSION.format("pg_operator", "o")}
UNION ALL
SELECT 'collation', format('%s.%s', n.nspname, o.collname)
FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
WHERE n.nspname = %s AND {_NOT_OF_AN_EXTENSION.format("pg_collation", "o")}
UNION ALL SELECT 'event trigger', evtname::text FROM pg_event_trigger
UNION ALL SELECT 'publication', pubname::text FROM pg_publication
UNION ALL SELECT 'foreign server', srvname::text FROM pg_foreign_server"""


@dataclass
class Others:
    """What the plan has to mention; fed by every reader."""

    _found: list[tuple[str, str]] = field(default_factory=list)
    _filling: dict[int, tuple[str, int]] = field(default_factory=dict)
    _standalone: dict[int, str] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        """Keep one object, once."""
        if (kind, name) not in self._found:
            self._found.append((kind, name))

    def sequence(self, oid: int, name: str) -> None:
        """Count a column that a sequence fills."""
        self._filling[oid] = (name, self._filling.get(oid, (name, 0))[1] + 1)

    def relation(self, oid: int, kind: str, name: str) -> None:
        """Keep a relation; a sequence only if it turns out to fill no column."""
        if kind == "sequence":
            self._standalone[oid] = name
        else:
            self.add(kind, name)

    def standalone(self) -> set[int]:
        """Return the sequences seen so far that fill no column, by oid."""
        return self._standalone.keys() - self._filling.keys()

    def all(self) -> tuple[tuple[str, str], ...]:
        """Return everything but standalone sequences, sorted."""
        shared = [("shared sequence", n) for n, columns in self._filling.values() if columns > 1]
        return tuple(sorted({*self._found, *shared}))


def read_views(session: Queryable, schema: str) -> list[View]:
    """Return the views of a schema, each behind those that it reads from."""
    views: dict[int, View] = {}
    needs: dict[int, set[int]] = {}
    for oid, name, materialized, sql, options, used in session.query(_VIEWS, (schema,)):
        body = sql.strip().rstrip(";")
        views[oid] = View(TableName(schema, name), body, materialized, options)
        needs[oid] = set(used)
    sorter = TopologicalSorter({oid: used & views.keys() for oid, used in needs.items()})
    try:
        order = list(sorter.static_order())
    except CycleError:
        order = list(views)  # views that a rule made recursive: in the order of their making
    return [views[oid] for oid in order]


def read_others(session: Queryable, schema: str, others: Others) -> None:
    """Tell ``others`` of everything in a schema that no step moves, and of all sequences."""
    for oid, kind, name in session.query(_RELATIONS, (schema,)):
        others.relation(oid, kind, name)
    for kind, name in session.query(_UNMOVED, (schema,) * _UNMOVED.count("= %s")):
        others.add(kind, name)
