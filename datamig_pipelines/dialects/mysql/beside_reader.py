"""What no catalog of ours tells and a restore concerns: rights on routines, history."""

from collections.abc import Iterator
from typing import Final

from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.dumping import Beside
from datamig_pipelines.dialects.mysql.backup import keeps_history
from datamig_pipelines.dialects.mysql.names import quote
from datamig_pipelines.errors import DatamigError

_VERSIONED: Final = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() "
    "AND table_type = 'SYSTEM VERSIONED' ORDER BY 1"
)
_ROUTINES: Final = (
    "SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = DATABASE()"
)
_GRANTED: Final = (
    "SELECT routine_type, routine_name, user, host, proc_priv FROM mysql.procs_priv "
    "WHERE db = DATABASE() AND proc_priv <> '' ORDER BY 1, 2, 3, 4"
)


def read_beside(session: Queryable) -> Beside:
    """Return what a restore replaces besides the catalog's objects, and what it does not bring."""
    held, lost = [], []
    for name, count in _history(session):
        if keeps_history():
            held.append(("history of", f"{name} ({count})"))
        else:
            why = f"{count:,} rows of the past, which only mariadb-dump from 10.11 on keeps"
            lost.append((f"history of {name}", why))
    rights = routine_grants(session)
    if rights is None:
        routines = int(session.query(_ROUTINES)[0][0])
        why = f"those on {routines:,} routines go: this user may not read mysql.procs_priv"
        lost += [("rights on routines", why)] if routines else []
    held += [("grant", on.removeprefix("GRANT ")) for on in rights or ()]
    return Beside(tuple(held), tuple(lost))


def _history(session: Queryable) -> Iterator[tuple[str, int]]:
    """Yield each table that keeps its past, with the rows of it."""
    for (name,) in session.query(_VERSIONED):
        every = session.query(f"SELECT COUNT(*) FROM {quote(name)} FOR SYSTEM_TIME ALL")[0][0]
        yield (
            str(name),
            int(every) - int(session.query(f"SELECT COUNT(*) FROM {quote(name)}")[0][0]),
        )


def routine_grants(session: Queryable) -> list[str] | None:
    """Return the statements that give the rights on routines, which end with these; None: unknown.

    The grantee of an account without a name is written as the engine does: ``''@'host'``.
    """
    try:
        rows = session.query(_GRANTED)
    except DatamigError:
        return None
    return [_grant(*(str(cell) for cell in row)) for row in rows]


def _grant(kind: str, name: str, user: str, host: str, privileges: str) -> str:
    words = [p.upper() for p in privileges.split(",")]
    option = " WITH GRANT OPTION" if "GRANT" in words else ""
    given = ", ".join(p for p in words if p != "GRANT") or "USAGE"
    account = "'{}'@'{}'".format(*(part.replace("'", "''") for part in (user, host)))
    return f"GRANT {given} ON {kind} {quote(name)} TO {account}{option}"
