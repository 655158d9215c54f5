"""What is asked to find out where two tables differ, and the statements that would mend it."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from datamig_pipelines.catalog import Kind, TableName, Type
from datamig_pipelines.dialects.cutting import Grid
from datamig_pipelines.dialects.ddl import Ddl
from datamig_pipelines.dialects.reading import Cast, Compared, KeyPart, Read

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable

UNWRITTEN = frozenset({Kind.ARRAY, Kind.BITS, Kind.INTERVAL, Kind.OTHER})
"""Kinds whose canonical text is no value that an engine reads back."""


WORDS = ("now", "today", "tomorrow", "yesterday", "epoch", "allballs")
"""What PostgreSQL reads as a moment, or as a part of one, and no other engine does."""
_REFUSED = "'no fixed moment: '"


class Measure(StrEnum):
    """What can be said about all values of a column together, alike on every engine."""

    NUMBER = "number"  # least, most, sum
    MOMENT = "moment"  # least, most
    TEXT = "text"  # sum of the characters of the canonical texts
    NONE = "none"  # the number of NULLs alone


@dataclass(frozen=True)
class Measured:
    """A column and its measure."""

    column: Compared
    measure: Measure


class Comparing(Ddl):
    """The questions of a row diff, in SQL that most engines share."""

    # ---- hooks

    @abstractmethod
    def canonical(self, column: Compared) -> str:
        """Return SQL for the canonical text of a value; see `Dialect.canonical`."""

    @abstractmethod
    def row_hash(self, cells: Sequence[str]) -> str:
        """Return SQL for the 60-bit hash of a row of canonical cells, an integer."""

    @abstractmethod
    def range_cuts(self, session: "Queryable", read: Read, parts: int) -> list[tuple[str, ...]]:
        """Return the up to ``parts`` - 1 keys that cut a range into equal parts, exactly.

        Reads the keys of the range once; for the table as a whole `Dialect.cut_points` is cheaper.
        """

    def cell(self, column: Compared) -> str:
        """Return SQL for the canonical text of any value, however broken it is stored."""
        return self.canonical(column)

    def cast(self, sql: str, held: Type, into: Type, *, own: bool) -> Cast | None:
        """Return what becomes of a value in a target that `can.loads_by_cast`.

        ``own``: the target is an engine of this kind, so that this one's cast is the target's. Else
        only what can be said exactly here: digits of a number, digits of a second, the day of a
        moment. None where it cannot be said, or nothing is changed.
        """
        return None

    def single(self, sql: str) -> str:
        """Return SQL for the 32-bit float that is next to a number."""
        return f"CAST({sql} AS FLOAT)"

    def without_words(self, sql: str) -> str:
        """Return SQL for a text that a target will parse as a moment: one with `WORDS` is refused.

        ``today`` is another date whenever it is read, and ``epoch`` is not what stands there.
        """
        found = " OR ".join(f"lower({sql}) LIKE '%{word}%'" for word in WORDS)
        return f"CASE WHEN {found} THEN {self.joined(_REFUSED, sql)} ELSE {sql} END"

    def joined(self, *texts: str) -> str:
        """Return SQL for some texts as one."""
        return " || ".join(texts)

    def exact_sum(self, sql: str) -> str:
        """Return SQL for the exact sum of integers or decimals."""
        return f"sum({sql})"

    def characters(self, sql: str) -> str:
        """Return SQL for the number of characters of a text."""
        return f"char_length({sql})"

    def rows_of(self, table: str, where: str = "") -> str:
        """Return ``FROM … WHERE …`` for a table's own rows (quoted name)."""
        return f"FROM {table}" + (f" WHERE {where}" if where else "")

    def blob_literal(self, digits: str) -> str:
        """Return a blob from its hex digits."""
        return f"X'{digits}'"

    def truth_literal(self, *, value: bool) -> str:
        """Return a boolean."""
        return "true" if value else "false"

    # ---- questions

    def rows_sql(self, table: str, cells: Sequence[str], where: str, most: int) -> str:
        """Return the SELECT of up to ``most`` rows as canonical texts."""
        named = ", ".join(f"{c} AS datamig_c{i}" for i, c in enumerate(cells))
        return f"SELECT {named} {self.rows_of(table, where)} LIMIT {most}"

    def bucket(self, cells: Sequence[str], buckets: int) -> str:
        """Return SQL for the bucket that a row falls into by the hash of some canonical cells."""
        return f"({self.row_hash(cells)} % {buckets})"

    def times(self, part: KeyPart, width: int) -> str:
        """Return SQL for how often ``width`` goes into an integer key, cut towards zero."""
        return f"{part.sql} / {width}"

    def grid_bucket(self, part: KeyPart, grid: Grid) -> str:
        """Return SQL for the bucket of a grid that a key falls into; NULL for NULL."""
        whens = ""
        if part.may_be(grid.low - 1):
            whens += f" WHEN {part.sql} < {grid.low} THEN {grid.under}"
        if part.may_be(grid.high + 1):
            whens += f" WHEN {part.sql} > {grid.high} THEN {grid.over}"
        inside = self.times(part, grid.width)
        return f"CASE{whens} ELSE {inside} END" if whens else inside

    def buckets_sql(self, table: str, bucket: str, cells: Sequence[str], where: str) -> str:
        """Return the SELECT of (bucket, number of rows, sum of row hashes); one scan."""
        return (
            f"SELECT datamig_b, count(*), {self.exact_sum('datamig_h')} FROM (SELECT {bucket} AS "
            f"datamig_b, {self.row_hash(cells)} AS datamig_h {self.rows_of(table, where)}) "
            "datamig_q GROUP BY datamig_b"
        )

    def ends_sql(self, table: str, part: KeyPart, where: str) -> str:
        """Return the SELECT of the least and the largest value of a key: two looks at its index."""
        rows = self.rows_of(table, where)
        return f"SELECT (SELECT min({part.sql}) {rows}), (SELECT max({part.sql}) {rows})"

    def is_one_of(self, sql: str, values: Sequence[str]) -> str:
        """Return the condition that an expression is one of some values (SQL)."""
        return f"{sql} IN ({', '.join(values)})"

    # ---- statistics

    def statistics_sql(self, table: str, columns: Sequence[Measured], where: str) -> str:
        """Return the SELECT of NULLs, least, most and sum of each column, one row of texts.

        What a measure does not know is NULL: only numbers and moments have a least and a most that
        every engine agrees on; the sum of texts is that of their characters.
        """
        cells = [
            cell
            for c in columns
            for cell in (f"count(*) - count({c.column.sql})", *self.statistics(c))
        ]
        named = ", ".join(f"{cell} AS datamig_c{i}" for i, cell in enumerate(cells))
        return f"SELECT {named} {self.rows_of(table, where)}"

    def statistics(self, measured: Measured) -> tuple[str, str, str]:
        """Return SQL for the canonical texts of least, most and sum of one column."""
        column, sql = measured.column, measured.column.sql
        if measured.measure is Measure.NONE:
            return "NULL", "NULL", "NULL"
        if measured.measure is Measure.TEXT:
            return "NULL", "NULL", f"sum({self.characters(self.canonical(column))})"
        least, most = (
            self.canonical(replace(column, sql=f"{end}({sql})")) for end in ("min", "max")
        )
        if measured.measure is Measure.MOMENT:
            return least, most, "NULL"
        native = column.held.native if column.held.native == "money" else ""
        total = Compared(f"sum({sql})", Type(Kind.DECIMAL, native=native), Kind.DECIMAL)
        return least, most, self.canonical(total)

    # ---- mending

    def value_sql(self, text: str | None, column: Compared) -> str | None:
        """Return a literal for the canonical text of a value; None if it has none here."""
        held, form = column.held.kind, column.compare
        if text is None:
            return "NULL"
        if {held, form} & UNWRITTEN or (held is Kind.BLOB) is not (form is Kind.BLOB):
            return None
        if form is Kind.BLOB:
            return self.blob_literal(text)
        if form is Kind.BOOLEAN and text in ("true", "false"):
            truth = text == "true"
            return self.truth_literal(value=truth) if held is Kind.BOOLEAN else str(int(truth))
        return self.literal(_plain(text, held, form))

    def insert_sql(self, table: TableName, values: dict[str, str]) -> str:
        """Return the INSERT of one row of literals."""
        shown = ", ".join(values.values())
        return f"INSERT INTO {self.table(table)} ({self.columns(tuple(values))}) VALUES ({shown})"

    def update_sql(self, table: TableName, values: dict[str, str], key: dict[str, str]) -> str:
        """Return the UPDATE of one row to literals."""
        sets = ", ".join(f"{self.quote(c)} = {v}" for c, v in values.items())
        return f"UPDATE {self.table(table)} SET {sets} WHERE {self._equal(key)}"

    def delete_sql(self, table: TableName, key: dict[str, str]) -> str:
        """Return the DELETE of the rows that have these literals."""
        return f"DELETE FROM {self.table(table)} WHERE {self._equal(key)}"

    def _equal(self, values: dict[str, str]) -> str:
        return " AND ".join(
            f"{self.quote(c)} IS NULL" if v == "NULL" else f"{self.quote(c)} = {v}"
            for c, v in values.items()
        )


def _plain(text: str, held: Kind, form: Kind) -> str:
    """Return the canonical text of a value as every engine reads it."""
    if form is Kind.TIMESTAMPTZ and held is Kind.TIMESTAMP:
        return text.removesuffix("+00")
    return _plain_float(text) if form is Kind.FLOAT else text


def _plain_float(text: str) -> str:
    """Return ``-0.15e1`` for the canonical ``-15e1``."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    mantissa, e, exponent = digits.partition("e")
    return f"{sign}0.{mantissa}e{exponent}" if e and mantissa.isdigit() else text
