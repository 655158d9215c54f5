"""Objects that only PostgreSQL understands, in the words in which it writes them itself.

Every query runs under a ``search_path`` of the schema and ``public``, so that the names of what
lives there are printed bare and may move to another schema.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from datamig_pipelines.catalog import Phase, SchemaObject, TableName
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.postgres.grant_reader import read_grants

# What an extension made, and what a range type brings along, is made by them again.
_OWN: Final = (
    "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{0}'::regclass "
    "AND e.objid = {1}.oid AND e.deptype IN ('e', 'i'))"
)

_EXTENSIONS: Final = """
SELECT x.extname, format('%sCREATE EXTENSION IF NOT EXISTS %I%s',
    CASE WHEN moved THEN format('CREATE SCHEMA IF NOT EXISTS %I; ', n.nspname) ELSE '' END,
    x.extname, CASE WHEN moved THEN format(' WITH SCHEMA %I', n.nspname) ELSE '' END),
  format('DROP EXTENSION IF EXISTS %I', x.extname)
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
CROSS JOIN LATERAL (SELECT x.extrelocatable AND n.nspname <> 'public' AS moved) m
WHERE x.extname <> 'plpgsql' ORDER BY x.oid"""

_TYPES: Final = f"""
SELECT 'type', t.typname, format('CREATE TYPE %I AS ENUM (%s)', t.typname,
    (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
     FROM pg_enum e WHERE e.enumtypid = t.oid)), format('DROP TYPE IF EXISTS %I', t.typname), t.oid
FROM pg_type t
WHERE t.typnamespace = {{0}} AND t.typtype = 'e' AND {_OWN.format("pg_type", "t")}
UNION ALL
SELECT 'type', t.typname, format('CREATE TYPE %I AS (%s)', t.typname,
    (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
       ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)),
  format('DROP TYPE IF EXISTS %I', t.typname), t.oid
FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE t.typnamespace = {{0}} AND {_OWN.format("pg_type", "t")}
UNION ALL
SELECT 'type', t.typname, format('CREATE TYPE %I AS RANGE (subtype = %s%s)', t.typname,
    r.rngsubtype::regtype,
    CASE WHEN r.rngsubdiff::oid = 0 THEN '' ELSE format(', subtype_diff = %s', r.rngsubdiff) END),
  format('DROP TYPE IF EXISTS %I', t.typname), t.oid
FROM pg_type t JOIN pg_range r ON r.rngtypid = t.oid
WHERE t.typnamespace = {{0}} AND r.rngcanonical::oid = 0 AND {_OWN.format("pg_type", "t")}
UNION ALL
SELECT 'domain', t.typname, concat_ws(' ', format('CREATE DOMAIN %I AS %s', t.typname,
      format_type(t.typbasetype, t.typtypmod)),
    'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN 'NOT NULL' END,
    (SELECT string_agg(format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid, true)),
       ' ' ORDER BY k.conname)
     FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')),
  format('DROP DOMAIN IF EXISTS %I', t.typname), t.oid
