"""CSV and Parquet files, in a folder or an object store: read by DuckDB, Parquet written by it."""

from datamig_pipelines.dialects.files.dialect import Csv, Parquet

__all__ = ["Csv", "Parquet"]
