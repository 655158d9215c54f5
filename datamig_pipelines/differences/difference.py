"""One difference, and what was found of them."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from datamig_pipelines.differences.causes import UNREAD, CauseCount, counted
from datamig_pipelines.ledger import DifferenceEntry

_KEPT_CHARACTERS: Final = 2000

Cells = tuple[str | None, ...]
"""A row in canonical texts, one per compared column."""


class Kind(StrEnum):
    """How a row of one side stands to those of the other."""

    CHANGED = "changed"
    MISSING = "missing row"
    EXTRA = "extra row"
    DOUBLED = "doubled row"


@dataclass(frozen=True)
class RowPair:
    """A row that differs; None where one side has no such row."""

    kind: Kind
    key: tuple[str, ...] | None
    source: Cells | None
    target: Cells | None


@dataclass(frozen=True)
class Difference:
    """One value that differs, or one row that stands on one side only (``column`` is '').

    ``key`` is a JSON list of texts, '' for a table without a key. Of a row that stands on one side
    only, the value is the row as a JSON object.
    """

    table: str
    key: str
    column: str
    source: str | None
    target: str | None
    cause: str


@dataclass(frozen=True)
class Effort:
    """What a search cost: rows brought to this process, scans, and rows in the ranges scanned.

    A scan is one statement that reads a range, a bucket or a whole table of one side. Sums are the
    checksums of buckets, where one statement returns many, and the ends of ranges.
    """

    rows_fetched: int = 0
    scans: int = 0
    rows_scanned: int = 0
    sums_fetched: int = 0

    def __add__(self, other: "Effort") -> "Effort":
        """Return both together."""
        return Effort(
            self.rows_fetched + other.rows_fetched,
            self.scans + other.scans,
            self.rows_scanned + other.rows_scanned,
            self.sums_fetched + other.sums_fetched,
        )


@dataclass(frozen=True)
class RowDiff:
    """What differs between the two sides of one table.

    ``complete`` is False where the limit ended the search: there may be more. ``unlisted`` counts
    rows that are known to be missing or extra, but were not fetched. ``how`` says how it was found.
    """

    table: str
    columns: tuple[str, ...]
    pairs: tuple[RowPair, ...]
    differences: tuple[Difference, ...]
    complete: bool
    how: str
    effort: Effort
    unlisted: tuple[tuple[Kind, int], ...] = ()

    @classmethod
    def empty(cls, table: str) -> "RowDiff":
        """Return that nothing differs."""
        return cls(table, (), (), (), complete=True, how="", effort=Effort())

    @property
    def causes(self) -> list[CauseCount]:
        """Return how often each cause was found, most often first."""
        unlisted = [(str(kind), count) for kind, count in self.unlisted if count]
        return counted([(d.cause, d.column, d) for d in self.differences], unlisted)

    @property
    def unread(self) -> bool:
        """Say whether all that was found are texts whose meaning is the target's own."""
        return bool(self.causes) and all(c.cause == UNREAD for c in self.causes)

    def columns_that_differ(self) -> list[str]:
        """Return the columns whose values, in whatever row, are not the same on both sides."""
        differing = []
        for i, name in enumerate(self.columns):
            there = sorted(repr(p.source[i]) for p in self.pairs if p.source is not None)
            here = sorted(repr(p.target[i]) for p in self.pairs if p.target is not None)
            if there != here:
                differing.append(name)
        return differing

    def summary(self) -> str:
        """Return the causes and how often each was found, without any value."""
        shown = [f"{c.cause} in {c.column}" if c.column else c.cause for c in self.causes]
        counts = [f"{s} ({c.count})" for c, s in zip(self.causes, shown, strict=True)]
        return ("" if self.complete else "at least ") + ", ".join(counts)


def entries(diff: RowDiff) -> list[DifferenceEntry]:
    """Return the differences as the ledger keeps them, values cut."""
    return [
        DifferenceEntry(
            d.table, kept(d.key) or "", d.column, kept(d.source), kept(d.target), d.cause
        )
        for d in diff.differences
    ]


def kept(text: str | None) -> str | None:
    """Return a value as every engine can keep it: UTF-8, no NUL, not endless."""
    if text is None:
        return None
    plain = text[:_KEPT_CHARACTERS].encode("utf-8", "backslashreplace").decode("utf-8")
    return plain.replace("\0", "\\x00")


def row_json(columns: tuple[str, ...], cells: Cells) -> str:
    """Return a row as a JSON object."""
    return json.dumps(dict(zip(columns, cells, strict=True)), ensure_ascii=False)
