"""MySQL and MariaDB, as a source and as a target."""

from datamig_pipelines.dialects.mysql.dialect import MySQL

__all__ = ["MySQL"]
