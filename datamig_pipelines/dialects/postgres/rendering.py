"""SELECTs of streams: columns as text that any loader reads, rows in key order."""

from typing import Final

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.postgres.naming import qualified, quote
from datamig_pipelines.dialects.postgres.ranges import equal, in_range, of_pages
from datamig_pipelines.dialects.reading import KeyPart, Projection, Read

_AS_MOMENT: Final = {Kind.TIMESTAMP, Kind.DATE}


def select(read: Read, *, only: bool = False) -> str:
    """Return the SELECT of a stream; ``only`` leaves out the tables that inherit from this one."""
    columns = ", ".join(render(p, read.wire) for p in read.columns)
    conditions = [f"({read.where})"] if read.where else []
    conditions.append(in_range(read.table, read.key, read.after, read.upto))
    if read.pages is not None and not read.key:
        conditions.append(of_pages(*read.pages))
    if read.exactly is not None:
        conditions.append(equal(read.table, read.key, read.exactly))
    conditions = [c for c in conditions if c]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = ", ".join(_column(read.table, k) for k in read.key)
    table = ("ONLY " if only else "") + qualified(read.table)
    return f"SELECT {columns} FROM {table}{where}" + (f" ORDER BY {order}" if order else "")


def _column(table: TableName, key: KeyPart) -> str:
    """Return a key column as ORDER BY must name it: a bare name would mean the rendered column."""
    return f"{quote(table.name)}.{key.sql}"


def render(column: Projection, wire: Wire) -> str:
    """Return the expression of one column, as the target of that wire reads it.

    Binary rows go to a column of the very same type, so they are left as they are. So is what
    PostgreSQL's own text input reads back exactly.
    """
    if wire is Wire.COPY_BINARY:
        return column.sql
    return _rendered(column.sql, column.type, column.into, wire)


def _rendered(sql: str, type_: Type, into: Type, wire: Wire) -> str:
    kind, text = type_.kind, wire is Wire.COPY_TEXT
    if type_.native == "money" and into.native != "money":
        return f"({sql})::numeric"
    if kind is Kind.BOOLEAN:
        return _boolean(sql, into, wire)
    if kind is Kind.BLOB:
        return sql if text and into.native == "bytea" else f"encode({sql}, 'hex')"
    if kind is Kind.ARRAY:
        return sql if text and into.kind is Kind.ARRAY else f"to_json({sql})::text"
    if kind is Kind.INTERVAL:
        return _interval(sql, into, wire)
    return _converted(sql, type_, into)


def _boolean(sql: str, into: Type, wire: Wire) -> str:
    if into.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.BITS, Kind.FLOAT):
        return f"({sql})::int"
    own = wire is Wire.COPY_TEXT and into.native == "boolean"
    return sql if own else f"({sql})::text"


def _interval(sql: str, into: Type, wire: Wire) -> str:
    if into.kind in (Kind.DURATION, Kind.TIME):
        return duration(sql)
    foreign = wire is Wire.COPY_CSV and into.kind is Kind.INTERVAL
    return f"replace(({sql})::text, '+', '')" if foreign else sql  # DuckDB reads no plus sign


def _converted(sql: str, type_: Type, into: Type) -> str:
    """Render where only the target column matters, not the wire."""
    kind = type_.kind
    if kind is Kind.OTHER and into.native != type_.native:
        return f"to_json({sql})::text" if type_.values else f"({sql})::text"
    if kind is Kind.INTEGER and into.kind is Kind.BOOLEAN:
        return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE ({sql})::text END"
    if kind is Kind.FLOAT and into.kind is Kind.FLOAT and type_.bits != into.bits:
        return f"({sql})::float8"  # the shortest text of a real is another double
    if kind is Kind.CHAR and into.kind is not Kind.CHAR:
        return f"({sql})::text"  # that cast takes the trailing blanks away
    if kind is Kind.TIMESTAMPTZ and into.kind in _AS_MOMENT:
        return f"({sql}) AT TIME ZONE 'UTC'"
    fixed_bits = kind is Kind.BITS and type_.native.startswith("bit(")
    return f"({sql})::bigint" if fixed_bits and into.kind is Kind.INTEGER else sql


def duration(sql: str) -> str:
    """Return SQL for an interval as ``[-]HH:MM:SS[.f]``, hours above 24 included."""
    return (
        "(SELECT CASE WHEN d < 0 THEN '-' ELSE '' END"
        " || CASE WHEN div(a, 3600) < 10 THEN '0' ELSE '' END || div(a, 3600)::text"
        " || ':' || lpad(div(mod(a, 3600), 60)::text, 2, '0')"
        " || ':' || CASE WHEN mod(a, 60) < 10 THEN '0' ELSE '' END || trim_scale(mod(a, 60))::text"
        f" FROM (SELECT EXTRACT(epoch FROM {sql})::numeric AS d,"
        f" abs(EXTRACT(epoch FROM {sql})::numeric) AS a OFFSET 0) AS v)"
    )
