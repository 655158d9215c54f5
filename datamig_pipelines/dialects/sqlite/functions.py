"""Functions that every connection brings along: canonical text, row hashes, exact floats.

A column's form travels as text: ``kind|length|compare``; several forms are separated by commas.
"""

import hashlib
import sqlite3
from functools import lru_cache
from typing import Final

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import Canon, canon
from datamig_pipelines.dialects.reading import Cell, Compared

CELL_END: Final = "\x1f"
NULL: Final = "\x1e"
ARMOURED: Final = "!"
"""In front of forms: every text and blob arrives as ``type:hex`` (see `armour`)."""


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to one connection."""
    connection.create_function("datamig_canonical", 2, _canonical, deterministic=True)
    connection.create_function("datamig_row", -1, _row, deterministic=True)
    connection.create_function("datamig_float", 1, float, deterministic=True)
    connection.create_aggregate("datamig_fingerprint", -1, _Fingerprint)  # type: ignore[arg-type]


def form(column: Compared) -> str:
    """Return how a column's values are to be written, as text for the functions."""
    return f"{column.held.kind}|{column.held.length or 0}|{column.compare}"


def armour(sql: str) -> str:
    """Return SQL that carries any text through, valid UTF-8 or not: ``type:hex``."""
    return (
        f"CASE WHEN typeof({sql}) IN ('text', 'blob') "
        f"THEN typeof({sql}) || ':' || hex({sql}) ELSE {sql} END"
    )


@lru_cache(maxsize=256)
def _canons(forms: str) -> tuple[Canon, ...]:
    made = []
    for one in forms.removeprefix(ARMOURED).split(","):
        kind, length, compare = one.split("|")
        plain = canon(Type(Kind(kind), length=int(length) or None), Kind(compare))
        made.append(_disarmed(plain) if forms.startswith(ARMOURED) else plain)
    return tuple(made)


def _disarmed(plain: Canon) -> Canon:
    def disarmed(value: Cell) -> str:
        if type(value) is not str:
            return plain(value)
        kind, _, digits = value.partition(":")
        data = bytes.fromhex(digits)
        if kind == "blob":
            return plain(data)
        try:
            return plain(data.decode())
        except UnicodeDecodeError:
            return plain(data)

    return disarmed


def _canonical(one: str, value: Cell) -> str | None:
    return None if value is None else _canons(one)[0](value)


def _row(forms: str, *values: Cell) -> str:
    canons = _canons(forms)
    return CELL_END.join([NULL if v is None else c(v) for c, v in zip(canons, values, strict=True)])


class _Fingerprint:
    """``datamig_fingerprint(forms, c1, …)``: text ``rows:total``, total beyond 64 bits."""

    def __init__(self) -> None:
        self._rows = 0
        self._total = 0
        self._canons: tuple[Canon, ...] = ()

    def step(self, forms: str, *values: Cell) -> None:
        """Take in one row."""
        canons = self._canons = self._canons or _canons(forms)
        cells = [NULL if v is None else c(v) for c, v in zip(canons, values, strict=True)]
        row = CELL_END.join(cells).encode()
        digest = hashlib.md5(row, usedforsecurity=False).digest()
        self._total += int.from_bytes(digest[:8], "big") >> 4
        self._rows += 1

    def finalize(self) -> str:
        """Return the number of rows and the sum of their hashes."""
        return f"{self._rows}:{self._total}"
