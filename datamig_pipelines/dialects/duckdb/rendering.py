"""How a stream reads DuckDB: the SELECT, columns as text, the key it resumes after."""

from collections.abc import Iterator

from datamig_pipelines.catalog.types import Kind, Type
from datamig_pipelines.dialects.duckdb.driver import Connection
from datamig_pipelines.dialects.duckdb.ranges import ROWID, equal, in_range, key_cell, ordered
from datamig_pipelines.dialects.duckdb.types import is_own
from datamig_pipelines.dialects.fetching import fetched
from datamig_pipelines.dialects.reading import Projection, Read, Row

ROWS_PER_FETCH = 2048


def select(read: Read, table: str) -> str:
    """Return the SELECT of a stream: the columns, then the key parts, in key order.

    The pseudo column ``rowid`` needs no ORDER BY: DuckDB scans in its order and keeps that order
    (``preserve_insertion_order``), so such a stream needs no memory; any other key is sorted.
    """
    read.refuse_pages()
    cells = [cell(c) for c in read.columns] + [key_cell(k) for k in read.key]
    sql = f"SELECT {', '.join(cells) or 'NULL'} FROM {table}"
    wheres = [f"({read.where})"] if read.where else []
    if within := in_range(read.key, read.after, read.upto):
        wheres.append(within)
    if read.exactly is not None:
        wheres.append(equal(read.key, read.exactly))
    if wheres:
        sql += " WHERE " + " AND ".join(wheres)
    if read.key and [k.sql for k in read.key] != [ROWID]:
        sql += " ORDER BY " + ", ".join(ordered(k) for k in read.key)
    return sql


def stream_lists(connection: Connection, sql: str) -> Iterator[list[Row]]:
    """Yield the rows of a SELECT; on the connection itself: a cursor would miss its snapshot."""
    result = connection.raw.execute(sql)
    yield from fetched(result.fetchmany, ROWS_PER_FETCH)


def cell(column: Projection) -> str:
    """Return SQL for one column on the wire ``cells``, in the form that its target reads."""
    sql, kind, into = column.sql, column.type.kind, column.into
    if kind in {Kind.INTEGER, Kind.YEAR}:
        return _flag(sql) if into.kind is Kind.BOOLEAN else sql
    if kind is Kind.BOOLEAN and into.kind is Kind.INTEGER:
        return f"CAST({sql} AS INTEGER)"
    if kind is Kind.FLOAT:
        return f"CAST({sql} AS DOUBLE)"
    if kind is Kind.BLOB:
        return sql
    if kind is Kind.ARRAY and into.kind is Kind.ARRAY and not is_own(into):
        return _braces(sql)
    day = kind is Kind.TIMESTAMPTZ and into.kind is Kind.DATE  # that of UTC
    return text(f"CAST({sql} AS TIMESTAMP)" if day else sql, column.type)


def text(sql: str, type_: Type) -> str:
    """Return SQL for a value as text that every engine parses."""
    plain = f"CAST({sql} AS VARCHAR)"
    if type_.kind in {Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}:
        ancient = f"contains({plain}, '(BC)') THEN replace({plain}, ' (BC)', '') || ' BC'"
        return f"CASE WHEN {ancient} ELSE {plain} END"
    if type_.kind is Kind.INTERVAL:
        return interval(sql)
    if type_.kind is Kind.BLOB:
        return f"lower(hex({sql}))"
    if type_.kind is Kind.FLOAT:
        return f"CAST(CAST({sql} AS DOUBLE) AS VARCHAR)"
    if type_.kind is Kind.ARRAY or (
        type_.kind is Kind.OTHER and not type_.native.startswith("GEOMETRY")
    ):
        return f"CAST(to_json({sql}) AS VARCHAR)"
    return plain


def interval(sql: str) -> str:
    """Return SQL for an interval as PostgreSQL writes it (``1 year 2 mons -3 days +04:05:06.5``).

    DuckDB holds the same three numbers (months, days, microseconds) and writes them otherwise.
    """
    year, month, day = (f"date_part('{part}', {sql})" for part in ("year", "month", "day"))
    parts = [
        _amount(year, "year", "false"),
        _amount(month, "mon", f"{year} < 0"),
        _amount(day, "day", _sign(year, month)),
    ]
    clock = _clock(sql, plus=_sign(year, month, day))
    words = ", ".join(parts)
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL ELSE coalesce(nullif(concat_ws(' ', {words}, "
        f"CASE WHEN {_micros(sql)} <> 0 THEN {clock} END), ''), '00:00:00') END"
    )


def duration(sql: str) -> str:
    """Return SQL for an interval as ``[-]HH:MM:SS[.f]``; days count 24 hours."""
    return _clock(sql, plus="false", days=True)


def _amount(value: str, unit: str, plus: str) -> str:
    sign = f"CASE WHEN {plus} AND {value} > 0 THEN '+' ELSE '' END"
    plural = f"CASE WHEN {value} = 1 THEN '' ELSE 's' END"
    return f"CASE WHEN {value} <> 0 THEN {sign} || {value} || ' {unit}' || {plural} END"


def _sign(*values: str) -> str:
    """Say in SQL whether the last field that is not zero is negative."""
    whens = " ".join(f"WHEN {v} <> 0 THEN {v} < 0" for v in reversed(values))
    return f"(CASE {whens} ELSE false END)"


def _micros(sql: str, *, days: bool = False) -> str:
    hours = f"CAST(date_part('hour', {sql}) AS BIGINT)"
    if days:
        hours = f"({hours} + 24 * CAST(date_part('day', {sql}) AS BIGINT))"
    return (
        f"({hours} * 3600000000 + date_part('minute', {sql}) * 60000000 + "
        f"date_part('microsecond', {sql}))"
    )


def _clock(sql: str, *, plus: str, days: bool = False) -> str:
    micros = _micros(sql, days=days)
    size = f"abs({micros})"
    sign = f"CASE WHEN {micros} < 0 THEN '-' WHEN {plus} THEN '+' ELSE '' END"
    return (
        f"{sign} || printf('%02d:%02d:%02d', {size} // 3600000000, {size} // 60000000 % 60, "
        f"{size} // 1000000 % 60) || CASE WHEN {size} % 1000000 = 0 THEN '' "
        f"ELSE '.' || rtrim(printf('%06d', {size} % 1000000), '0') END"
    )


def _flag(sql: str) -> str:
    return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE CAST({sql} AS VARCHAR) END"


def _braces(sql: str) -> str:
    """Return SQL for a list as PostgreSQL's array literal, every element in quotes."""
    element = r"""replace(replace(CAST(x AS VARCHAR), '\', '\\'), '"', '\"')"""
    item = f"CASE WHEN x IS NULL THEN 'NULL' ELSE '\"' || {element} || '\"' END"
    items = f"list_transform({sql}, lambda x: {item})"
    return f"'{{' || array_to_string({items}, ',') || '}}'"
