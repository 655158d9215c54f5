"""Triggers, routines, events and sequences, as SHOW CREATE writes them; and who may do what."""

import re
from collections.abc import Iterator
from typing import Any, Final

from datamig_pipelines.catalog import Phase, SchemaObject, TableName
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.mysql.names import literal, quote

_NAME: Final = r"(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|[\w$.%-]+)"
_HEAD: Final = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:DEFINER\s*=\s*{_NAME}(?:@{_NAME})?\s+)?", re.IGNORECASE
)
"""Who defined a program is left out: that account need not exist in the target."""

_ENABLED: Final = re.compile(r"\bENABLE(?=\s+(?:COMMENT\s+'(?:[^'\\]|''|\\.)*'\s+)?DO\b)")
"""An event that ran in the source and in the target would act twice."""

_PROGRAMS: Final = """
SELECT 'trigger', trigger_name FROM information_schema.triggers WHERE trigger_schema = %s
UNION ALL
SELECT LOWER(routine_type), routine_name FROM information_schema.routines
WHERE routine_schema = %s AND routine_type IN ('PROCEDURE', 'FUNCTION')
UNION ALL SELECT 'event', event_name FROM information_schema.events WHERE event_schema = %s
ORDER BY 1, 2"""

_UNMOVED: Final = """
SELECT LOWER(routine_type), routine_name FROM information_schema.routines
WHERE routine_schema = %s AND routine_type NOT IN ('PROCEDURE', 'FUNCTION') ORDER BY 1, 2"""

_GRANTS: Final = """
SELECT CONCAT('`', REPLACE(table_name, '`', '``'), '`'), grantee, is_grantable,
  GROUP_CONCAT(privilege_type ORDER BY privilege_type SEPARATOR ', ')
FROM information_schema.table_privileges WHERE table_schema = %s GROUP BY 1, 2, 3
UNION ALL
SELECT '*', grantee, is_grantable,
  GROUP_CONCAT(privilege_type ORDER BY privilege_type SEPARATOR ', ')
FROM information_schema.schema_privileges WHERE REPLACE(table_schema, '\\\\_', '_') = %s
GROUP BY 1, 2, 3
UNION ALL
SELECT CONCAT('`', REPLACE(table_name, '`', '``'), '`'), grantee, is_grantable,
  GROUP_CONCAT(CONCAT(privilege_type, ' (`', REPLACE(column_name, '`', '``'), '`)')
    ORDER BY privilege_type, column_name SEPARATOR ', ')
FROM information_schema.column_privileges WHERE table_schema = %s GROUP BY 1, 2, 3
ORDER BY 2, 1"""

_ROLES: Final = "SELECT DISTINCT grantee FROM information_schema.user_privileges ORDER BY 1"


def read_objects(
    session: Queryable, database: str, sequences: list[str]
) -> tuple[list[SchemaObject], list[tuple[str, str]]]:
    """Return the objects, and what cannot be moved as (kind, name)."""
    found: list[SchemaObject] = [_sequence(session, name) for name in sequences]
    unread: list[tuple[str, str]] = []
    for kind, name in session.query(_PROGRAMS, (database,) * 3):
        mode, text = _shown(session, str(kind), str(name))
        if text:
            found.append(_program(str(kind), str(name), mode, text))
        else:
            unread.append((f"{kind} whose text this user may not read", str(name)))
    unread += [(str(k), str(n)) for k, n in session.query(_UNMOVED, (database,))]
    return [*found, *_grants(session, database)], unread


def read_roles(session: Queryable) -> tuple[str, ...]:
    """Return the accounts that this user may see, as ``'user'@'host'``."""
    return tuple(str(r) for (r,) in session.query(_ROLES))


def _shown(session: Queryable, kind: str, name: str) -> tuple[str, str]:
    """Return sql_mode and text, '' where it may not be read; an event has its zone between."""
    row: tuple[Any, ...] = session.query(f"SHOW CREATE {kind.upper()} {quote(name)}")[0]
    return str(row[1]), str(row[3 if kind == "event" else 2] or "")


def _program(kind: str, name: str, mode: str, text: str) -> SchemaObject:
    body = _HEAD.sub("CREATE /*M!OR REPLACE*/ ", text.strip(), count=1)
    if kind == "event":
        body = _ENABLED.sub("DISABLE", body, count=1)
    drop = f"DROP {kind.upper()} IF EXISTS {quote(name)}"
    # A trigger acts on rows that are loaded, an event on those that are there.
    phase = Phase.AFTER if kind in ("trigger", "event") else Phase.BEFORE
    before = (f"SET SESSION sql_mode = {literal(mode)}",)
    return SchemaObject(kind, TableName("", name), body, drop, phase, before=before)


def _sequence(session: Queryable, name: str) -> SchemaObject:
    text = str(session.query(f"SHOW CREATE SEQUENCE {quote(name)}")[0][1])
    create = re.sub(r"^CREATE SEQUENCE ", "CREATE SEQUENCE IF NOT EXISTS ", text)
    next_value = session.query(f"SELECT next_not_cached_value FROM {quote(name)}")[0][0]
    return SchemaObject(
        "sequence",
        TableName("", name),
        create.partition(" ENGINE")[0],
        f"DROP SEQUENCE IF EXISTS {quote(name)}",
        Phase.BEFORE,
        state=(f"SELECT SETVAL({quote(name)}, {int(next_value)}, 0)",),
        next_value=int(next_value),
    )


def _grants(session: Queryable, database: str) -> Iterator[SchemaObject]:
    own = str(session.query("SELECT CURRENT_USER()")[0][0])
    user, _, host = own.rpartition("@")
    for on, grantee, grantable, privileges in session.query(_GRANTS, (database,) * 3):
        if str(grantee) == f"'{user}'@'{host}'":
            continue
        option = " WITH GRANT OPTION" if grantable == "YES" else ""
        create = f"GRANT {privileges} ON {on} TO {grantee}{option}"
        what = TableName("", f"{privileges} on {on} to {grantee}")
        yield SchemaObject("grant", what, create, "", role=str(grantee))
