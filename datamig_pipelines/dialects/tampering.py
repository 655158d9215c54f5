"""Statements that do harm, so that a proof has something to find. Sent to scratch copies only."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from datamig_pipelines.catalog import Check, Column, ForeignKey, Index, Key, Table, TableName
from datamig_pipelines.dialects.ddl import Ddl

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable


class Spoil(StrEnum):
    """What a value may be turned into."""

    OTHER_TEXT = "other_text"
    CUT = "cut"
    PADDED = "padded"
    OTHER_CASE = "other_case"
    EMPTY = "empty"
    NULL = "null"
    DECOMPOSED = "decomposed"
    MORE = "more"
    ROUNDED = "rounded"
    SINGLE = "single"
    LAST_BIT = "last_bit"
    HOUR_LATER = "hour_later"
    DAY_LATER = "day_later"
    WHOLE_SECONDS = "whole_seconds"
    FLIPPED = "flipped"
    OTHER_BYTE = "other_byte"
    OTHER_KEY = "other_key"


@dataclass(frozen=True)
class Harm:
    """Statements that do harm, and those that mend it where no rollback does."""

    do: tuple[str, ...]
    undo: tuple[str, ...] = ()


_COMPOSED, _DECOMPOSED = "\u00e9", "e\u0301"


class Tampering(Ddl):
    """Harms rows, keys and indexes. What an engine does not have is None."""

    spoils: ClassVar[Mapping[Spoil, str]] = {
        Spoil.OTHER_TEXT: "'\u00bf' || substr({c}, 2)",
        Spoil.CUT: "substr({c}, 1, length({c}) - 1)",
        Spoil.PADDED: "{c} || ' '",
        Spoil.OTHER_CASE: "CASE WHEN {c} = upper({c}) THEN lower({c}) ELSE upper({c}) END",
        Spoil.EMPTY: "''",
        Spoil.NULL: "NULL",
        Spoil.DECOMPOSED: f"replace({{c}}, '{_COMPOSED}', '{_DECOMPOSED}')",
        Spoil.MORE: "{c} + 1",
        Spoil.ROUNDED: "round({c}, 0)",
        Spoil.SINGLE: "CAST(CAST({c} AS real) AS double precision)",
        Spoil.LAST_BIT: "{c} * CAST('1.0000000000000002' AS double precision)",
        Spoil.HOUR_LATER: "{c} + INTERVAL '1' HOUR",
        Spoil.DAY_LATER: "{c} + 1",
        Spoil.WHOLE_SECONDS: "date_trunc('second', {c})",
        Spoil.FLIPPED: "NOT {c}",
        Spoil.OTHER_KEY: """CAST(replace(CAST({c} AS text), '":', '_":') AS {native})""",
    }
    """What a column (``{c}``, quoted, of the type ``{native}``) becomes; missing: impossible."""

    def spoilt(self, spoil: Spoil, column: Column) -> str | None:
        """Return the expression that a column's values are turned into."""
        text = self.spoils.get(spoil)
        if text is None:
            return None
        return text.replace("{c}", self.quote(column.name)).replace("{native}", column.type.native)

    def spoils_where(self, spoil: Spoil, cell: str, other: str) -> str:
        """Return the condition that a value of a quoted column really becomes another one."""
        match spoil:
            case Spoil.EMPTY:
                return f"{cell} IS NULL"
            case Spoil.NULL:
                return f"{cell} IS NOT NULL"
            case Spoil.OTHER_KEY:  # not every engine compares JSON with JSON
                return f"{self.characters_of(cell)} LIKE '%\":%'"
            case _:
                return f"{cell} IS NOT NULL AND {self.differs(other, cell)}"

    def characters_of(self, cell: str) -> str:
        """Return the text of a value."""
        return f"CAST({cell} AS text)"

    def differs(self, one: str, two: str) -> str:
        """Return the condition that two expressions are not the same, to the last byte."""
        return f"{one} IS DISTINCT FROM {two}"

    # ---- rows

    def unguarded(self) -> tuple[str, ...]:
        """Return what lets rows be harmed that references and triggers guard, until the end."""
        return ()

    def guarded(self) -> tuple[str, ...]:
        """Return what ends `unguarded` where no rollback does."""
        return ()

    def row_name(self, table: Table) -> str:
        """Return what tells one row from all others, keys aside."""
        return "rowid"

    def change_rows(self, table: Table, to: Mapping[str, str], where: str, rows: int) -> str:
        """Return the UPDATE of up to ``rows`` rows; ``to`` maps columns to expressions."""
        sets = ", ".join(f"{self.quote(c)} = {sql}" for c, sql in to.items())
        return f"UPDATE {self.table(table.name)} SET {sets}{self._some(table, where, rows)}"

    def drop_rows(self, table: Table, rows: int) -> str:
        """Return the DELETE of ``rows`` rows."""
        return f"DELETE FROM {self.table(table.name)}{self._some(table, '', rows)}"

    def _some(self, table: Table, where: str, rows: int) -> str:
        name, condition = self.row_name(table), f" WHERE {where}" if where else ""
        chosen = f"SELECT {name} FROM {self.table(table.name)}{condition} LIMIT {rows}"
        return f" WHERE {name} IN ({chosen})"

    def copy_rows(
        self, table: Table, columns: Sequence[str], to: Mapping[str, str], rows: int
    ) -> str:
        """Return the INSERT of ``rows`` rows once more, with some columns changed."""
        cells = ", ".join(to.get(c, self.quote(c)) for c in columns)
        name = self.table(table.name)
        return (
            f"INSERT INTO {name} ({self.columns(columns)}) SELECT {cells} FROM {name} LIMIT {rows}"
        )

    def ends(self, table: str, cell: str) -> str:
        """Return the SELECT of a column's least and largest value (quoted names)."""
        return f"SELECT min({cell}), max({cell}) FROM {table}"

    def distinct_rows(self, table: Table, columns: Sequence[str]) -> str:
        """Return the SELECT of the number of rows, those that are alike counted once."""
        listed = self.columns(columns)
        return (
            f"SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {self.table(table.name)}) "
            "datamig_distinct"
        )

    def swap_values(self, table: Table, column: str) -> str:
        """Return the UPDATE that gives the least value's rows the largest one, and vice versa."""
        name, cell = self.table(table.name), self.quote(column)
        least, most = (
            f"(SELECT v FROM (SELECT {end}({cell}) AS v FROM {name}) datamig_{end})"
            for end in ("min", "max")
        )
        return (
            f"UPDATE {name} SET {cell} = CASE WHEN {cell} = {least} THEN {most} ELSE {least} END "
            f"WHERE {cell} = {least} OR {cell} = {most}"
        )

    def free(self, table: TableName, column: str) -> str:
        """Return a number that no row has in a column."""
        return f"({self.largest(table, column)}) + 1"

    def is_there(self, column: str) -> str:
        """Return the condition that a column is not NULL."""
        return f"{self.quote(column)} IS NOT NULL"

    def nobody(self, key: ForeignKey) -> str:
        """Return a number that no row of the parent has."""
        column = self.quote(key.target_columns[0])
        return (
            f"(SELECT v FROM (SELECT max({column}) + 1 AS v FROM {self.table(key.target)}) "
            "datamig_nobody)"
        )

    # ---- parts of a table

    def lose_table(self, session: "Queryable", table: Table) -> Harm | None:
        """Drop it."""
        return Harm((f"DROP TABLE {self.table(table.name)} CASCADE",))

    def lose_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Drop it."""
        return self._altered(table, f"DROP COLUMN {self.quote(column.name)} CASCADE")

    def rename_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Call it otherwise."""
        old, new = self.quote(column.name), self.quote(f"{column.name}_x")
        back = f"ALTER TABLE {self.table(table.name)} RENAME COLUMN {new} TO {old}"
        return self._altered(table, f"RENAME COLUMN {old} TO {new}", back)

    def retype_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Let it hold any text."""
        return self._altered(table, f"ALTER COLUMN {self.quote(column.name)} TYPE text")

    def lose_not_null(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Let it be NULL."""
        return self._altered(table, f"ALTER COLUMN {self.quote(column.name)} DROP NOT NULL")

    def lose_default(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Drop what it is filled with."""
        return self._altered(table, f"ALTER COLUMN {self.quote(column.name)} DROP DEFAULT")

    def recollate(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Let its texts be in another order."""
        return None

    def lose_collation(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Let its texts be in the database's order instead of their own."""
        return None

    def lose_comment(
        self, session: "Queryable", table: Table, column: Column | None
    ) -> Harm | None:
        """Drop the comment of a column, or the table's."""
        name = self.table(table.name)
        what = f"COLUMN {name}.{self.quote(column.name)}" if column else f"TABLE {name}"
        return Harm((f"COMMENT ON {what} IS NULL",))

    def set_back(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        """Let its counter begin anew."""
        return None

    def _behind_rows(self, session: "Queryable", table: Table, column: Column) -> bool:
        """Say whether the rows alone keep the counter: set back, it gives out nothing again."""
        most = f"SELECT COALESCE(MAX({self.quote(column.name)}), 0) FROM {self.table(table.name)}"
        return dict(table.counters).get(column.name, 1) <= int(session.query(most)[0][0]) + 1

    def lose_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        """Drop it."""
        return Harm((f"DROP INDEX {self._beside(table, index.name)}",))

    def loosen_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        """Replace a unique index by one that is not."""
        return None

    def break_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        """Leave it as a failed CREATE INDEX CONCURRENTLY does."""
        return None

    def lose_primary_key(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        """Drop it."""
        return self._altered(table, f"DROP CONSTRAINT {self.quote(key.name)} CASCADE")

    def lose_unique(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        """Drop it."""
        return self._altered(table, f"DROP CONSTRAINT {self.quote(key.name)} CASCADE")

    def lose_check(self, session: "Queryable", table: Table, check: Check) -> Harm | None:
        """Drop it."""
        return self._altered(table, f"DROP CONSTRAINT {self.quote(check.name)}")

    def doubt_check(self, session: "Queryable", table: Table, check: Check) -> Harm | None:
        """Replace it by one that looks at new rows only."""
        return None

    def lose_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        """Drop it."""
        return self._altered(table, f"DROP CONSTRAINT {self.quote(key.name)}")

    def doubt_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        """Replace it by one that looks at new rows only."""
        return None

    def sleep_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        """Let it be there and do nothing."""
        return None

    def defer_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        """Let it be checked later."""
        return None

    def unlog(self, session: "Queryable", table: Table) -> Harm | None:
        """Let its rows be gone after a crash."""
        return None

    def _altered(self, table: Table, change: str, *back: str) -> Harm:
        return Harm((f"ALTER TABLE {self.table(table.name)} {change}",), back)

    def _beside(self, table: Table, name: str) -> str:
        return self.table(TableName(table.name.schema, name))


class RebuildTampering(Tampering):
    """Harm of an engine that changes most of a table by building it anew."""

    @abstractmethod
    def _rebuilt(self, table: Table, altered: Table) -> Harm:
        """Put another table with the same rows in the place of one."""

    def _with_column(self, table: Table, column: Column) -> Harm:
        columns = tuple(column if c.name == column.name else c for c in table.columns)
        return self._rebuilt(table, replace(table, columns=columns))

    @override
    def recollate(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        if " COLLATE " in column.type.native:
            return None
        native = f"{column.type.native} COLLATE NOCASE"
        return self._with_column(table, replace(column, type=replace(column.type, native=native)))

    @override
    def lose_collation(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        native = column.type.native.partition(" COLLATE ")[0]
        return self._with_column(table, replace(column, type=replace(column.type, native=native)))

    @override
    def lose_unique(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        left = tuple(u for u in table.uniques if u != key)
        return self._rebuilt(table, replace(table, uniques=left))

    @override
    def lose_check(self, session: "Queryable", table: Table, check: Check) -> Harm | None:
        left = tuple(c for c in table.checks if c != check)
        return self._rebuilt(table, replace(table, checks=left))

    @override
    def lose_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        left = tuple(k for k in table.foreign_keys if k.name != key.name)
        return self._rebuilt(table, replace(table, foreign_keys=left))