FROM pg_type t
WHERE t.typnamespace = {{0}} AND t.typtype = 'd' AND {_OWN.format("pg_type", "t")}
ORDER BY 5"""

_SEQUENCES: Final = """
SELECT c.oid, c.relname, format('CREATE SEQUENCE IF NOT EXISTS %I AS %s INCREMENT BY %s '
    'MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s', c.relname, s.seqtypid::regtype,
    s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
    CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END),
  format('DROP SEQUENCE IF EXISTS %I', c.relname), format('%I', c.relname),
  format('%I.%I', n.nspname, c.relname), s.seqincrement
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relnamespace = {0} ORDER BY c.relname"""

_ROUTINES: Final = f"""
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
  format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
  pg_get_functiondef(p.oid), format(' %I.', n.nspname),
  format('DROP ROUTINE IF EXISTS %I(%s)', p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.pronamespace = {{0}} AND p.prokind IN ('f', 'p', 'w') AND {_OWN.format("pg_proc", "p")}
ORDER BY p.oid"""

_AGGREGATES: Final = f"""
SELECT 'aggregate', format('%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
  format('CREATE AGGREGATE %I(%s) (%s)', p.proname,
    coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'), concat_ws(', ',
    format('SFUNC = %s', a.aggtransfn), format('STYPE = %s', a.aggtranstype::regtype),
    'SSPACE = ' || nullif(a.aggtransspace, 0), 'FINALFUNC = ' || nullif(a.aggfinalfn::text, '-'),
    CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
    'COMBINEFUNC = ' || nullif(a.aggcombinefn::text, '-'),
    'SERIALFUNC = ' || nullif(a.aggserialfn::text, '-'),
    'DESERIALFUNC = ' || nullif(a.aggdeserialfn::text, '-'),
    'INITCOND = ' || quote_literal(a.agginitval),
    'MSFUNC = ' || nullif(a.aggmtransfn::text, '-'),
    'MINVFUNC = ' || nullif(a.aggminvtransfn::text, '-'),
    CASE WHEN a.aggmtranstype <> 0 THEN format('MSTYPE = %s', a.aggmtranstype::regtype) END,
    'MFINALFUNC = ' || nullif(a.aggmfinalfn::text, '-'),
    'MINITCOND = ' || quote_literal(a.aggminitval),
    'PARALLEL = ' || CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END)),
  format('DROP AGGREGATE IF EXISTS %I(%s)', p.proname,
    coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*'))
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
WHERE p.pronamespace = {{0}} AND a.aggkind = 'n' AND a.aggsortop = 0
  AND {_OWN.format("pg_proc", "p")}
ORDER BY p.oid"""

_PARTITIONS: Final = """
SELECT 'partition', c.relname, format('CREATE TABLE %I PARTITION OF %s %s%s', c.relname,
    i.inhparent::regclass, pg_get_expr(c.relpartbound, c.oid),
    coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '')), ''
FROM pg_class r CROSS JOIN LATERAL pg_partition_tree(r.oid) t
JOIN pg_class c ON c.oid = t.relid AND c.relispartition
JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE r.relnamespace = {0} AND r.relkind = 'p' AND NOT r.relispartition
  AND c.relnamespace = {0} AND c.relkind IN ('r', 'p')
ORDER BY r.relname, t.level, c.relname"""

_LATE: Final = """
SELECT 'constraint', format('%s on %s', k.conname, c.relname),
  format('ALTER TABLE %I ADD CONSTRAINT %I %s', c.relname, k.conname,
    pg_get_constraintdef(k.oid, true)),
  format('ALTER TABLE IF EXISTS %I DROP CONSTRAINT IF EXISTS %I', c.relname, k.conname)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid AND c.relispartition
WHERE c.relnamespace = {0} AND k.conislocal AND k.conparentid = 0
UNION ALL
SELECT 'index', format('%s on %s', x.relname, c.relname), pg_get_indexdef(x.oid, 0, true),
  format('DROP INDEX IF EXISTS %I', x.relname)
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = {0} AND (c.relkind = 'm' OR c.relispartition)
  AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = x.oid)
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype <> 'f')
UNION ALL
SELECT 'extended statistics', s.stxname, pg_get_statisticsobjdef(s.oid),
  format('DROP STATISTICS IF EXISTS %I', s.stxname)
