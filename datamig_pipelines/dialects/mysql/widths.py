"""How wide columns are, and how they are made to fit: keys of 3,072 bytes, rows of 65,535.

A column without a length cannot stand in a key. In one it becomes a VARCHAR (VARBINARY) as wide as
the key allows, 768 characters if it is alone; a longer value is refused by the load, never cut.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import Column, Index, Kind, Table

KEY_BYTES: Final = 3072
ROW_BYTES: Final = 65_000
PREFIX: Final = 191
"""Characters of a long text that a plain index covers."""

_LONG: Final = re.compile(r"(?:tiny|medium|long)?(text|blob)\b", re.IGNORECASE)
_SIZED: Final = re.compile(r"(varchar|char|varbinary|binary)\((\d+)\)", re.IGNORECASE)
_ONE_BYTE: Final = re.compile(r"COLLATE (latin|ascii|cp|koi8|hebrew|greek|tis620|binary)")
_CHARACTER_BYTES: Final = 4
_POINTER_BYTES: Final = 12
_FIXED_BYTES: Final = 9
_DECIMAL_BYTES: Final = 30


def character_bytes(column: Column) -> int:
    """Return the most bytes that a character (or byte) of a column takes."""
    if column.type.kind is Kind.BLOB or _ONE_BYTE.search(column.type.native):
        return 1
    return _CHARACTER_BYTES


def key_bytes(column: Column) -> int | None:
    """Return how many bytes of a key a column takes, None where it has no bound."""
    if _LONG.match(column.type.native):
        return None
    sized = _SIZED.match(column.type.native)
    if sized:
        return int(sized[2]) * character_bytes(column)
    return _DECIMAL_BYTES if column.type.kind is Kind.DECIMAL else _FIXED_BYTES


def shares(columns: Sequence[Column], wanted: dict[str, int]) -> dict[str, int]:
    """Return how many bytes of a key each column gets: what it wants, or a part of the rest."""
    left, granted = KEY_BYTES, {}
    waiting = sorted(columns, key=lambda c: wanted[c.name])
    for number, column in enumerate(waiting):
        granted[column.name] = min(wanted[column.name], left // (len(waiting) - number))
        left -= granted[column.name]
    return granted


def bounded(table: Table) -> Table:
    """Return a table whose keys fit, and whose rows do."""
    columns = {c.name: c for c in table.columns}
    keyed = set()
    for names in _keys(table):
        members = [columns[n] for n in dict.fromkeys(names) if n in columns]
        keyed |= {c.name for c in members}
        wanted = {c.name: _unbounded(key_bytes(c)) for c in members}
        for name, share in shares(members, wanted).items():
            if share < wanted[name]:
                columns[name] = _narrowed(columns[name], share)
    fitting = _fitting(list(columns.values()), keyed)
    return replace(table, columns=tuple(fitting))


def _keys(table: Table) -> list[tuple[str, ...]]:
    keys = [table.primary_key.columns] if table.primary_key else []
    keys += [u.columns for u in table.uniques]
    keys += [k.columns for k in table.foreign_keys]
    return keys + [i.columns for i in table.indexes if i.unique and not _prefixed(i)]


def _prefixed(index: Index) -> bool:
    return any(p.prefix is not None or p.column is None for p in index.parts)


def _unbounded(size: int | None) -> int:
    return KEY_BYTES if size is None or size > KEY_BYTES else size


def _narrowed(column: Column, share: int) -> Column:
    return _resized(column, share // character_bytes(column))


def _resized(column: Column, length: int) -> Column:
    word = "varbinary" if column.type.kind is Kind.BLOB else "varchar"
    pattern = _LONG if _LONG.match(column.type.native) else _SIZED
    native = pattern.sub(f"{word}({length})", column.type.native, count=1)
    return replace(column, type=replace(column.type, native=native))


def _fitting(columns: list[Column], keyed: set[str]) -> list[Column]:
    """Return columns whose rows fit: the widest text outside of keys becomes LONGTEXT."""
    columns = [_within_a_key(c) if c.name in keyed else c for c in columns]
    while sum(_row_bytes(c) for c in columns) > ROW_BYTES:
        free = [c for c in columns if c.name not in keyed and c.type.kind is Kind.TEXT]
        widest = max(free, key=_row_bytes, default=None)
        if widest is None or _row_bytes(widest) <= _POINTER_BYTES:
            break
        native = _SIZED.sub("longtext", widest.type.native, count=1)
        wide = replace(widest, type=replace(widest.type, native=native))
        columns[columns.index(widest)] = wide
    return columns


def _within_a_key(column: Column) -> Column:
    """Return a column of a key, with a length if it had none."""
    if not _LONG.match(column.type.native):
        return column
    return _resized(column, KEY_BYTES // character_bytes(column))


def _row_bytes(column: Column) -> int:
    size = key_bytes(column)
    return _POINTER_BYTES if size is None else size + 2


def limit_check(planned: Column, column: Column) -> int | None:
    """Return the length that a widened text must still keep, None where its type keeps it."""
    if planned.type.native == column.type.native or not _LONG.match(column.type.native):
        return None
    sized = _SIZED.match(planned.type.native)
    return int(sized[2]) if sized else None


def index_lengths(table: Table, index: Index) -> dict[str, int]:
    """Return the prefixes, in characters or bytes, that the columns of an index need to fit."""
    columns = {c.name: c for c in bounded(table).columns}
    members = [columns[n] for n in index.columns if n in columns]
    wanted = {c.name: _wanted(c) for c in members}
    granted = shares(members, wanted)
    return {
        c.name: max(granted[c.name] // character_bytes(c), 1)
        for c in members
        if key_bytes(c) is None or granted[c.name] < (key_bytes(c) or 0)
    }


def _wanted(column: Column) -> int:
    size = key_bytes(column)
    if size is None or size > KEY_BYTES:
        return PREFIX * character_bytes(column)
    return size
