"""Puts a backup in the place of a file, by renaming another over it; our ledger stays."""

import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import LEDGER
from datamig_pipelines.dialects.duckdb import backup, driver
from datamig_pipelines.errors import RestoreError

_TABLES = f"SELECT table_name, sql FROM duckdb_tables() WHERE schema_name = '{LEDGER}' AND "


def replace(connection: driver.Connection, url: URL, files: Sequence[Path]) -> None:
    """Give a copy of the backup today's ledger, then rename it over the target.

    The connection's own handle is closed meanwhile and opened again; the lock of the run stays.

    Raises:
        RestoreError: It was refused; what was there before is there.
    """
    import duckdb

    path = driver.path_of(url)
    prepared = path.with_name(f"{path.name}.datamig-restore")
    backup.remove(prepared)
    connection.raw.close()
    try:
        backup.put(files, prepared)
        _bring_ledger(prepared, path)
        with prepared.open("rb") as file:
            os.fsync(file.fileno())
        prepared.replace(path)
    except (duckdb.Error, OSError) as error:
        msg = f"the restore was refused: {str(error).splitlines()[0]}"
        hint = "Nothing was changed. Mend the cause, run the rollback again."
        raise RestoreError(msg, hint=hint) from error
    finally:
        backup.remove(prepared)
        connection.raw = driver.connect(url, readonly=False).raw


def _bring_ledger(prepared: Path, target: Path) -> None:
    """Put the ledger of the target in the place of the one that the backup holds.

    The target's own log is worked into its file: nothing of it may be left beside the new file.
    """
    import duckdb

    with duckdb.connect(str(target)) as old:
        old.execute("CHECKPOINT")
    with duckdb.connect(str(prepared)) as new:
        quoted = str(target).replace("'", "''")
        new.execute(f"ATTACH '{quoted}' AS today (READ_ONLY)")
        new.execute("BEGIN")
        new.execute(f"DROP SCHEMA IF EXISTS {LEDGER} CASCADE")
        new.execute(f"CREATE SCHEMA {LEDGER}")
        for name, sql in new.execute(_TABLES + "database_name = 'today'").fetchall():
            new.execute(sql)
            new.execute(f'INSERT INTO {LEDGER}."{name}" SELECT * FROM today.{LEDGER}."{name}"')
        new.execute("COMMIT")
        new.execute("DETACH today")
        new.execute("CHECKPOINT")
