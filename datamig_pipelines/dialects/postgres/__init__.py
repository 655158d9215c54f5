"""PostgreSQL."""

from datamig_pipelines.dialects.postgres.dialect import Postgres

__all__ = ["Postgres"]
