"""The wire ``arrow`` out of SQLite: whole columns, guarded, and cells where they do not do.

A value here has its own type, and a columnar reader has one type per column. So every column is
read through a guard in SQL: a value whose storage class is not the one that its declaration stands
for, or that a 64-bit float would not keep, ends the statement with an error, and so does a row too
wide for a batch. Then, and where there is no companion (see `companion`), rows are read as cells,
by the rules of `rendering`, for a stretch; the columns go on behind them.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import rendered_number
from datamig_pipelines.dialects.columns import Columns, carries
from datamig_pipelines.dialects.reading import Cell, KeyPart, Projection, Read, Row
from datamig_pipelines.dialects.sqlite import companion, driver, rendering
from datamig_pipelines.dialects.sqlite.keys import ESCAPE
from datamig_pipelines.dialects.sqlite.types import affinity

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_BYTES: Final = 8 << 20
"""What a batch of the companion may hold at most; it counts rows only."""
_MOST_ROWS: Final = 4096
_MOST_CELLS: Final = 65_536
_STRETCH: Final = 4_000
"""Rows that are read as cells before columns are tried again; four times as many the next time."""

_PLAIN: Final = {Kind.TEXT, Kind.CHAR, Kind.JSON, Kind.UUID, Kind.ENUM, Kind.SET}
_DAY: Final = 10
_SOUGHT: Final = {Kind.DATE: _DAY, Kind.TIMESTAMP: 19}
"""Lengths of texts that travel as they stand."""


class Misfit(Exception):  # noqa: N818 (a turn of the way, not an error)
    """Some rows cannot travel as columns."""


@dataclass(frozen=True)
class _Guarded:
    """One column: its guarded SQL, what it must come as, and what makes the column that travels."""

    sql: str
    arrow: str
    made: "Callable[[pa.Array], pa.Array]"
    travels: str = ""
    """What travels, where it is something else than what comes."""


@dataclass(frozen=True)
class _Plan:
    """How a stream travels: what is read, and where in it the cells of a row stand."""

    guards: tuple[_Guarded, ...]
    places: tuple[int, ...]


def can_send(columns: Sequence[Projection], key: Sequence[KeyPart], where: str) -> bool:
    """Say whether a stream can travel as columns, as far as declarations tell.

    A filter is judged by the session's own SQLite alone: a newer one may read it otherwise.
    """
    return bool(key) and not where and _plan(columns, key) is not None


def select(read: Read) -> str:
    """Return the SELECT of a stream with its guards; that of the cells where there can be none."""
    plan = _plan(read.columns, read.key)
    return rendering.select(read) if plan is None else _select(read, plan)


def stream_lists(connection: driver.Connection, read: Read) -> "Iterator[list[Row] | Columns]":
    """Yield the rows of a stream in key order, as columns wherever they can be had."""
    plan = _plan(read.columns, read.key) if read.key and not read.where else None
    reader = connection.companion() if plan is not None else None
    if plan is None or reader is None:
        yield from _as_cells(connection, read)
        return
    stretch, at = _STRETCH, read
    while True:
        seen = False
        try:
            for columns in _as_columns(reader, at, plan):
                yield columns
                at, seen = _behind(read, columns), True
        except Misfit:
            stretch = _STRETCH if seen else stretch * 4
        else:
            return
        left = stretch
        with closing(_as_cells(connection, at)) as lists:
            for rows in lists:
                yield rows
                at = _behind(read, rows)
                left -= len(rows)
                if left <= 0:
                    break
            else:
                return


def _behind(read: Read, rows: "list[Row] | Columns") -> Read:
    last = rows[-1]
    key = tuple(c.hex() if isinstance(c, bytes) else str(c) for c in last[len(read.columns) :])
    return replace(read, after=key)


def _as_cells(connection: driver.Connection, read: Read) -> Generator[list[Row], None, None]:
    yield from rendering.cells(driver.batches(connection, rendering.select(read)), read)


def _as_columns(reader: companion.Companion, read: Read, plan: _Plan) -> Iterator[Columns]:
    """Yield columns until the end. Raises Misfit where rows come that have to be cells."""
    import pyarrow as pa

    sql = _select(read, plan)
    if "datamig_" in sql:  # a function that only the session's own connection knows
        raise Misfit(sql)
    try:
        with closing(reader.batches(sql, _rows(len(plan.guards)))) as batches:
            for batch in batches:
                arrays = [_checked(g, c) for g, c in zip(plan.guards, batch.columns, strict=True)]
                names = [str(i) for i in range(len(arrays))]
                yield Columns(pa.Table.from_arrays(arrays, names=names), plan.places)
    except companion.errors() as error:
        raise Misfit(str(error)) from error


def _checked(guarded: _Guarded, array: "pa.Array") -> "pa.Array":
    """Return a column as it travels. Raises Misfit if it came as something else."""
    import pyarrow as pa

    if array.null_count == len(array):
        return pa.nulls(len(array), _types()[guarded.travels or guarded.arrow])
    if str(array.type) != guarded.arrow:
        raise Misfit(f"{array.type} instead of {guarded.arrow}")
    return guarded.made(array)


def _types() -> "dict[str, pa.DataType]":
    import pyarrow as pa

    return {
        "int64": pa.int64(),
        "double": pa.float64(),
        "string": pa.string(),
        "binary": pa.binary(),
    }


# ---- SQL


def _rows(columns: int) -> int:
    return max(16, min(_MOST_ROWS, _MOST_CELLS // columns))


def _select(read: Read, plan: _Plan) -> str:
    shown = [g.sql for g in plan.guards]
    sized = [
        f"ifnull(octet_length({c.sql}), 0)"
        for c, g in zip(read.columns, plan.guards, strict=False)
        if g.arrow in ("string", "binary")
    ]
    if sized:  # the first column answers for the whole row
        wide = f"{' + '.join(sized)} > {BATCH_BYTES // _rows(len(shown))}"
        shown[0] = f"CASE WHEN {wide} THEN json('!wide') ELSE {shown[0]} END"
    return rendering.select(read, shown)


def _or_fail(condition: str, value: str, sql: str) -> str:
    """Return SQL of a value under a condition; without it the statement fails. NULL is NULL."""
    return f"CASE WHEN {condition} THEN {value} WHEN {sql} IS NULL THEN NULL ELSE {_fail(sql)} END"


def _fail(sql: str) -> str:
    return f"json('!' || quote({sql}))"


# ---- the plan of a stream


def _plan(columns: Sequence[Projection], key: Sequence[KeyPart]) -> _Plan | None:
    """Return how columns and key travel, None if one of them cannot; integers do so once only."""
    made = [_guarded(c) if c.plain and carries(c) else None for c in columns]
    whole = {c.sql: i for i, (c, g) in enumerate(zip(columns, made, strict=True)) if _is_whole(g)}
    places = list(range(len(columns)))
    for part in key:
        guarded = _of_key(part)
        known = whole.get(part.sql) if _is_whole(guarded) else None
        places.append(len(made) if known is None else known)
        made += [guarded] if known is None else []
    guards = tuple(g for g in made if g is not None)
    return _Plan(guards, tuple(places)) if columns and len(guards) == len(made) else None


def _is_whole(guarded: _Guarded | None) -> bool:
    return guarded is not None and guarded.arrow == "int64"


def _of_key(part: KeyPart) -> _Guarded | None:
    nature = affinity(part.type.native) if part.type.native else ""
    if part.type.kind is Kind.INTEGER and nature in ("", "INTEGER"):
        return _integer(part.sql)
    if part.type.kind in _PLAIN and nature == "TEXT":
        return _Guarded(
            _or_fail(f"typeof({part.sql}) = 'text'", part.sql, part.sql), "string", _key_text
        )
    return None


def _guarded(column: Projection) -> _Guarded | None:
    kind, into, sql = column.type.kind, column.into.kind, column.sql
    if Kind.BLOB in (kind, into):
        same = into is kind
        return _Guarded(_or_fail(f"{sql} >= x''", sql, sql), "binary", _same) if same else None
    if kind in (Kind.FLOAT, Kind.DECIMAL):
        return _number(column)
    if kind in (Kind.INTEGER, Kind.YEAR, Kind.BOOLEAN):
        if into is Kind.BOOLEAN:
            return _flag(sql) if kind is into else None
        return _integer(sql) if kind is not Kind.BOOLEAN or into in rendering.NUMERIC else None
    if kind in _PLAIN or kind in _SOUGHT:
        made = _text if kind in _PLAIN else _dated(column.type, column.into)
        return _Guarded(_or_fail(f"typeof({sql}) = 'text'", sql, sql), "string", made)
    return None


def _integer(sql: str) -> _Guarded:
    """Return an integer, unguarded: the companion itself refuses all else (`Companion.strict`)."""
    return _Guarded(sql, "int64", _same)


def _flag(sql: str) -> _Guarded:
    words = f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false'"
    rest = f"CASE WHEN {sql} IS NULL THEN NULL ELSE {_fail(sql)} END"
    return _Guarded(f"{words} ELSE {rest} END", "string", _same)


def _number(column: Projection) -> _Guarded | None:
    """Return a number as a double; an integer that no double keeps fails."""
    if affinity(column.type.native) not in ("REAL", "NUMERIC"):
        return None
    real = f"CAST({column.sql} AS REAL)"
    sql = f"CASE WHEN {column.sql} IS {real} THEN {real} ELSE {_fail(column.sql)} END"
    if column.type.kind is Kind.FLOAT:
        return _Guarded(sql, "double", _same)
    return _Guarded(sql, "double", _digits, travels="string")


# ---- what is done to a column


def _same(array: "pa.Array") -> "pa.Array":
    return array


def _digits(array: "pa.Array") -> "pa.Array":
    """Return the shortest digits of doubles, as `rendered_number` writes them."""
    import pyarrow as pa

    texts = array.cast(pa.string())
    held = texts.buffers()[2]
    marks = held.to_pybytes() if held is not None else b""
    if b"e" in marks or b"n" in marks:  # an exponent, or infinity
        return pa.array(
            [None if v is None else rendered_number(v) for v in array.to_pylist()], pa.string()
        )
    return texts


def _text(array: "pa.Array") -> "pa.Array":
    """Return text. Raises Misfit if some is no UTF-8."""
    import pyarrow as pa

    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        raise Misfit(str(error)) from error
    return array


def _key_text(array: "pa.Array") -> "pa.Array":
    import pyarrow.compute as pc

    if pc.any(pc.starts_with(array, ESCAPE)).as_py():
        raise Misfit("a key that has to be escaped")
    return _text(array)


def _dated(type_: Type, into: Type) -> "Callable[[pa.Array], pa.Array]":
    """Return what makes dates or timestamps of their texts; most are fine as they stand."""
    length = _SOUGHT[type_.kind]

    def made(array: "pa.Array") -> "pa.Array":
        import pyarrow as pa

        _text(array)
        if into.kind not in rendering.TEMPORAL:
            return array
        if into.kind is type_.kind and _stand(array, length):
            return array
        cells: list[Cell] = [rendering.cell(v, type_, into) for v in array.to_pylist()]
        if bytes in set(map(type, cells)):
            raise Misfit("a value that is not what its column declares")
        return pa.array(cells, pa.string())

    return made


def _stand(array: "pa.Array", length: int) -> bool:
    """Say whether all texts are dates or timestamps that `rendering` leaves as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = pc.min_max(pc.binary_length(array))
    if not sizes["min"].as_py() == sizes["max"].as_py() == length:
        return False
    colons = pc.binary_slice(array.cast(pa.binary()), 16, 17)
    return length == _DAY or bool(pc.all(pc.equal(colons, b":")).as_py())
