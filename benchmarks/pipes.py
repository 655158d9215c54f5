"""The bare pipes that everything is measured against: one native client into another."""

import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from benchmarks.servers import has, program
from benchmarks.tables import Table

Command = list[str]

_READ_SQLITE = """\
import csv, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute(sys.argv[2])
csv.writer(sys.stdout, lineterminator="\\n").writerows(rows)
"""
_INTO_DUCKDB = """\
import sys, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute(sys.argv[2])
"""
_DUCKDB_FORMS = {
    "csv": "delim=',', quote='\"', escape='\"'",
    "text": "delim='\t', quote='', escape='', nullstr='NULL'",
}


@dataclass(frozen=True)
class Stage:
    """One or more commands, each reading what the one before it writes."""

    name: str
    commands: tuple[Command, ...]
    stdin: str = ""


def reference(source: str, target: str, table: Table) -> tuple[Stage, ...]:
    """Return the stages of the bare copy: rows, then the primary key where it can come later.

    The target's table is there and empty, without its key where that can come later.
    """
    reading, writing = make_url(source), make_url(target)
    engines = reading.get_backend_name(), writing.get_backend_name()
    if engines == ("sqlite", "sqlite"):
        return (Stage("copy", (_attached(reading, writing, table),)),)
    form = _FORMS.get(engines, "csv")
    copy = Stage("copy", (_read(reading, table, form), _write(writing, table, form)))
    return copy, *key_stage(writing, table)


_FORMS = {
    ("postgresql", "postgresql"): "binary",
    ("mysql", "postgresql"): "text",
    ("mysql", "duckdb"): "text",
}


def key_stage(target: URL, table: Table) -> tuple[Stage, ...]:
    """Return the stage that adds the primary key to a loaded table; SQLite cannot."""
    engine = target.get_backend_name()
    if engine == "postgresql":
        return (Stage("key", (psql(target, table.add_key()),)),)
    if engine == "duckdb":
        return (Stage("key", ([*_duckdb(target), table.add_key()],)),)
    return ()


def psql(url: URL, command: str) -> Command:
    """Return psql's command line for one statement."""
    return [
        program("psql"),
        *("-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(url.host), "-p", str(url.port)),
        *("-U", str(url.username), "-d", str(url.database), "-c", command),
    ]


def _read(url: URL, table: Table, form: str) -> Command:
    engine = url.get_backend_name()
    if engine == "postgresql":
        return psql(url, f"COPY {table.name} TO STDOUT (FORMAT {form})")
    if engine == "mysql":
        return [
            *(program("mariadb"), "--no-defaults", "-B", "-N", "--quick"),
            *("-h", str(url.host), "-P", str(url.port), "-u", str(url.username)),
            *("--default-character-set=utf8mb4", str(url.database), "-e", _mysql_select(table)),
        ]
    select = (
        f"SELECT {', '.join(_sqlite_cell(table, c.name) for c in table.columns)} FROM {table.name}"
    )
    if has("sqlite3"):
        return [program("sqlite3"), "-csv", str(url.database), select]
    return [sys.executable, "-c", _READ_SQLITE, str(url.database), select]


def _sqlite_cell(table: Table, name: str) -> str:
    blob = any(c.name == name and c.type_in("sqlite") == "blob" for c in table.columns)
    return f"CASE WHEN {name} IS NOT NULL THEN '\\x' || hex({name}) END" if blob else name


def _mysql_select(table: Table) -> str:
    cells = [
        f"CONCAT('\\\\x', HEX({c.name}))" if c.type_in("mariadb") == "blob" else c.name
        for c in table.columns
    ]
    return f"SET time_zone = '+00:00'; SELECT {', '.join(cells)} FROM {table.name}"


def _write(url: URL, table: Table, form: str) -> Command:
    engine = url.get_backend_name()
    if engine == "postgresql":
        null = ", NULL 'NULL'" if form == "text" else ""
        return psql(url, f"COPY {table.name} FROM STDIN (FORMAT {form}{null})")
    if engine == "duckdb":
        columns = ", ".join(f"'{c.name}': '{c.type_in('duckdb')}'" for c in table.columns)
        options = f"header=false, columns={{{columns}}}, {_DUCKDB_FORMS[form]}"
        select = f"SELECT * FROM read_csv('/dev/stdin', {options})"
        return [*_duckdb(url), f"INSERT INTO {table.name} {select}"]
    return [program("sqlite3"), str(url.database), ".mode csv", f".import /dev/stdin {table.name}"]


def _attached(source: URL, target: URL, table: Table) -> Command:
    copy = f"INSERT INTO {table.name} SELECT * FROM there.{table.name}"
    return [
        program("sqlite3"),
        str(target.database),
        f"ATTACH '{source.database}' AS there; {copy}",
    ]


def _duckdb(url: URL) -> Command:
    return [sys.executable, "-c", _INTO_DUCKDB, str(Path(str(url.database)))]
