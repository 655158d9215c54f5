"""What is asked about a table that expectations are written for, in words of every engine."""

from collections.abc import Sequence

from datamig_pipelines.catalog import Column, Kind, TableName
from datamig_pipelines.dialects.base import Dialect, family
from datamig_pipelines.dialects.comparing import Measure, Measured
from datamig_pipelines.dialects.ddl import Ddl
from datamig_pipelines.dialects.reading import Compared

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.YEAR)
_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_DISTINCT = (Kind.INTEGER, Kind.UUID, Kind.TEXT)


def moved_rows(dialect: Ddl, table: TableName, columns: Sequence[str], where: str) -> str:
    """Return the SELECT of some columns (none: all of them) of the rows that are moved."""
    names = dialect.columns(columns) if columns else "*"
    return f"SELECT {names} FROM {dialect.table(table)}" + (f" WHERE ({where})" if where else "")


def profile_sql(dialect: Ddl, table: TableName, figures: Sequence[str], where: str) -> str:
    """Return the SELECT of the number of rows and of some figures over them, in one scan."""
    named = ", ".join(f"{f} AS datamig_c{i}" for i, f in enumerate(("count(*)", *figures)))
    return f"SELECT {named} FROM {dialect.table(table)}" + (f" WHERE ({where})" if where else "")


def figures(dialect: Dialect, column: Column) -> tuple[str, ...]:
    """Return SQL for filled, distinct, least, most, longest, shortest, addresses."""
    kind, name = column.type.kind, dialect.quote(column.name)
    distinct = f"count(DISTINCT {name})" if kind in _DISTINCT else "NULL"
    ends = ("NULL", "NULL")
    if kind is Kind.FLOAT:  # its canonical texts stand in no order
        least, most = (Compared(f"{end}({name})", column.type, kind) for end in ("min", "max"))
        ends = (dialect.canonical(least), dialect.canonical(most))
    elif kind in (*_NUMBERS, *_MOMENTS):
        held = Compared(name, column.type, family(column.type))
        measure = Measure.NUMBER if kind in _NUMBERS else Measure.MOMENT
        ends = dialect.statistics(Measured(held, measure))[:2]
    texts = ("NULL", "NULL", "NULL")
    if kind is Kind.TEXT:
        size = dialect.octets(name)
        texts = (f"max({size})", f"min({size})", _addresses(name))
    return (f"count({name})", distinct, *ends, *texts)


def _addresses(column: str) -> str:
    """Return the count of texts with one ``@``, something around it, and no blank."""
    like = f"{column} LIKE '_%@%_' AND {column} NOT LIKE '%@%@%' AND {column} NOT LIKE '% %'"
    return f"count(CASE WHEN {like} THEN 1 END)"


def values_sql(dialect: Ddl, table: TableName, column: str, where: str, most: int) -> str:
    """Return the SELECT of up to ``most`` different values of a column."""
    name = dialect.quote(column)
    there = f"{name} IS NOT NULL" + (f" AND ({where})" if where else "")
    return f"SELECT DISTINCT {name} FROM {dialect.table(table)} WHERE {there} LIMIT {int(most)}"