FROM pg_statistic_ext s WHERE s.stxnamespace = {0}
UNION ALL
SELECT 'rule', format('%s on %s', r.rulename, c.relname), pg_get_ruledef(r.oid, true),
  format('DROP RULE IF EXISTS %I ON %I', r.rulename, c.relname)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = {0} AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'trigger', format('%s on %s', t.tgname, c.relname), pg_get_triggerdef(t.oid, true) ||
  CASE t.tgenabled WHEN 'O' THEN '' ELSE format('; ALTER TABLE %I %s TRIGGER %I', c.relname,
    CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS'
      ELSE 'ENABLE REPLICA' END, t.tgname) END,
  format('DROP TRIGGER IF EXISTS %I ON %I', t.tgname, c.relname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = {0} AND NOT t.tgisinternal
  AND NOT (c.relispartition AND EXISTS (SELECT FROM pg_depend d
    WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.deptype IN ('P', 'S', 'I')))
ORDER BY 1, 2"""

_WORDS: Final = """CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'INDEX' END"""

_COMMENTS: Final = f"""
SELECT target, format('COMMENT ON %s IS %L', target, description) FROM (
  SELECT CASE d.objsubid WHEN 0 THEN format('%s %I', {_WORDS}, c.relname)
      ELSE format('COLUMN %I.%I', c.relname, a.attname) END AS target, d.description
  FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
  WHERE c.relnamespace = {{0}} AND c.relkind IN ('v', 'm', 'S', 'c', 'i', 'I')
  UNION ALL
  SELECT format('%s %I(%s)', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE'
    ELSE 'FUNCTION' END, p.proname, pg_get_function_identity_arguments(p.oid)), d.description
  FROM pg_description d JOIN pg_proc p ON p.oid = d.objoid AND d.classoid = 'pg_proc'::regclass
  WHERE p.pronamespace = {{0}} AND {_OWN.format("pg_proc", "p")}
  UNION ALL
  SELECT format('%s %I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.typname),
    d.description
  FROM pg_description d JOIN pg_type t ON t.oid = d.objoid AND d.classoid = 'pg_type'::regclass
  WHERE t.typnamespace = {{0}} AND {_OWN.format("pg_type", "t")}
  UNION ALL
  SELECT format('CONSTRAINT %I ON %I', k.conname, c.relname), d.description
  FROM pg_description d
  JOIN pg_constraint k ON k.oid = d.objoid AND d.classoid = 'pg_constraint'::regclass
  JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = {{0}}
  UNION ALL
  SELECT format('TRIGGER %I ON %I', t.tgname, c.relname), d.description
  FROM pg_description d
  JOIN pg_trigger t ON t.oid = d.objoid AND d.classoid = 'pg_trigger'::regclass
  JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = {{0}}
  UNION ALL
  SELECT format('SCHEMA %I', n.nspname), d.description
  FROM pg_description d JOIN pg_namespace n ON n.oid = d.objoid
    AND d.classoid = 'pg_namespace'::regclass
  WHERE n.oid = {{0}} AND n.nspname <> 'public'
) found ORDER BY 1"""


def read_extensions(session: Queryable) -> list[SchemaObject]:
    """Return the extensions of the database."""
    return [
        SchemaObject("extension", TableName("", name), create, drop, Phase.BEFORE)
        for name, create, drop in session.query(_EXTENSIONS)
    ]


def read_objects(session: Queryable, schema: str, sequences: set[int]) -> list[SchemaObject]:
    """Return what a schema holds besides tables and views; of the sequences, those named by oid."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        name = "'" + schema.replace("'", "''") + "'"
        return session.query(
            sql.replace("{0}", f"(SELECT oid FROM pg_namespace WHERE nspname = {name})")
        )

    def made(found: Iterable[tuple[Any, ...]], phase: Phase) -> Iterator[SchemaObject]:
        for kind, name, create, drop in found:
            yield SchemaObject(kind, TableName(schema, name), create, drop, phase)

    types = (row[:4] for row in rows(_TYPES))
    routines = (
        (kind, name, create.replace(qualifier, " ", 1).rstrip(), drop)
        for kind, name, create, qualifier, drop in rows(_ROUTINES)
    )
    return [
        *made(types, Phase.BEFORE),
        *(_sequence(session, schema, r) for r in rows(_SEQUENCES) if r[0] in sequences),
        *made(routines, Phase.BEFORE),
        *made(rows(_AGGREGATES), Phase.BEFORE),
        *made(rows(_PARTITIONS), Phase.TABLES),
        *made(
            ((k, n, _bare(schema, c), d) for k, n, c, d in rows(_LATE)),
            Phase.AFTER,
        ),
        *(
            SchemaObject("comment", TableName(schema, f"on {target}"), create, "")
            for target, create in rows(_COMMENTS)
        ),
        *read_grants(session, schema),
    ]


def _bare(schema: str, create: str) -> str:
    """Return CREATE STATISTICS without its schema, which PostgreSQL always writes."""
    quoted = '"' + schema.replace('"', '""') + '"'
    for spelt in (schema, quoted):
        create = create.replace(f"CREATE STATISTICS {spelt}.", "CREATE STATISTICS ", 1)
    return create


def _sequence(session: Queryable, schema: str, row: tuple[Any, ...]) -> SchemaObject:
    _, name, create, drop, bare, qualified, increment = row
    last, called = session.query(f"SELECT last_value, is_called FROM {qualified}")[0]
    text = bare.replace("'", "''")
    state = f"SELECT setval('{text}', {last}, {'true' if called else 'false'})"
    return SchemaObject(
        "sequence",
        TableName(schema, name),
        create,
        drop,
        Phase.BEFORE,
        state=(state,),
        next_value=int(last) + (int(increment) if called else 0),
    )
