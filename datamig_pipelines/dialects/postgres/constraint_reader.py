"""Keys, references and checks."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from datamig_pipelines.catalog import Check, ForeignKey, Key, TableName
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.postgres.defaults import strip_parentheses
from datamig_pipelines.dialects.postgres.naming import qualified, quote
from datamig_pipelines.dialects.postgres.object_reader import Others

_ACTIONS: Final = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

_CONSTRAINTS: Final = """
SELECT k.conrelid, c.relname, k.conname, k.contype::text, k.convalidated, k.condeferrable,
  k.condeferred, k.confdeltype::text, k.confupdtype::text, k.confmatchtype::text,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(num, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place),
  fn.nspname, f.relname,
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(num, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place),
  CASE k.contype WHEN 'c' THEN pg_get_expr(k.conbin, k.conrelid)
    ELSE pg_get_constraintdef(k.oid) END,
  NOT EXISTS (SELECT FROM pg_trigger t
    WHERE t.tgconstraint = k.oid AND t.tgisinternal AND t.tgenabled IN ('D', 'R'))
  AND NOT EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
    WHERE d.datname = current_database() AND s.setrole = 0
      AND 'session_replication_role=replica' = ANY (s.setconfig))
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid AND NOT c.relispartition
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class f ON f.oid = k.confrelid
LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND k.conparentid = 0
  AND k.contype IN ('p', 'u', 'f', 'c', 'x')
ORDER BY k.conrelid, k.conname"""


@dataclass
class Constraints:
    """The constraints of one table."""

    primary_key: Key | None = None
    uniques: list[Key] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)


def read_constraints(session: Queryable, schema: str, others: Others) -> dict[int, Constraints]:
    """Return the constraints by table oid; what `Table` has no word for is told to ``others``."""
    found: dict[int, Constraints] = {}
    for row in session.query(_CONSTRAINTS, (schema,)):
        oid, table, name, kind = row[:4]
        held = found.setdefault(oid, Constraints())
        where = f"{schema}.{table}: {name}"
        match kind:
            case "p":
                held.primary_key = Key(name, tuple(row[10]))
                _tell_options(row, where, others)
            case "u":
                held.uniques.append(Key(name, tuple(row[10])))
                _tell_options(row, where, others)
            case "f":
                held.foreign_keys.append(_foreign_key(session, TableName(schema, table), row))
                if row[9] == "f":
                    others.add("foreign key MATCH FULL", where)
            case "c":
                _add_check(session, TableName(schema, table), row, held, others)
            case _:
                others.add("exclusion constraint", where)
    return found


def _tell_options(row: tuple[Any, ...], where: str, others: Others) -> None:
    definition = str(row[14])
    for option in ("NULLS NOT DISTINCT", "DEFERRABLE", "INCLUDE"):
        if f" {option}" in definition:
            others.add(f"{option.lower()} of a key", where)


def _foreign_key(session: Queryable, table: TableName, row: tuple[Any, ...]) -> ForeignKey:
    deferrable = "deferred" if row[6] else "deferrable" if row[5] else ""
    key = ForeignKey(
        name=row[2],
        columns=tuple(row[10]),
        target=TableName(row[11], row[12]),
        target_columns=tuple(row[13]),
        on_delete=_ACTIONS.get(row[7], ""),
        on_update=_ACTIONS.get(row[8], ""),
        deferrable=deferrable,
        validated=row[4],
        enforced=row[15],
    )
    if (row[4] and row[15]) or not _has_orphans(session, table, key):
        return key
    return replace(key, valid=False)


def _has_orphans(session: Queryable, table: TableName, key: ForeignKey) -> bool:
    """Say whether rows break a reference that was never validated, or is switched off."""
    pairs = list(zip(key.columns, key.target_columns, strict=True))
    on = " AND ".join(f"p.{quote(t)} = c.{quote(c)}" for c, t in pairs)
    filled = " AND ".join(f"c.{quote(c)} IS NOT NULL" for c in key.columns)
    orphan = (
        f"SELECT 1 FROM {qualified(table)} c WHERE {filled} AND NOT EXISTS "
        f"(SELECT FROM {qualified(key.target)} p WHERE {on}) LIMIT 1"
    )
    return bool(session.query(orphan))


def _add_check(
    session: Queryable,
    table: TableName,
    row: tuple[Any, ...],
    held: Constraints,
    others: Others,
) -> None:
    """Keep a check, unless it was never validated and rows of the table break it."""
    name, expression = row[2], strip_parentheses(row[14])
    breach = f"SELECT 1 FROM {qualified(table)} WHERE NOT ({expression}) LIMIT 1"
    if row[4] or not session.query(breach):
        held.checks.append(Check(name, expression, validated=row[4]))
    else:
        others.add("check that rows break", f"{table}: {name}")
