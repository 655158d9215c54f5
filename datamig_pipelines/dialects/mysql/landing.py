r"""The LOAD DATA statement of a table: which fields go straight in, and which through SQL.

A straight field is the fastest and, for most types, safe: what does not fit makes a warning, which
`loading` refuses. The expressions here stand where the server would change a value without one:
``1.5`` into an integer (2), ``70`` into a YEAR (1970), ``01/02/03`` into a DATE (2001-02-03), ``1``
into an ENUM (its first value), a digit of a second too many into DATETIME(3), NULL into a counter.
"""

from collections.abc import Callable
from typing import Final

from datamig_pipelines.catalog import Column, Kind, Type
from datamig_pipelines.dialects.mysql.names import literal, quote
from datamig_pipelines.dialects.mysql.types import GEOMETRIES, base_name
from datamig_pipelines.dialects.reading import Landing, Projection

_WHOLE: Final = r"^ *[-+]?[0-9]+(\\.0*)? *$"
_DAY: Final = "____-__-__"
_MOST_DIGITS: Final = 6  # of a second; the server itself tells when there are more

Landed = Callable[[str, Projection, Type], str | None]
"""From a variable with the field's text to the value of the column; None: no need."""


def load_sql(landing: Landing, table: str) -> str:
    """Return the LOAD DATA statement for the lines of a landing into a quoted table."""
    fields, values = [], []
    names = landing.names
    made = {
        name: landed(f"@{quote(name)}", column, landing.table.column(name))
        for name, column in zip(names, landing.columns, strict=True)
    }
    if any(made.values()):
        _keep_counters(made, landing)
    for name, value in made.items():
        variable = f"@{quote(name)}"
        fields.append(quote(name) if value is None else variable)
        if value is not None:
            values.append(f"{quote(name)} = {value}")
    assigned = f" SET {', '.join(values)}" if values else ""
    return (
        f"LOAD DATA LOCAL INFILE 'datamig' INTO TABLE {table} CHARACTER SET utf8mb4 "
        rf"FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' "
        f"({', '.join(fields)}){assigned}"
    )


def _keep_counters(made: dict[str, str | None], landing: Landing) -> None:
    """Let a counter's field go through SQL as well where another does.

    Beside a SET of any column, a 0 that goes straight into a counter becomes the next number, in
    silence and in spite of NO_AUTO_VALUE_ON_ZERO (MariaDB 10.11).
    """
    for name, value in made.items():
        column = landing.table.column(name)
        if value is None and column is not None and column.identity:
            made[name] = f"IFNULL(@{quote(name)}, 'NULL')"


def landed(variable: str, column: Projection, target: Column | None) -> str | None:
    """Return SQL that makes a column's value of a field, None where the field is the value."""
    held = column.into if target is None else target.type
    if target is not None and target.identity and not column.plain:
        return f"IFNULL({_whole(variable)}, 'NULL')"
    land = _LANDED.get(held.kind)
    return land(variable, column, held) if land else None


def _sure(column: Projection, held: Type) -> bool:
    """Say whether the source itself vouches that the field is a value of the column's kind."""
    return column.plain and column.type.strict and column.type.kind is held.kind


def _guarded(condition: str, value: str, variable: str) -> str:
    """Return ``value`` where a condition holds, else what no column takes for a value."""
    return f"IF({condition}, {value}, CONCAT('not exact: ', {variable}))"


def _failing(variable: str) -> str:
    """Return SQL of a number that is NULL for NULL and fails (1690) for everything else."""
    return f"IF({variable} IS NULL, NULL, CAST(LENGTH({variable}) * 0 AS UNSIGNED) - 1)"


def _unhexed(digits: str, variable: str) -> str:
    """Return SQL of the bytes of hex digits; what is no hex would become NULL, and fails."""
    failing = f"CAST(CAST({_failing(variable)} AS CHAR) AS BINARY)"
    return f"COALESCE(UNHEX({digits}), {failing})"


def _whole(variable: str) -> str:
    return _guarded(f"{variable} REGEXP '{_WHOLE}'", variable, variable)


