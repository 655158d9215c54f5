"""Conditions that choose some rows of a table; every engine here understands them."""

from collections.abc import Sequence

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.ddl import Ddl


def first_rows(dialect: Ddl, table: TableName, key: Sequence[str], where: str, rows: int) -> str:
    """Return the condition that is true for the ``rows`` rows with the smallest keys.

    ``key`` is quoted, ``where`` limits what is counted. The inner SELECT stands in another one,
    because MySQL takes no LIMIT in a subquery of IN; SQLite may call ``rowid`` otherwise there.
    """
    columns = ", ".join(key)
    chosen = (
        f"SELECT {columns} FROM {dialect.table(table)}{_where(where)} "
        f"ORDER BY {columns} LIMIT {int(rows)}"
    )
    return f"{_left(key)} IN (SELECT * FROM ({chosen}) datamig_first)"


def referenced_rows(
    dialect: Ddl, columns: Sequence[str], child: TableName, refers: Sequence[str], where: str
) -> str:
    """Return the condition that is true for rows that chosen rows of a child table refer to."""
    chosen = f"SELECT {dialect.columns(refers)} FROM {dialect.table(child)}{_where(where)}"
    return f"{_left([dialect.quote(c) for c in columns])} IN ({chosen})"


def _left(columns: Sequence[str]) -> str:
    return columns[0] if len(columns) == 1 else f"({', '.join(columns)})"


def _where(condition: str) -> str:
    return f" WHERE ({condition})" if condition else ""
