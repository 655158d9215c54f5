"""SQLite: a file, read and written by the library that comes with Python."""

from datamig_pipelines.dialects.sqlite.dialect import SQLite

__all__ = ["SQLite"]
