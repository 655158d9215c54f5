"""DuckDB: one file, one process that writes, Arrow in and tuples out."""

from datamig_pipelines.dialects.duckdb.dialect import DuckDB

__all__ = ["DuckDB"]
