"""Makes the databases of `torture` with each engine's own driver."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import duckdb
import psycopg
import pymysql
from sqlalchemy.engine import make_url

from datamig_pipelines_tests.conformance.torture import SCRIPTS, TEXTS, keys, rows

Execute = Callable[..., object]


def fill(engine: str, url: str) -> None:
    """Make the whole torture set in an empty database."""
    place = make_url(url)
    if engine == "sqlite":
        with closing(sqlite3.connect(place.database or "")) as file, file:
            _all("sqlite", file.execute, "?", "TEXT")
    elif engine == "duckdb":
        with duckdb.connect(place.database or "") as base:
            _all("duckdb", base.execute, "?", "VARCHAR")
    elif engine == "postgres":
        with psycopg.connect(url, autocommit=True) as connection:
            _all("postgres", connection.execute, "%s", "text")
    else:
        connection = pymysql.connect(
            host=place.host,
            port=place.port or 0,
            user=place.username,
            password=place.password or "",
            database=place.database,
            charset="utf8mb4",
            autocommit=True,
            ssl_disabled=True,
        )
        with connection, connection.cursor() as cursor:
            _all("mysql", cursor.execute, "%s", "text")


def _all(engine: str, execute: Execute, mark: str, text: str) -> None:
    quote = "`" if engine == "mysql" else '"'
    stamp = "datetime(6)" if engine == "mysql" else "timestamp"
    cascade = "" if engine == "duckdb" else " ON DELETE CASCADE"  # it has no actions
    for statement in [*keys(quote, stamp, cascade), *SCRIPTS[engine].split(";\n")]:
        if statement.strip():
            execute(statement)
    for insert, values in rows(quote):
        for row in values:
            head = insert.replace("%", "%%") if mark == "%s" else insert
            execute(f"{head} VALUES ({', '.join([mark] * len(row))})", row)
    execute(f"CREATE TABLE texts (id integer NOT NULL PRIMARY KEY, t {text})")
    for number, value in enumerate(TEXTS):
        execute(f"INSERT INTO texts VALUES ({mark}, {mark})", (number, value))
