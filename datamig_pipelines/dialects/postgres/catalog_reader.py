"""The catalog: schemas and their tables. Columns, keys and the rest have files of their own."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from datamig_pipelines.catalog import Catalog, Column, Table, TableName, View
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.postgres import driver
from datamig_pipelines.dialects.postgres.column_reader import Counters, read_columns
from datamig_pipelines.dialects.postgres.constraint_reader import Constraints, read_constraints
from datamig_pipelines.dialects.postgres.definition_reader import read_extensions, read_objects
from datamig_pipelines.dialects.postgres.grant_reader import read_roles
from datamig_pipelines.dialects.postgres.index_reader import read_indexes
from datamig_pipelines.dialects.postgres.naming import literal, qualified
from datamig_pipelines.dialects.postgres.object_reader import Others, read_others, read_views
from datamig_pipelines.dialects.postgres.type_reader import read_types
from datamig_pipelines.dialects.postgres.types import EXTENSION_OF

if TYPE_CHECKING:
    from psycopg import Connection

_OWN_SCHEMA: Final = "datamig"
_SMALL_BYTES: Final = 1000 * 8192  # below that many pages a count costs next to nothing

_SCHEMAS: Final = """
SELECT nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'datamig') ORDER BY nspname"""

_TYPE_NAMES: Final = """
SELECT t.typname FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE coalesce(c.relkind, 'c') = 'c' AND t.typtype <> 'p' AND t.typcategory <> 'A'"""

_TABLES: Final = r"""
SELECT c.oid, c.relname, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''),
  leaf.bytes, leaf.rows, has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
  CASE WHEN EXISTS (SELECT FROM pg_partition_tree(c.oid) p JOIN pg_class k ON k.oid = p.relid
    WHERE k.relnamespace <> c.relnamespace OR k.relkind = 'f') THEN ''
    ELSE coalesce(pg_get_partkeydef(c.oid), '') END, c.relpersistence = 'u'
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT coalesce(sum(pg_relation_size(k.oid)), 0)::bigint AS bytes,
    CASE WHEN bool_and(k.reltuples > 0 OR k.relpages > 0) THEN sum(k.reltuples)::bigint END AS rows
  FROM pg_class k
  WHERE k.oid = c.oid AND c.relkind = 'r' OR c.relkind = 'p' AND k.oid IN (
    SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf AND relid <> c.oid)
) leaf
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relpersistence <> 't' AND NOT EXISTS (
    SELECT FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname"""


def read_catalog(session: Queryable, schema: str) -> Catalog:
    """Read the tables, views and other objects of ``schema``.

    Args:
        session: Any session of the database; its ``search_path`` is put back at the end.
        schema: One name, several with commas between, ``*`` for all, '' for ``public``.
    """
    version, path = session.query(
        "SELECT current_setting('server_version'), current_setting('search_path')"
    )[0]
    tables: list[Table] = []
    views: list[View] = []
    others = Others()
    objects = read_extensions(session)
    for name in _schemas(session, schema):
        # Names of this schema are then printed bare, so that they may move to another one.
        _search(session, f'"{name.replace(chr(34), chr(34) * 2)}", public')
        tables += _read_tables(session, name, others)
        views += read_views(session, name)
        read_others(session, name, others)
        objects += read_objects(session, name, others.standalone())
    _search(session, str(path))
    types = {str(t) for (t,) in session.query(_TYPE_NAMES)} | EXTENSION_OF.keys()
    return Catalog(
        "postgresql",
        str(version),
        tuple(tables),
        tuple(views),
        others.all(),
        types=tuple(sorted(types)),
        objects=tuple(objects),
        roles=read_roles(session),
    )


def has_heirs(connection: "Connection[tuple[Any, ...]]", table: TableName) -> bool:
    """Say whether other tables inherit from this one; partitions do not count."""
    sql = (
        "SELECT 1 FROM pg_class c JOIN pg_inherits i ON i.inhparent = c.oid "
        f"WHERE c.relkind = 'r' AND c.oid = to_regclass({literal(qualified(table))}) LIMIT 1"
    )
    return bool(driver.query(connection, sql, ()))


def _search(session: Queryable, path: str) -> None:
    session.query("SELECT set_config('search_path', %s, false)", (path,))


def _schemas(session: Queryable, schema: str) -> list[str]:
    if schema == "*":
        return [str(name) for (name,) in session.query(_SCHEMAS)]
    named = [part.strip() for part in schema.split(",") if part.strip()]
    return [name for name in named or ["public"] if name != _OWN_SCHEMA]


def _read_tables(session: Queryable, schema: str, others: Others) -> Iterable[Table]:
    types = read_types(session, schema)
    columns, counters = read_columns(session, schema, types, others)
    constraints = read_constraints(session, schema, others)
    indexes = read_indexes(session, schema, others)
    for row in session.query(_TABLES, (schema,)):
        oid, name, kind, comment, size, estimate, may_read, partition_by, unlogged = row
        table = TableName(schema, name)
        held = constraints.get(oid, Constraints())
        its_columns = columns.get(oid, ())
        own_rows = ("" if kind == "p" else "ONLY ") + qualified(table)
        yield Table(
            name=table,
            columns=its_columns,
            primary_key=held.primary_key,
            uniques=tuple(held.uniques),
            foreign_keys=tuple(held.foreign_keys),
            indexes=tuple(indexes.get(oid, ())),
            checks=tuple(held.checks) + types.domain_checks(oid, its_columns),
            counters=_next_values(session, its_columns, counters.get(oid, {})),
            rows=_rows(session, own_rows, size, estimate if may_read or estimate else 0),
            bytes=size,
            comment=comment,
            kind="partitioned" if kind == "p" else "table",
            partition_by=partition_by,
            unlogged=unlogged,
        )


def _rows(session: Queryable, name: str, size: int, estimate: int | None) -> int:
    """Return ANALYZE's estimate; without one a count, or a guess where a count is dear."""
    if estimate is not None:
        return int(estimate)
    if size < _SMALL_BYTES:
        return int(session.query(f"SELECT count(*) FROM {name}")[0][0])
    plan = session.query(f"EXPLAIN (FORMAT json) SELECT 1 FROM {name}")[0][0]
    return int(plan[0]["Plan"]["Plan Rows"])


def _next_values(
    session: Queryable, columns: tuple[Column, ...], sequences: Counters
) -> tuple[tuple[str, int], ...]:
    """Return the next value of each counting column."""
    values = []
    for column in columns:
        if column.identity and column.name in sequences:
            sequence, increment = sequences[column.name]
            last, called = session.query(f"SELECT last_value, is_called FROM {sequence}")[0]
            values.append((column.name, int(last) + (increment if called else 0)))
    return tuple(values)
