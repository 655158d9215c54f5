"""How a batch becomes a file: written and on the disk before its entry is committed."""

import os
from pathlib import Path
from typing import Any

from datamig_pipelines.dialects.duckdb import landing as duckdb_landing
from datamig_pipelines.dialects.files import tables
from datamig_pipelines.dialects.files.folder import Folder, folder_name
from datamig_pipelines.dialects.files.relation import literal, quote
from datamig_pipelines.dialects.reading import Landing


def write(connection: Folder, landing: Landing, payload: Any) -> int:
    """Write an Arrow table as the table's next file; return DuckDB's count of its rows.

    The file has the number behind the last one that counts, so a batch that is written again takes
    the place of what it left. Nothing counts until the open transaction is committed.
    """
    if not payload.num_rows:
        return 0
    raw, table = connection.raw, landing.table.name.name
    found = raw.execute(tables.LAST_NUMBER, [table]).fetchone()
    number = (found[0] if found else 0) + 1
    relative = f"{folder_name(table)}/part-{number:06}.parquet"
    path = connection.folder / relative
    path.parent.mkdir(exist_ok=True)
    connection.pending.append(path)
    raw.register(duckdb_landing.PAYLOAD, payload)
    try:
        counted = raw.execute(_copy(landing, payload.schema, path)).fetchone()
    finally:
        raw.unregister(duckdb_landing.PAYLOAD)
    _on_disk(path)
    rows = int(counted[0]) if counted else 0
    raw.execute(tables.ADD_FILE, [table, number, relative, rows, path.stat().st_size])
    return rows


def _copy(landing: Landing, schema: Any, path: Path) -> str:
    cells = duckdb_landing.cells(landing, schema)
    types = {c.name: c.type.native for c in landing.table.columns}
    named = ", ".join(
        f"CAST({cell} AS {types[column.name]}) AS {quote(column.name)}"
        for cell, column in zip(cells, landing.columns, strict=True)
    )
    source = f"SELECT {named} FROM {duckdb_landing.PAYLOAD}"
    return f"COPY ({source}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)"


def _on_disk(path: Path) -> None:
    for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(each, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
