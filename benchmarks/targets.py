"""Empty databases to write to, and the check that what was written is right."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import psycopg
from sqlalchemy.engine import make_url

from benchmarks.servers import Engines
from benchmarks.sources import normal
from benchmarks.tables import Table


@contextmanager
def fresh(engine: str, engines: Engines, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database and drop it afterwards."""
    if engine == "postgres":
        with engines.target.database() as url:
            yield url
        return
    path = folder / f"target.{engine}"
    try:
        yield f"{engine}:///{path}"
    finally:
        for left in folder.glob(f"{path.name}*"):
            left.unlink()


def prepare(url: str, table: Table) -> None:
    """Create the table as a bare pipe needs it: without its key, where that can come later."""
    engine = _engine(url)
    _query(url, table.ddl(engine, keyed=engine == "sqlite"))


def figures(url: str, table: Table) -> tuple[object, ...]:
    """Return the probe of what is there."""
    return normal(_query(url, table.probed())[0])


def _engine(url: str) -> str:
    return make_url(url).get_backend_name().replace("postgresql", "postgres")


def _query(url: str, statement: str) -> list[tuple[object, ...]]:
    engine, path = _engine(url), str(make_url(url).database)
    if engine == "postgres":
        with psycopg.connect(url, autocommit=True) as server:
            cursor = server.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
    if engine == "duckdb":
        with duckdb.connect(path) as opened:
            return opened.execute(statement).fetchall()
    with closing(sqlite3.connect(path)) as file:
        return file.execute(statement).fetchall()
