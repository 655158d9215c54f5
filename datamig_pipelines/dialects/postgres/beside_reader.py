"""What no catalog of ours tells and a restore concerns: schemas, rights, large objects."""

from typing import Final

from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.dumping import Beside

_NO_MEMBER: Final = (
    "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{0}'::regclass "
    "AND e.objid = x.oid AND e.deptype IN ('e', 'i'))"
)
_OURS: Final = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'datamig')"
_IN_SCHEMAS: Final = {
    "conversion": ("pg_conversion", "conname", "connamespace"),
    "operator class": ("pg_opclass", "opcname", "opcnamespace"),
    "operator family": ("pg_opfamily", "opfname", "opfnamespace"),
    "text search dictionary": ("pg_ts_dict", "dictname", "dictnamespace"),
    "text search parser": ("pg_ts_parser", "prsname", "prsnamespace"),
    "text search template": ("pg_ts_template", "tmplname", "tmplnamespace"),
}
_ANYWHERE: Final = {
    "cast": ("pg_cast", "format('%s as %s', x.castsource::regtype, x.casttarget::regtype)"),
    "access method": ("pg_am", "x.amname"),
    "language": ("pg_language", "x.lanname"),
    "foreign data wrapper": ("pg_foreign_data_wrapper", "x.fdwname"),
}
_FIRST_OF_USERS: Final = 16384
_GRANTEE: Final = "coalesce(g.rolname, 'PUBLIC')"
_PARTS: Final = [
    f"SELECT '{kind}', format('%s.%s', n.nspname, x.{name}) FROM {table} x "
    f"JOIN pg_namespace n ON n.oid = x.{schema} WHERE {_OURS} AND {_NO_MEMBER.format(table)}"
    for kind, (table, name, schema) in _IN_SCHEMAS.items()
] + [
    f"SELECT '{kind}', {name} FROM {table} x WHERE x.oid >= {_FIRST_OF_USERS} "
    f"AND {_NO_MEMBER.format(table)}"
    for kind, (table, name) in _ANYWHERE.items()
]
_SCHEMAS: Final = f"""
SELECT 'schema', n.nspname FROM pg_namespace n WHERE {_OURS} AND n.nspname <> 'public'
  AND {_NO_MEMBER.format("pg_namespace").replace("x.oid", "n.oid")}
UNION ALL
SELECT 'user mapping', format('%s on %s', usename, srvname) FROM pg_user_mappings
UNION ALL
SELECT 'default privileges', format('%s on %s of %s%s to %s',
  string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
  CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
    WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,
  pg_get_userbyid(d.defaclrole), coalesce(' in ' || n.nspname, ''), {_GRANTEE})
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE a.grantee <> d.defaclrole
GROUP BY d.oid, d.defaclobjtype, d.defaclrole, n.nspname, g.rolname
UNION ALL
SELECT 'grant', format('%s on SCHEMA %s to %s',
  string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), n.nspname, {_GRANTEE})
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
LEFT JOIN pg_roles g ON g.oid = a.grantee
WHERE {_OURS} AND a.grantee <> n.nspowner GROUP BY n.nspname, g.rolname"""
_HELD: Final = " UNION ALL ".join([*_PARTS, _SCHEMAS])
_LARGE: Final = "SELECT count(*), coalesce(sum(hashtextextended(oid::text, 0)), 0) FROM {0}"
_PAGES: Final = (
    "SELECT coalesce(sum(hashtextextended(loid || ' ' || pageno || ' ' || "
    "encode(btrim('\\x01'::bytea || data, '\\x00'::bytea), 'hex'), 0)), 0) FROM pg_largeobject "
    "WHERE btrim(data, '\\x00'::bytea) <> ''::bytea"
)
"""Pages of zeros and zeros at a page's end may be there or not: they are read as zeros."""
_RIGHTS: Final = (
    "SELECT count(*) FROM (SELECT relowner AS owner, relacl AS acl, relnamespace AS schema "
    "FROM pg_class UNION ALL SELECT proowner, proacl, pronamespace FROM pg_proc UNION ALL "
    "SELECT nspowner, nspacl, oid FROM pg_namespace WHERE nspname <> 'public') x "
    "JOIN pg_namespace n ON n.oid = x.schema "
    "CROSS JOIN LATERAL aclexplode(x.acl) a WHERE a.grantee <> x.owner AND "
    f"{_OURS}"
)
_SUBSCRIBED: Final = (
    "SELECT s.subname, count(r.srrelid) "
    "FROM (SELECT DISTINCT subid, subname FROM pg_stat_subscription) s "
    "JOIN pg_subscription_rel r ON r.srsubid = s.subid GROUP BY 1 ORDER BY 1"
)


def read_beside(session: Queryable) -> Beside:
    """Return what a restore replaces besides the catalog's objects, and what it does not bring."""
    held = [(str(kind), str(name)) for kind, name in session.query(_HELD)]
    return Beside((*held, *_large_objects(session)), tuple(_lost(session)))


def _large_objects(session: Queryable) -> list[tuple[str, str]]:
    """Return how many there are, with a digest of what may be read of them."""
    count, digest = session.query(_LARGE.format("pg_largeobject_metadata"))[0]
    if not count:
        return []
    if session.query("SELECT has_table_privilege('pg_largeobject', 'SELECT')")[0][0]:
        digest = f"{digest} {session.query(_PAGES)[0][0]}"
    return [("large objects", f"({count}: {digest})")]


def _lost(session: Queryable) -> list[tuple[str, str]]:
    lost = []
    superuser = session.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0][0]
    rights = 0 if superuser else int(session.query(_RIGHTS)[0][0])
    if rights:
        why = f"{rights:,} rights are not given again: only a superuser's restore does"
        lost.append(("owners and grants", why))
    for name, tables in session.query(_SUBSCRIBED):
        why = f"fills {tables:,} tables no more until ALTER SUBSCRIPTION … REFRESH PUBLICATION"
        lost.append((f"subscription {name}", why))
    return lost
