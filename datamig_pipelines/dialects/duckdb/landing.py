"""How a batch lands: casts that refuse a value rather than change it.

DuckDB's own casts round (``'1.005'`` to DECIMAL(9,2), ``1.5`` to INTEGER), cut (the seventh digit
of a second, the time of a DATE, the offset of a TIMESTAMP) and guess (``'44-03-15 BC'`` is the year
44, ``'yes'`` is true). Every cast here is guarded; what does not pass raises, and the row is
rejected.
"""

from typing import Any

from datamig_pipelines.catalog.types import Kind, Type
from datamig_pipelines.dialects.duckdb.driver import Connection
from datamig_pipelines.dialects.duckdb.ranges import literal
from datamig_pipelines.dialects.duckdb.types import ELEMENTS
from datamig_pipelines.dialects.reading import Landing, Projection

PAYLOAD = "datamig_payload"
LARGE_ROW_BYTES = 1 << 20

_DAY = r"[+-]?\d{1,7}-\d{1,2}-\d{1,2}"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{0,@}0*)?)?"
_ZONE = r"(?:Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)"
_ENDLESS = r"-?infinity"
_SHAPES = {
    Kind.DATE: rf"{_DAY}(?:[ T]00:00(?::00(?:\.0*)?)?)?(?: BC| \(BC\))?|{_ENDLESS}",
    Kind.TIME: _CLOCK,
    Kind.TIMETZ: _CLOCK + _ZONE,
    Kind.TIMESTAMP: rf"{_DAY}(?: \(BC\))?(?:[ T]{_CLOCK})?(?: BC)?|{_ENDLESS}",
    Kind.TIMESTAMPTZ: rf"{_DAY}(?: \(BC\))?(?:[ T]{_CLOCK}{_ZONE}?)?(?: BC)?|{_ENDLESS}",
    Kind.INTEGER: r"[+-]?\d+(?:\.0*)?",
    Kind.INTERVAL: r"(?:[+-]?\d+ [a-z]+ ?)*(?:[+-]?\d+:\d{2}:\d{2}(?:\.\d{0,6}0*)?)?",
}


def write(connection: Connection, landing: Landing, payload: Any, table: str) -> int:
    """Insert an Arrow table, columns as in ``landing.columns``; return DuckDB's count of rows."""
    if not payload.num_rows:
        return 0
    if payload.nbytes >= LARGE_ROW_BYTES * payload.num_rows:
        connection.checkpoint_rarely()
    connection.raw.register(PAYLOAD, payload)
    try:
        counted = connection.raw.execute(insert(landing, payload.schema, table)).fetchone()
    finally:
        connection.raw.unregister(PAYLOAD)
    return int(counted[0]) if counted else 0


def insert(landing: Landing, schema: Any, table: str) -> str:
    """Return the INSERT … SELECT of a payload with an Arrow schema."""
    names = ", ".join(_quote(c.name) for c in landing.columns)
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(cells(landing, schema))} FROM {PAYLOAD}"
    )


def cells(landing: Landing, schema: Any) -> list[str]:
    """Return SQL for each column of a payload as it lands."""
    return [_landed(c, f, landing) for c, f in zip(landing.columns, schema, strict=True)]


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _landed(column: Projection, field: Any, landing: Landing) -> str:
    import pyarrow as pa

    known = landing.table.column(column.name)
    into = known.type if known is not None else column.into
    sql, arrow = _quote(field.name), field.type
    if pa.types.is_null(arrow):
        return "NULL"
    if pa.types.is_integer(arrow):
        return from_integer(sql, into)
    if pa.types.is_floating(arrow):
        return from_float(f"CAST({sql} AS DOUBLE)", into)
    if pa.types.is_binary(arrow) or pa.types.is_large_binary(arrow):
        return sql if into.kind is Kind.BLOB else from_text(f"decode({sql})", into)
    if pa.types.is_string(arrow) or pa.types.is_large_string(arrow):
        return from_text(sql, into)
    return from_text(f"CAST({sql} AS VARCHAR)", into)


def from_integer(sql: str, into: Type) -> str:
    """Return SQL that puts an integer into a column; what does not fit raises."""
    cast = _cast(sql, into)
    if into.kind in {Kind.INTEGER, Kind.DECIMAL}:
        return cast
    if into.kind is Kind.BOOLEAN:
        return _guarded(sql, f"{sql} IN (0, 1)", cast, into)
    if into.kind is Kind.FLOAT:
        return _guarded(sql, f"CAST({cast} AS HUGEINT) = {sql}", cast, into)
    if into.kind is Kind.BLOB:
        return _guarded(sql, "false", "NULL", into)
    return from_text(f"CAST({sql} AS VARCHAR)", into)


def from_float(sql: str, into: Type) -> str:
    """Return SQL that puts a double into a column; what would be rounded raises.

    A FLOAT column takes a double that is a float, or whose shortest text is a float's, too.
    """
    cast = _cast(sql, into)
    if into.kind is Kind.FLOAT:
        if into.bits != 32:
            return sql
        same = f"CAST({cast} AS DOUBLE) = {sql} OR CAST({cast} AS VARCHAR) = CAST({sql} AS VARCHAR)"
        return _guarded(sql, same, cast, into)
    if into.kind is Kind.INTEGER:
        return _guarded(sql, f"isfinite({sql}) AND trunc({sql}) = {sql}", cast, into)
    if into.kind is Kind.DECIMAL and into.precision is not None:
        return _guarded(sql, f"isfinite({sql}) AND CAST({cast} AS DOUBLE) = {sql}", cast, into)
    if into.kind is Kind.BLOB:
        return _guarded(sql, "false", "NULL", into)
    return from_text(f"CAST({sql} AS VARCHAR)", into)


