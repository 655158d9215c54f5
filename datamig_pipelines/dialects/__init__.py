"""The engines that this project speaks."""

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.base import Dialect
from datamig_pipelines.dialects.capabilities import Capabilities, Wire
from datamig_pipelines.dialects.duckdb import DuckDB
from datamig_pipelines.dialects.files import Csv, Parquet
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.dialects.postgres import Postgres
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import UnknownEngineError

DIALECTS: dict[str, Dialect] = {
    "csv": Csv(),
    "duckdb": DuckDB(),
    "mysql": MySQL(),
    "parquet": Parquet(),
    "postgres": Postgres(),
    "sqlite": SQLite(),
}

_SPELLINGS = {"postgresql": "postgres", "mariadb": "mysql"}


def get_dialect(url: URL) -> Dialect:
    """Return the dialect that speaks a URL's engine. Raises UnknownEngineError."""
    engine = url.get_backend_name()
    dialect = DIALECTS.get(_SPELLINGS.get(engine, engine))
    if dialect is None:
        msg = f"nobody here speaks {engine!r}"
        hint = f"Write one of {', '.join(sorted({*DIALECTS, *_SPELLINGS}))} before '://'."
        raise UnknownEngineError(msg, hint=hint)
    return dialect


__all__ = ["DIALECTS", "Capabilities", "Dialect", "Statement", "Wire", "get_dialect"]
