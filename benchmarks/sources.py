"""Fills the databases that are read."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import psycopg

from benchmarks.servers import DurableMariadb, Engines
from benchmarks.tables import Table
from datamig_pipelines_tests.engines import Server

_FETCH = 20_000


@dataclass
class Sources:
    """The databases that are read, each filled when it is first asked for."""

    engines: Engines
    folder: Path
    _urls: dict[tuple[str, str, int], str] = field(default_factory=dict)
    _figures: dict[tuple[str, int], tuple[object, ...]] = field(default_factory=dict)

    def url(self, engine: str, table: Table, rows: int) -> str:
        """Return the URL of a database of an engine that holds the table, and nothing else."""
        asked = (engine, table.name, rows)
        if asked not in self._urls:
            fill = {"postgres": self._postgres, "mariadb": self._mariadb, "sqlite": self._sqlite}
            self._urls[asked] = fill[engine](table, rows)
        return self._urls[asked]

    def figures(self, table: Table, rows: int) -> tuple[object, ...]:
        """Return the probe of the generated rows: what a right copy shows."""
        if (table.name, rows) not in self._figures:
            with duckdb.connect() as generator:
                found = generator.execute(table.probed(f"({table.rows(rows)})")).fetchone()
            self._figures[table.name, rows] = normal(found or ())
        return self._figures[table.name, rows]

    def _postgres(self, table: Table, rows: int) -> str:
        server, name = self.engines.source, f"{table.name}_{rows}"
        server.create_database(name)
        url = server.url(name)
        file = self._csv(table, rows, "postgres", null="")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(table.ddl("postgres", keyed=False).encode())
            command = f"COPY {table.name} FROM STDIN (FORMAT csv)".encode()
            with connection.cursor().copy(command) as copy, file.open("rb") as blocks:
                while block := blocks.read(2**20):
                    copy.write(block)
            connection.execute(table.add_key().encode())
            connection.execute(b"VACUUM (FREEZE, ANALYZE)")
        file.unlink()
        return url

    def _mariadb(self, table: Table, rows: int) -> str:
        server, name = self.engines.mariadb, f"{table.name}_{rows}"
        server.create_database(name)
        file = self._csv(table, rows, "mariadb", null="NULL")
        script = self.folder / "load.sql"
        zone, ddl = "SET time_zone = '+00:00'", table.ddl("mariadb", keyed=True)
        script.write_text(f"{zone};\n{ddl};\n{_load(table, file)};\n")
        server.run_script(name, script)
        server.query(name, f"ANALYZE TABLE {table.name}")
        file.unlink()
        return server.url(name)

    def _sqlite(self, table: Table, rows: int) -> str:
        path = self.folder / f"{table.name}_{rows}.sqlite"
        marks = ", ".join("?" * len(table.columns))
        with duckdb.connect() as generator, sqlite3.connect(path) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(table.ddl("sqlite", keyed=True))
            made = generator.execute(table.as_csv(rows, "sqlite"))
            while batch := made.fetchmany(_FETCH):
                connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", batch)
        return f"sqlite:///{path}"

    def _csv(self, table: Table, rows: int, engine: str, *, null: str) -> Path:
        file = self.folder / f"{table.name}.csv"
        options = f"FORMAT csv, HEADER false, FORCE_QUOTE *, NULLSTR '{null}'"
        with duckdb.connect() as generator:
            generator.execute(f"COPY ({table.as_csv(rows, engine)}) TO '{file}' ({options})")
        return file


def _load(table: Table, file: Path) -> str:
    blobs = {c.name for c in table.columns if c.type_in("mariadb") == "blob"}
    names = ", ".join(f"@{c.name}" if c.name in blobs else c.name for c in table.columns)
    made = ", ".join(f"{name} = UNHEX(@{name})" for name in sorted(blobs))
    return (
        f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE {table.name} CHARACTER SET utf8mb4 "
        "FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '' "
        f"({names}){f' SET {made}' if made else ''}"
    )


def normal(figures: tuple[object, ...]) -> tuple[object, ...]:
    """Return figures as integers and texts, whatever type an engine gives a sum."""
    return tuple(f if isinstance(f, str | None) else round(float(str(f))) for f in figures)


def settle(engines: Engines) -> None:
    """Write what the servers hold in memory to disk, so that no run pays for the one before it."""
    for server in vars(engines).values():
        if isinstance(server, Server) and not isinstance(server, DurableMariadb):
            server.query("postgres", "CHECKPOINT")
