"""A neutral vocabulary for tables, columns, types and keys."""

from datamig_pipelines.catalog.catalog import Catalog
from datamig_pipelines.catalog.names import LEDGER, TableName, is_ledger
from datamig_pipelines.catalog.schema_object import Phase, SchemaObject
from datamig_pipelines.catalog.table import (
    Check,
    Column,
    Default,
    DefaultKind,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Table,
    View,
)
from datamig_pipelines.catalog.types import Kind, Type

__all__ = [
    "LEDGER",
    "Catalog",
    "Check",
    "Column",
    "Default",
    "DefaultKind",
    "ForeignKey",
    "Index",
    "IndexPart",
    "Key",
    "Kind",
    "Phase",
    "SchemaObject",
    "Table",
    "TableName",
    "Type",
    "View",
    "is_ledger",
]
