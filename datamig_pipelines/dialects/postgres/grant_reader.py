"""Who may do what, and who owns what, besides the one who reads."""

from typing import Final

from datamig_pipelines.catalog import SchemaObject, TableName
from datamig_pipelines.dialects.base import Queryable

_GRANTED: Final = """
WITH things AS (
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'm' THEN 'MATERIALIZED VIEW'
      WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS word,
    CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS grantable,
    format('%I', c.relname) AS name, c.relowner AS owner, c.relacl AS acl
  FROM pg_class c WHERE c.relnamespace = {0} AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass
      AND e.objid = c.oid AND e.deptype IN ('e', 'i') OR e.classid = 'pg_class'::regclass
      AND e.objid = c.oid AND e.deptype = 'a' AND c.relkind = 'S')
    -- a counter that fills a column becomes the column's own, which needs no right
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_attrdef'::regclass
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND c.relkind = 'S')
  UNION ALL
  SELECT 'ROUTINE', 'ROUTINE', format('%I(%s)', p.proname,
    pg_get_function_identity_arguments(p.oid)), p.proowner, p.proacl
  FROM pg_proc p WHERE p.pronamespace = {0} AND p.prokind <> 'a'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass
      AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
)
SELECT 'grant', format('%s on %s %s to %s', string_agg(a.privilege_type, ', ' ORDER BY 1), t.word,
    t.name, coalesce(g.rolname, 'PUBLIC')),
  format('GRANT %s ON %s %s TO %s%s', string_agg(a.privilege_type, ', ' ORDER BY 1), t.grantable,
    t.name, coalesce(quote_ident(g.rolname), 'PUBLIC'),
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), coalesce(g.rolname, '')
FROM things t CROSS JOIN LATERAL aclexplode(t.acl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE a.grantee <> t.owner GROUP BY t.word, t.grantable, t.name, g.rolname, a.is_grantable
UNION ALL
SELECT 'grant', format('nothing on ROUTINE %s to PUBLIC', t.name),
  format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', t.name), ''
FROM things t WHERE t.word = 'ROUTINE' AND t.acl IS NOT NULL
  AND NOT EXISTS (SELECT FROM aclexplode(t.acl) a WHERE a.grantee = 0)
UNION ALL
SELECT 'owner', format('%s of %s %s', o.rolname, t.word, t.name),
  format('ALTER %s %s OWNER TO %I', t.word, t.name, o.rolname), o.rolname
FROM things t JOIN pg_roles o ON o.oid = t.owner WHERE o.rolname <> current_user
ORDER BY 1, 2"""


def read_grants(session: Queryable, schema: str) -> list[SchemaObject]:
    """Return grants to others than the owner, and owners other than the user who reads."""
    name = "'" + schema.replace("'", "''") + "'"
    oid = f"(SELECT oid FROM pg_namespace WHERE nspname = {name})"
    return [
        SchemaObject(kind, TableName(schema, what), create, "", role=role)
        for kind, what, create, role in session.query(_GRANTED.replace("{0}", oid))
    ]


def read_roles(session: Queryable) -> tuple[str, ...]:
    """Return the names of all roles."""
    return tuple(str(r) for (r,) in session.query("SELECT rolname FROM pg_roles ORDER BY 1"))