def from_text(sql: str, into: Type) -> str:
    """Return SQL that parses a text into a column; what it would not keep as it is raises."""
    kind = into.kind
    if kind in {Kind.TEXT, Kind.CHAR, Kind.BLOB}:
        return f"encode({sql})" if kind is Kind.BLOB else sql
    if kind in {Kind.JSON, Kind.UUID, Kind.ENUM, Kind.BITS}:
        return _cast(sql, into)
    if kind in {Kind.ARRAY, Kind.OTHER}:
        return _list(sql, into)
    unbounded = kind is Kind.DECIMAL and into.precision is None
    if unbounded or kind not in {Kind.BOOLEAN, Kind.DECIMAL, Kind.FLOAT}:
        return _shaped(sql, into)
    double = f"CAST({sql} AS DOUBLE)"
    ok = {
        Kind.BOOLEAN: f"{sql} IN ('true', 'false')",
        Kind.DECIMAL: _plain(sql, into.scale or 0),
        Kind.FLOAT: f"isfinite({double}) OR lower({sql}) SIMILAR TO '[+-]?(nan|inf(inity)?)'",
    }
    return _guarded(sql, ok[kind], _cast(sql, into), into)


def _shaped(sql: str, into: Type) -> str:
    kind = Kind.INTEGER if into.kind is Kind.DECIMAL else into.kind
    shape = _SHAPES[kind].replace("@", str(6 if into.fraction is None else into.fraction))
    cast = _cast(sql, into)
    if kind is Kind.INTERVAL:
        cast = _cast(f"replace({sql}, '+', '')", into)
    if kind in {Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}:
        turned = rf"regexp_replace({sql}, '^([^ T]+)(.*) BC$', '\1 (BC)\2')"
        cast = f"CASE WHEN ends_with({sql}, ' BC') THEN {_cast(turned, into)} ELSE {cast} END"
    ok = f"regexp_full_match({sql}, {literal(shape)})"
    if kind is Kind.INTERVAL:
        ok += f" AND {sql} <> ''"
    return _guarded(sql, ok, cast, into)


def _plain(sql: str, scale: int) -> str:
    """Say in SQL whether a text is a decimal without exponent, with no digit beyond the scale."""
    return (
        f"NOT contains({sql}, 'e') AND NOT contains({sql}, 'E') AND (NOT contains({sql}, '.') "
        f"OR length(rtrim({sql}, '0')) - instr({sql}, '.') <= {scale})"
    )


def _list(sql: str, into: Type) -> str:
    """Return SQL that reads a JSON list; numbers from its text, as JSON makes doubles of them."""
    element = into.element
    if element is None or element.kind not in ELEMENTS:
        return _nested(sql, into)
    if element.kind in {Kind.INTEGER, Kind.DECIMAL}:
        items = f"string_split(trim({sql})[2:-2], ',')"
        value = f"CASE WHEN trim(x) = 'null' THEN NULL ELSE {from_text('trim(x)', element)} END"
        empty = f"regexp_full_match({sql}, '\\s*\\[\\s*\\]\\s*')"
        parsed = f"CASE WHEN {empty} THEN [] ELSE list_transform({items}, lambda x: {value}) END"
    else:
        strings = f"json_extract_string({sql}, '$[*]')"
        parsed = f"list_transform({strings}, lambda x: {from_text('x', element)})"
    good = {Kind.BOOLEAN: ("BOOLEAN",), Kind.FLOAT: ("VARCHAR", "DOUBLE", "UBIGINT", "BIGINT")}
    if element.kind in {Kind.INTEGER, Kind.DECIMAL}:
        types: tuple[str, ...] = ("DOUBLE", "UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT")
    else:
        types = good.get(element.kind, ("VARCHAR",))
    allowed = ", ".join(f"'{t}'" for t in (*types, "NULL"))
    ok = (
        f"json_type({sql}) = 'ARRAY' AND "
        f"list_has_all([{allowed}], list_distinct(json_type({sql}, '$[*]')))"
    )
    listed = _guarded(sql, ok, f"CAST({parsed} AS {element.native}[])", into)
    return _cast(listed, into)  # CASE cannot yield an array of fixed length


def _nested(sql: str, into: Type) -> str:
    """Return SQL that reads one of DuckDB's nested types and takes it if it reads back alike."""
    if into.native.startswith("GEOMETRY"):
        cast = _cast(sql, into)
        return _guarded(sql, f"CAST({cast} AS VARCHAR) = {sql}", cast, into)
    cast = _cast(f"CAST({sql} AS JSON)", into)
    return _guarded(sql, f"CAST(to_json({cast}) AS VARCHAR) = {sql}", cast, into)


def _cast(sql: str, into: Type) -> str:
    return f"CAST({sql} AS {into.native})"


def _guarded(sql: str, ok: str, cast: str, into: Type) -> str:
    message = literal(f"DuckDB's {into.native} would change or refuse: ")
    wrong = f"error({message} || left(CAST({sql} AS VARCHAR), 80))"
    return f"CASE WHEN {sql} IS NULL THEN NULL WHEN {ok} THEN {cast} ELSE {wrong} END"
