"""What a killed run made and could not enter into the ledger any more.

CREATE commits by itself, before the ledger entry of its unit can. A run that is killed between the
two would find its own table as a stranger's. So each CREATE is preceded by a note of what is about
to be made (`intend`), and whoever takes the lock next enters what is there and was noted (`adopt`).
"""

from typing import Any, Final

from datamig_pipelines.dialects.mysql.driver import query
from datamig_pipelines.dialects.mysql.names import literal, quote
from datamig_pipelines.dialects.statement import Statement

_NOTES: Final = "datamig_intent"
_PROGRAMS: Final = ("procedure", "function", "trigger", "event", "sequence")
_WITHIN_S: Final = 120
"""A table that was made later than this after its note was made by somebody else."""

_OPEN: Final = f"""
SELECT r.run_id, i.unit, i.made_at FROM {_NOTES} i
JOIN (SELECT run_id FROM datamig_run WHERE status = 'running' ORDER BY started_at DESC LIMIT 1) r
WHERE NOT EXISTS (
  SELECT 1 FROM datamig_step s WHERE s.run_id = r.run_id AND s.step = i.unit AND s.status = 'done'
)"""


def intend(unit: str, what: str) -> list[Statement]:
    """Return the statements that note, before it is made, what a unit of a step makes."""
    return [
        Statement(
            f"CREATE TABLE IF NOT EXISTS {_NOTES} "
            "(unit varchar(255) COLLATE utf8mb4_bin PRIMARY KEY, made_at datetime NOT NULL)",
            purpose="notes of what is about to be made",
        ),
        Statement(
            f"REPLACE INTO {_NOTES} VALUES ({literal(unit)}, CURRENT_TIMESTAMP)",
            purpose=f"note that {what} is about to be made",
        ),
    ]


def adopt(connection: Any) -> None:
    """Enter into the ledger what an unfinished run noted and made, but did not enter.

    The caller holds the lock of the target, so that nobody is making anything now.
    """
    there = query(
        connection,
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() "
        "AND table_name IN (%s, 'datamig_run', 'datamig_step')",
        (_NOTES,),
    )
    if there[0][0] != 3:
        return
    for run_id, unit, made_at in query(connection, _OPEN, ()):
        kind, _, name = str(unit).partition(":")
        name = name.removeprefix("view ")
        if kind == "objects":
            _take_back(connection, name)
            continue
        made = _is_our_table if kind == "schema" else _is_view
        if made(connection, name, made_at):
            query(
                connection,
                "REPLACE INTO datamig_step (run_id, step, status, started_at, finished_at, detail) "
                "VALUES (%s, %s, 'done', %s, %s, 'made before the run was killed')",
                (run_id, unit, str(made_at), str(made_at)),
            )


def _take_back(connection: Any, called: str) -> None:
    """Remove a program that was noted and may be there: it is made again as a whole.

    A sequence could be there without having been set. Nobody else's was there: a plan makes no
    object whose name is taken.
    """
    word, _, name = called.partition(" ")
    if word in _PROGRAMS:
        query(connection, f"DROP {word.upper()} IF EXISTS {quote(name)}", ())


def _is_our_table(connection: Any, name: str, made_at: object) -> bool:
    """Say whether a table is there that was made just after its note, and has no row yet."""
    found = query(
        connection,
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() "
        "AND table_name = %s AND table_type = 'BASE TABLE' "
        "AND TIMESTAMPDIFF(SECOND, %s, create_time) BETWEEN -1 AND %s",
        (name, made_at, _WITHIN_S),
    )
    return bool(found[0][0]) and not query(connection, f"SELECT 1 FROM {quote(name)} LIMIT 1", ())


def _is_view(connection: Any, name: str, _: object) -> bool:
    found = query(
        connection,
        "SELECT COUNT(*) FROM information_schema.views WHERE table_schema = DATABASE() "
        "AND table_name = %s",
        (name,),
    )
    return bool(found[0][0])
