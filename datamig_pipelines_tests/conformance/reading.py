"""Speaks to the four engines with their own drivers: statements in, texts out."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

import duckdb
import psycopg
import pymysql
from sqlalchemy.engine import make_url

Value = tuple[str, str | None]
"""What kind of value it is, where a value has a type of its own (SQLite), and its text."""


DRIVER_ERRORS = (psycopg.Error, pymysql.err.MySQLError, sqlite3.Error, duckdb.Error)


class Speaker(Protocol):
    """One database, spoken to directly."""

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        ...

    def values(self, table: str, kind: str) -> dict[int, Value]:
        """Return id → value of column ``v``."""
        ...

    def type_of(self, table: str) -> str:
        """Return how column ``v`` is declared."""
        ...


@contextmanager
def speak(engine: str, url: str) -> Iterator[Speaker]:
    """Open a database that exists or may be made."""
    place = make_url(url)
    if engine == "postgres":
        with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
            yield _Postgres(connection)
    elif engine == "mysql":
        connection = pymysql.connect(
            host=place.host, port=place.port or 0, user=place.username, password=place.password or "",
            database=place.database, charset="utf8mb4", autocommit=True, ssl_disabled=True,
            init_command="SET time_zone = '+00:00', sql_mode = ''",
        )  # fmt: skip
        with connection:
            yield _Mysql(connection)
    elif engine == "sqlite":
        with closing(sqlite3.connect(place.database or "", isolation_level=None)) as file:
            file.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            file.execute("PRAGMA foreign_keys = ON")
            yield _Sqlite(file)
    else:
        with duckdb.connect(place.database or "") as base:
            base.execute("SET TimeZone = 'UTC'")
            yield _Duckdb(base)


class _Spoken:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []

    def values(self, table: str, kind: str) -> dict[int, Value]:
        text = "md5(v)" if kind == "big" else self._text(self.type_of(table))
        return {int(i): ("", v) for i, v in self.run(f"SELECT id, {text} FROM {table}")}

    def type_of(self, table: str) -> str:
        raise NotImplementedError(table)

    def _text(self, declared: str) -> str:
        raise NotImplementedError(declared)


class _Postgres(_Spoken):
    def type_of(self, table: str) -> str:
        sql = (
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = '{table}'::regclass AND attname = 'v'"
        )
        return str(self.run(sql)[0][0])

    def _text(self, declared: str) -> str:
        if declared.endswith("[]"):
            return "to_json(v)::text"
        return "encode(v, 'hex')" if declared == "bytea" else "v::text"


class _Mysql(_Spoken):
    def run(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def type_of(self, table: str) -> str:
        sql = (
            "SELECT COLUMN_TYPE FROM information_schema.COLUMNS "
            f"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{table}' AND COLUMN_NAME = 'v'"
        )
        return str(self.run(sql)[0][0])

    def _text(self, declared: str) -> str:
        if declared.startswith("bit("):
            return f"LPAD(BIN(v), {declared[4:-1]}, '0')"
        if "binary" in declared or "blob" in declared:
            return "LOWER(HEX(v))"
        if declared.startswith("float"):
            return "CAST(CAST(v AS DOUBLE) AS CHAR)"
        if declared in ("point", "geometry"):
            return "ST_AsText(v)"
        return "CAST(v AS CHAR CHARACTER SET utf8mb4)"


class _Duckdb(_Spoken):
    def type_of(self, table: str) -> str:
        sql = f"SELECT data_type FROM duckdb_columns() WHERE table_name = '{table}' AND column_name = 'v'"
        return str(self.run(sql)[0][0])

    def _text(self, declared: str) -> str:
        if declared.endswith("]"):
            return "to_json(v)::VARCHAR"
        return "lower(hex(v))" if declared == "BLOB" else "v::VARCHAR"


class _Sqlite(_Spoken):
    def values(self, table: str, kind: str) -> dict[int, Value]:
        width = self.type_of(table).removeprefix("BITINT(").removesuffix(")")
        found = {}
        for i, tag, value in self.run(f"SELECT id, typeof(v), v FROM {table}"):
            text = (
                value.hex() if isinstance(value, bytes) else None if value is None else str(value)
            )
            if kind == "big" and value is not None:
                raw = value.encode() if isinstance(value, str) else value
                text = hashlib.md5(raw, usedforsecurity=False).hexdigest()
            elif tag == "integer" and width.isdigit():
                text = format(value, f"0{width}b")
            found[i] = (tag, text)
        return found

    def type_of(self, table: str) -> str:
        return str(next(c[2] for c in self.run(f"PRAGMA table_info({table})") if c[1] == "v"))
