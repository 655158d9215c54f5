"""Tells a ledger of which somebody dropped or changed tables from one that is whole."""

from contextlib import suppress

from datamig_pipelines.catalog import Column, Table
from datamig_pipelines.errors import EngineError, LedgerDamagedError, LedgerOutdatedError
from datamig_pipelines.ledger.tables import ledger_name, ledger_tables
from datamig_pipelines.session import Session

_WAY_BACK = ("run", "step")
_SHARDS = ("shard", "snapshot")
_WORK = ("batch", "loaded", "reject", "proof")


def refuse_outdated(session: Session) -> None:
    """Raise LedgerOutdatedError if version 0.1.0 made the ledger, which knew no shards."""
    # These two tables are made before that of the batches: only an old ledger lacks both.
    if all(_gone(session, (name,)) for name in _SHARDS) and not _gone(session, ("batch",)):
        msg = "the ledger in the target was made by an older version of datamig_pipelines"
        hint = (
            "Finish or roll back its migrations with that version, then drop the ledger's tables "
            f"({ledger_name(session.dialect, 'run')}, …)."
        )
        raise LedgerOutdatedError(msg, hint=hint)


def refuse_gaps(session: Session) -> None:
    """Raise LedgerDamagedError if a ledger lacks what runs have written: they would be made anew.

    Nothing would be known then of rows that are loaded, and they would be loaded twice.
    """
    if gone := _gone(session, _WORK):
        raise damaged(session, gone)


def explained(session: Session, error: EngineError) -> EngineError | LedgerDamagedError:
    """Return what a refused statement about the ledger means; itself where nothing is gone."""
    with suppress(EngineError):  # inside a transaction that has failed nothing can be asked
        if gone := _gone(session, (*_WAY_BACK, *_WORK, "snapshot", "shard")):
            return damaged(session, gone)
        if lacking := _lacking(session):
            return altered(session, lacking)
    return error


def altered(session: Session, lacking: list[tuple[Table, Column]]) -> LedgerDamagedError:
    """Return the error for columns that are gone, with the statements that bring them back."""
    names = ", ".join(f"{table.name}.{column.name}" for table, column in lacking)
    adding = "; ".join(session.dialect.add_column(t.name, column) for t, column in lacking)
    hint = (
        "Bring them back with their values from a copy of the target, or empty, if nothing of "
        f"what they held is missed: `{adding}`. Then do the same again."
    )
    return LedgerDamagedError(f"the ledger in the target has lost the columns {names}", hint=hint)


def damaged(session: Session, gone: list[str]) -> LedgerDamagedError:
    """Return the error for tables that are gone, with the way out that is left."""
    dialect = session.dialect
    names = ", ".join(str(ledger_name(dialect, name)) for name in gone)
    hint = "Take the migration back (`datamig rollback`), then run it again."
    if {*gone} & {*_WAY_BACK}:
        hint = (
            "Nobody knows what the run made: bring them back from a copy of the target, or drop "
            "its tables and the ledger's yourself."
        )
    return LedgerDamagedError(f"the ledger in the target has lost {names}", hint=hint)


def _lacking(session: Session) -> list[tuple[Table, Column]]:
    found = []
    for table in ledger_tables(session.dialect):
        there = session.dialect.column_names(session, table.name)
        found += [(table, c) for c in table.columns if there and c.name not in there]
    return found


def _gone(session: Session, names: tuple[str, ...]) -> list[str]:
    dialect = session.dialect
    return [n for n in names if not dialect.has_table(session, ledger_name(dialect, n))]
