"""What is asked about a table that expectations are written for, in words of every engine."""

from collections.abc import Sequence

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.ddl import Ddl


def moved_rows(dialect: Ddl, table: TableName, columns: Sequence[str], where: str) -> str:
    """Return the SELECT of some columns (none: all of them) of the rows that are moved."""
    names = dialect.columns(columns) if columns else "*"
    return f"SELECT {names} FROM {dialect.table(table)}" + (f" WHERE ({where})" if where else "")


def profile_sql(dialect: Ddl, table: TableName, figures: Sequence[str], where: str) -> str:
    """Return the SELECT of the number of rows and of some figures over them, in one scan."""
    named = ", ".join(f"{f} AS datamig_c{i}" for i, f in enumerate(("count(*)", *figures)))
    return f"SELECT {named} FROM {dialect.table(table)}" + (f" WHERE ({where})" if where else "")


def addresses_sql(column: str) -> str:
    """Return the count of texts with one ``@``, something around it, and no blank."""
    like = f"{column} LIKE '_%@%_' AND {column} NOT LIKE '%@%@%' AND {column} NOT LIKE '% %'"
    return f"count(CASE WHEN {like} THEN 1 END)"


def values_sql(dialect: Ddl, table: TableName, column: str, where: str, most: int) -> str:
    """Return the SELECT of up to ``most`` different values of a column."""
    name = dialect.quote(column)
    there = f"{name} IS NOT NULL" + (f" AND ({where})" if where else "")
    return f"SELECT DISTINCT {name} FROM {dialect.table(table)} WHERE {there} LIMIT {int(most)}"
