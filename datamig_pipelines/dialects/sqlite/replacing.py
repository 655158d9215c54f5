"""Puts a backup in the place of what is in a file, in one transaction; our ledger stays."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName, is_ledger
from datamig_pipelines.dialects.sqlite.backup import copy
from datamig_pipelines.dialects.sqlite.driver import SIDE_FILES, connect, path_of, translate
from datamig_pipelines.errors import RestoreError


def replace(url: URL, files: Sequence[Path]) -> None:
    """Give a copy of the backup today's ledger, then copy it over the target.

    The copy over the target is one transaction: a process that dies in it leaves a journal, from
    which the next reader puts back what was there.

    Raises:
        RestoreError: It was refused; what was there before is there.
    """
    path = path_of(url)
    prepared = path.with_name(f"{path.name}.datamig-restore")
    _remove(prepared)
    try:
        copy(url.set(database=str(files[0])), url.set(database=str(prepared)))
        with closing(connect(url.set(database=str(prepared)), readonly=False)) as connection:
            _bring_ledger(connection, path)
        copy(url.set(database=str(prepared)), url)
    except (sqlite3.Error, OSError) as error:
        meaning = translate(error)
        msg = f"the restore was refused: {meaning.message}"
        raise RestoreError(msg, hint=f"Nothing was changed. {meaning.hint}") from error
    finally:
        _remove(prepared)


def _bring_ledger(connection: sqlite3.Connection, target: Path) -> None:
    """Put the ledger of the target in the place of the one that the backup holds."""
    connection.execute("ATTACH ? AS now", (str(target),))
    connection.execute("BEGIN IMMEDIATE")
    for name, _ in _ledger(connection, "main"):
        connection.execute(f'DROP TABLE main."{name}"')
    for name, sql in _ledger(connection, "now"):
        connection.execute(sql)
        connection.execute(f'INSERT INTO main."{name}" SELECT * FROM now."{name}"')
    connection.execute("COMMIT")
    connection.execute("DETACH now")


def _ledger(connection: sqlite3.Connection, schema: str) -> list[tuple[str, str]]:
    rows = connection.execute(
        f"SELECT name, sql FROM {schema}.sqlite_master WHERE type = 'table'"
    ).fetchall()
    return [(name, sql) for name, sql in rows if is_ledger(TableName("", name))]


def _remove(path: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
