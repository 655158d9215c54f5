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
  ARRAY(SELECT DISTINCT d.refobjid::bigint FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_class'::regclass
    WHERE r.ev_class = c.oid AND d.refobjid <> c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('v', 'm')
  AND {_NOT_OF_AN_EXTENSION.format("pg_class", "c")}
ORDER BY c.oid"""

_EXTENSIONS: Final = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname"

_RELATIONS: Final = f"""
SELECT c.oid, CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
    WHEN 'c' THEN 'composite type' ELSE 'partition' END,
  format('%s.%s', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
  AND (c.relkind IN ('S', 'f', 'c') OR c.relispartition AND c.relkind IN ('r', 'p'))
  AND {_NOT_OF_AN_EXTENSION.format("pg_class", "c")} AND NOT EXISTS (
    SELECT FROM pg_depend i
    WHERE i.classid = 'pg_class'::regclass AND i.objid = c.oid AND i.deptype = 'i'
      AND c.relkind = 'S')
ORDER BY c.relname"""

_ON_TABLES: Final = """
SELECT 'trigger', format('%s.%s: %s', n.nspname, c.relname, t.tgname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT t.tgisinternal AND NOT c.relispartition
UNION ALL
SELECT 'rule', format('%s.%s: %s', n.nspname, c.relname, r.rulename)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'row security policy', format('%s.%s: %s', n.nspname, c.relname, p.polname)
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s
UNION ALL
SELECT DISTINCT 'grant', format('%s.%s to %s', n.nspname, c.relname,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm') AND a.grantee <> c.relowner
UNION ALL
SELECT 'inheritance', format('%s.%s from %s', n.nspname, c.relname, i.inhparent::regclass)
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND NOT c.relispartition
UNION ALL
SELECT 'index of a materialized view', format('%s.%s: %s', n.nspname, c.relname, x.relname)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relkind = 'm'
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s"""

_ROUTINES: Final = f"""
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END,
  format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND {_NOT_OF_AN_EXTENSION.format("pg_proc", "p")}
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'range type' END,
  format('%s.%s', n.nspname, t.typname)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %s AND t.typtype IN ('d', 'r')
  AND {_NOT_OF_AN_EXTENSION.format("pg_type", "t")}"""


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

    def all(self) -> tuple[tuple[str, str], ...]:
        """Return everything, sorted."""
        free = [("sequence", n) for oid, n in self._standalone.items() if oid not in self._filling]
        shared = [("shared sequence", n) for n, columns in self._filling.values() if columns > 1]
        return tuple(sorted({*self._found, *free, *shared}))


def read_views(session: Queryable, schema: str) -> list[View]:
    """Return the views of a schema, each behind those that it reads from."""
    views: dict[int, View] = {}
    needs: dict[int, set[int]] = {}
    for oid, name, materialized, sql, used in session.query(_VIEWS, (schema,)):
        views[oid] = View(TableName(schema, name), sql.strip().rstrip(";"), materialized)
        needs[oid] = set(used)
    sorter = TopologicalSorter({oid: used & views.keys() for oid, used in needs.items()})
    try:
        order = list(sorter.static_order())
    except CycleError:
        order = list(views)  # views that a rule made recursive: in the order of their making
    return [views[oid] for oid in order]


def read_others(session: Queryable, schema: str, others: Others) -> None:
    """Tell ``others`` of everything in a schema that is neither table nor view."""
    for (extension,) in session.query(_EXTENSIONS):
        others.add("extension", extension)
    for oid, kind, name in session.query(_RELATIONS, (schema,)):
        others.relation(oid, kind, name)
    for sql in (_ON_TABLES, _ROUTINES):
        for kind, name in session.query(sql, (schema,) * sql.count("= %s")):
            others.add(kind, name)
