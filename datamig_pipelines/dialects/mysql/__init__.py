"""MySQL and MariaDB: a source for now."""

from datamig_pipelines.dialects.mysql.dialect import MySQL

__all__ = ["MySQL"]
