"""Functions that every connection brings along: canonical text, row hashes, exact floats.

A column's form travels as text: ``kind|length|compare``; several forms are separated by commas.
"""

import hashlib
import sqlite3
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from typing_extensions import override

from datamig_pipelines.catalog import Kind, Type
from datamig_pipelines.dialects.canonical import Canon, canon
from datamig_pipelines.dialects.reading import Cell, Compared
from datamig_pipelines.dialects.sqlite.casting import clock, moment, rounded, single

CELL_END: Final = "\x1f"
NULL: Final = "\x1e"
_EXACT: Final = Context(prec=200)
ARMOURED: Final = "!"
"""In front of forms: every text and blob arrives as ``type:hex`` (see `armour`)."""


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to one connection."""
    connection.create_function("datamig_canonical", 2, _canonical, deterministic=True)
    connection.create_function("datamig_row", -1, _row, deterministic=True)
    connection.create_function("datamig_hash", -1, _hash, deterministic=True)
    connection.create_function("datamig_length", 1, _length, deterministic=True)
    connection.create_aggregate("datamig_sum", 1, _Sum)  # type: ignore[arg-type]
    connection.create_aggregate("datamig_least", 2, _Least)  # type: ignore[arg-type]
    connection.create_aggregate("datamig_most", 2, _Most)  # type: ignore[arg-type]
    connection.create_function("datamig_float", 1, float, deterministic=True)
    connection.create_function("datamig_round", 2, rounded, deterministic=True)
    connection.create_function("datamig_single", 1, single, deterministic=True)
    connection.create_function("datamig_clock", 1, clock, deterministic=True)
    connection.create_function("datamig_moment", 2, moment, deterministic=True)
    connection.create_aggregate("datamig_fingerprint", -1, _Fingerprint)  # type: ignore[arg-type]
    connection.create_aggregate("datamig_buckets", -1, _Buckets)  # type: ignore[arg-type]


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


def _hash(*cells: str | None) -> int:
    """Return the hash of a row of canonical cells."""
    return _digest([NULL if c is None else c for c in cells])


def _digest(cells: list[str]) -> int:
    row = CELL_END.join(cells).encode()
    digest = hashlib.md5(row, usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big") >> 4


def _length(text: str | None) -> int | None:
    """Return the number of characters; SQLite's own stops at a NUL."""
    return None if text is None else len(text)


class _Sum:
    """``datamig_sum(number)``: the exact sum of integers or of decimal texts, as text."""

    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, value: int | str | None) -> None:
        """Take in one value; a text that is no number makes the sum none, either."""
        if value is not None:
            self._total = _EXACT.add(self._total or Decimal(0), number(value))

    def finalize(self) -> str | None:
        """Return the sum without trailing zeros, NULL of nothing."""
        return None if self._total is None else _written(self._total)


class _Least:
    """``datamig_least(text, as_number)``: the smallest canonical text, or number."""

    def __init__(self) -> None:
        self._best: tuple[Decimal | str, str] | None = None

    def step(self, value: str | None, as_number: int) -> None:
        """Take in one value."""
        if value is not None:
            one = (number(value) if as_number else value, value)
            if self._best is None or self.better(one[0], self._best[0]):
                self._best = one

    def better(self, one: Any, best: Any) -> bool:
        """Say whether a value comes before the best one so far; NaN is above all."""
        return bool(_rank(one) < _rank(best))

    def finalize(self) -> str | None:
        """Return the value, NULL of nothing."""
        return None if self._best is None else self._best[1]


class _Most(_Least):
    """``datamig_most(text, as_number)``: the largest."""

    @override
    def better(self, one: Any, best: Any) -> bool:
        """Say whether a value comes behind the best one so far."""
        return bool(_rank(one) > _rank(best))


def _rank(value: Decimal | str) -> tuple[bool, Decimal | str]:
    lost = isinstance(value, Decimal) and value.is_nan()
    return (lost, Decimal(0) if lost else value)


def number(value: int | str) -> Decimal:
    """Return a number, NaN for a text that is none."""
    try:
        return Decimal(value)
    except InvalidOperation:
        return Decimal("NaN")


def _written(total: Decimal) -> str:
    if not total.is_finite():
        return str(total)
    text = format(total, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Fingerprint:
    """``datamig_fingerprint(forms, c1, …)``: text ``rows:total``, total beyond 64 bits."""

    def __init__(self) -> None:
        self._rows = 0
        self._total = 0
        self._canons: tuple[Canon, ...] = ()

    def step(self, forms: str, *values: Cell) -> None:
        """Take in one row."""
        canons = self._canons = self._canons or _canons(forms)
        self._total += _digest(
            [NULL if v is None else c(v) for c, v in zip(canons, values, strict=True)]
        )
        self._rows += 1

    def finalize(self) -> str:
        """Return the number of rows and the sum of their hashes."""
        return f"{self._rows}:{self._total}"


class _Buckets:
    """``datamig_buckets(bucket, forms, c1, …)``: ``bucket:rows:total …``, '' for NULL."""

    def __init__(self) -> None:
        self._sums: dict[int | None, list[int]] = {}
        self._canons: tuple[Canon, ...] = ()

    def step(self, bucket: int | None, forms: str, *values: Cell) -> None:
        """Take in one row."""
        canons = self._canons = self._canons or _canons(forms)
        one = self._sums.setdefault(bucket, [0, 0])
        one[0] += 1
        one[1] += _digest(
            [NULL if v is None else c(v) for c, v in zip(canons, values, strict=True)]
        )

    def finalize(self) -> str:
        """Return the number of rows and the sum of their hashes, of each bucket."""
        shown = (("" if b is None else b, *sums) for b, sums in self._sums.items())
        return " ".join(f"{b}:{rows}:{total}" for b, rows, total in shown)