def _integer(variable: str, column: Projection, held: Type) -> str | None:
    sure = column.plain and column.type.kind in (Kind.INTEGER, Kind.BOOLEAN)
    value = variable if sure else _whole(variable)
    if held.native.startswith("tinyint(1)"):
        return f"CASE {variable} WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE {value} END"
    return None if sure else value


def _year(variable: str, _: Projection, __: Type) -> str:
    return (
        f"IF({variable} = '0', '0000', "
        + _guarded(f"{variable} LIKE '____'", variable, variable)
        + ")"
    )


def _blob(variable: str, column: Projection, _: Type) -> str:
    r"""Return the bytes: hex from a blob, with or without ``\x``; any other text is its own."""
    prefixed = f"LEFT({variable}, 2) = '\\\\x'"
    if column.type.kind is Kind.UUID:
        return _unhexed(f"REPLACE({variable}, '-', '')", variable)
    bytes_ = _unhexed(f"IF({prefixed}, SUBSTR({variable}, 3), {variable})", variable)
    if column.type.kind is Kind.BLOB:
        return bytes_
    return f"IF({prefixed}, {bytes_}, CAST({variable} AS BINARY))"


def _bits(variable: str, _: Projection, __: Type) -> str:
    number = f"CAST(CONV({variable}, 2, 10) AS UNSIGNED)"
    return f"IF({variable} REGEXP '^[01]+$', {number}, {_failing(variable)})"


def _enum(variable: str, column: Projection, held: Type) -> str | None:
    if _sure(column, held) and column.type.values == held.values:
        return None
    known = ", ".join(literal(v) for v in held.values)
    return _guarded(f"CAST({variable} AS BINARY) IN ({known})", variable, variable)


def _date(variable: str, column: Projection, held: Type) -> str | None:
    if _sure(column, held):
        return None
    return _guarded(f"{variable} LIKE '{_DAY}%'", variable, variable)


def _timestamp(variable: str, column: Projection, held: Type) -> str | None:
    return _moment(variable, variable, column, held)


def _timestamptz(variable: str, column: Projection, held: Type) -> str:
    utc = f"TRIM(TRAILING '+00' FROM {variable})"
    return _moment(variable, utc, column, held) or utc


def _moment(variable: str, value: str, column: Projection, held: Type) -> str | None:
    digits = _MOST_DIGITS if held.fraction is None else held.fraction
    given = _MOST_DIGITS if column.type.fraction is None else column.type.fraction
    if _sure(column, held) and given <= digits:
        return None
    exact = f"{variable} LIKE '{_DAY}%'"
    return _guarded(exact + _short_enough(variable, digits), value, variable)


def _time(variable: str, column: Projection, held: Type) -> str | None:
    digits = _MOST_DIGITS if held.fraction is None else held.fraction
    given = _MOST_DIGITS if column.type.fraction is None else column.type.fraction
    if _sure(column, held) and given <= digits:
        return None
    exact = f"{variable} LIKE '%__:__%'"
    return _guarded(exact + _short_enough(variable, digits), variable, variable)


def _short_enough(variable: str, digits: int) -> str:
    if digits == _MOST_DIGITS:
        return ""
    return f" AND {variable} NOT REGEXP '\\\\.[0-9]{{{digits}}}0*[1-9]'"


def _other(variable: str, column: Projection, held: Type) -> str | None:
    if base_name(held) not in GEOMETRIES:
        return None
    if base_name(column.type) in GEOMETRIES:
        return _unhexed(variable, variable)
    return f"ST_GeomFromText({variable})"


_LANDED: Final[dict[Kind, Landed]] = {
    Kind.INTEGER: _integer,
    Kind.YEAR: _year,
    Kind.BLOB: _blob,
    Kind.BITS: _bits,
    Kind.ENUM: _enum,
    Kind.DATE: _date,
    Kind.TIMESTAMP: _timestamp,
    Kind.TIMESTAMPTZ: _timestamptz,
    Kind.TIME: _time,
    Kind.DURATION: _time,
    Kind.OTHER: _other,
}
