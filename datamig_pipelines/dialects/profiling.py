"""What is asked about a table that expectations are written for, in words of every engine."""

from collections.abc import Sequence

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.ddl import Ddl


def moved_rows(dialect: Ddl, table: TableName, columns: Sequence[str], where: str) -> str:
    """Return the SELECT of some columns (none: all of them) of the rows that are moved."""
    names = dialect.columns(columns) if columns else "*"
    return f"SELECT {names} FROM {dialect.table(table)}" + (f" WHERE ({where})" if where else "")
