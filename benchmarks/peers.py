"""Other tools on the same rows: pgloader where it is installed, pandas."""

import json
import sys
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks.pipes import Stage
from benchmarks.servers import has, program
from benchmarks.tables import LINEITEM, Table

PANDAS_ROWS = 60_000
"""pandas is so slow that its figures per row are taken from fewer rows."""


def pgloader(source: str, target: str, table: Table, folder: Path) -> tuple[Stage, ...]:
    """Return pgloader's run into the table that is there, with its key; () where it cannot."""
    reading, writing = make_url(source), make_url(target)
    if not has("pgloader") or writing.get_backend_name() != "postgresql":
        return ()
    clause = {
        "mysql": f"INCLUDING ONLY TABLE NAMES MATCHING '{table.name}'",
        "sqlite": f"INCLUDING ONLY TABLE NAMES LIKE '{table.name}'",
    }.get(reading.get_backend_name(), "")
    if not clause:
        return ()
    alter = f"\nALTER SCHEMA '{reading.database}' RENAME TO 'public'"
    script = folder / "pgloader.load"
    script.write_text(
        f"LOAD DATABASE FROM {_plain(source)} INTO {_plain(target)}\n"
        "WITH include drop, create tables, create indexes, reset no sequences, batch rows = 10000, "
        "prefetch rows = 10000\n"
        f"{clause}{alter if reading.get_backend_name() == 'mysql' else ''};\n"
    )
    return (Stage("pgloader", ([program("pgloader"), "--root-dir", str(folder), str(script)],)),)


def _plain(url: str) -> str:
    return url.replace("sqlite:////", "sqlite:///", 1)


def pandas(source: str, target: str, table: Table, servers: tuple[int, ...]) -> tuple[Stage, ...]:
    """Return a copy by read_sql and to_sql; () where it cannot (no dialect of DuckDB, no JSON)."""
    engines = make_url(source).get_backend_name(), make_url(target).get_backend_name()
    if "duckdb" in engines or table is not LINEITEM:
        return ()
    order = {"source": source, "target": target, "table": table.name, "servers": servers}
    return (Stage("whole", ([sys.executable, "-m", "benchmarks.frames"],), json.dumps(order)),)
