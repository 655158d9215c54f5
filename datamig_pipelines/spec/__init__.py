"""What a migration file may say. The YAML attributes are these models themselves."""

from datamig_pipelines.spec.connection import Connection
from datamig_pipelines.spec.files import find_migration, list_migrations, read_migration
from datamig_pipelines.spec.launch import Direction, Launch, Retreat
from datamig_pipelines.spec.line import Line, is_there, line_of
from datamig_pipelines.spec.migration import Migration
from datamig_pipelines.spec.policy import (
    Alert,
    Approval,
    Backup,
    Contact,
    Rejects,
    Rollback,
    Schedule,
)
from datamig_pipelines.spec.proof import Side, Suite, Validation
from datamig_pipelines.spec.spread import Spread
from datamig_pipelines.spec.table import Cast, ColumnSpec, TableSpec
from datamig_pipelines.spec.throttle import Metrics, Throttle

__all__ = [
    "Alert",
    "Approval",
    "Backup",
    "Cast",
    "ColumnSpec",
    "Connection",
    "Contact",
    "Direction",
    "Launch",
    "Line",
    "Metrics",
    "Migration",
    "Rejects",
    "Retreat",
    "Rollback",
    "Schedule",
    "Side",
    "Spread",
    "Suite",
    "TableSpec",
    "Throttle",
    "Validation",
    "find_migration",
    "is_there",
    "line_of",
    "list_migrations",
    "read_migration",
]
