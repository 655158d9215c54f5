"""Harm, in SQLite's words. A key or a column is taken away by building the table anew."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from datamig_pipelines.catalog import Column, ForeignKey, Index, Key, Table, TableName
from datamig_pipelines.dialects.tampering import Harm, RebuildTampering, Spoil, Tampering

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable


class SQLiteTampering(RebuildTampering):
    """SQLite checks no reference of ours while we write, and keeps dates as texts."""

    spoils: ClassVar[Mapping[Spoil, str]] = {
        **{k: v for k, v in Tampering.spoils.items() if k is not Spoil.SINGLE},
        Spoil.LAST_BIT: "{c} * 1.0000000000000002",
        Spoil.HOUR_LATER: "datetime(substr({c}, 1, 19), '+1 hour') || substr({c}, 20)",
        Spoil.DAY_LATER: "date({c}, '+1 day')",
        Spoil.WHOLE_SECONDS: "substr({c}, 1, 19)",
        Spoil.FLIPPED: "1 - {c}",
        Spoil.OTHER_BYTE: "zeroblob(length({c}))",
        Spoil.OTHER_KEY: """replace({c}, '":', '_":')""",
    }

    @override
    def differs(self, one: str, two: str) -> str:
        return f"CAST({one} AS BLOB) IS NOT CAST({two} AS BLOB)"

    @override
    def row_name(self, table: Table) -> str:
        if table.rowid or table.primary_key is None:
            return table.rowid or "rowid"
        return f"({self.columns(table.primary_key.columns)})"

    @override
    def lose_table(self, session: "Queryable", table: Table) -> Harm | None:
        return Harm((f"DROP TABLE {self.table(table.name)}",))

    @override
    def lose_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        return self._altered(table, f"DROP COLUMN {self.quote(column.name)}")

    @override
    def retype_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        native = "TEXT" if column.type.native.upper() != "TEXT" else "BLOB"
        other = replace(column, type=replace(column.type, native=native))
        return self._with_column(table, other)

    @override
    def lose_not_null(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        return self._with_column(table, replace(column, nullable=True))

    @override
    def lose_default(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        return self._with_column(table, replace(column, default=None))

    @override
    def lose_comment(
        self, session: "Queryable", table: Table, column: Column | None
    ) -> Harm | None:
        return None  # there are none

    @override
    def set_back(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        if self._behind_rows(session, table, column):
            return None  # the engine itself counts on from the highest row
        name = self.literal(table.name.name)
        return Harm((f"DELETE FROM sqlite_sequence WHERE name = {name}",))

    @override
    def loosen_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        drop = f"DROP INDEX {self.quote(index.name)}"
        plain = self.create_index(table, replace(index, unique=False))
        return Harm((drop, *(s.sql for s in plain)))

    @override
    def lose_primary_key(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        columns = tuple(replace(c, identity=False) for c in table.columns)
        return self._rebuilt(table, replace(table, primary_key=None, columns=columns))

    @override
    def defer_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        keys = tuple(
            replace(k, deferrable="deferred") if k.name == key.name else k
            for k in table.foreign_keys
        )
        return None if key.deferrable else self._rebuilt(table, replace(table, foreign_keys=keys))

    @override
    def _rebuilt(self, table: Table, altered: Table) -> Harm:
        """Put another table with the same rows in the place of one; triggers on it go."""
        new = TableName("", f"{table.name.name}__x")
        names = self.columns([c.name for c in table.columns if c.generated is None])
        made = self.create_table(replace(altered, name=new), keys=True, foreign_keys=True)
        indexes = [s.sql for i in table.indexes for s in self.create_index(table, i)]
        filled = f"INSERT INTO {self.table(new)} ({names})"
        return Harm(
            (
                "PRAGMA legacy_alter_table = ON",  # views may name a table that is not there yet
                made.sql,
                f"{filled} SELECT {names} FROM {self.table(table.name)}",
                f"DROP TABLE {self.table(table.name)}",
                f"ALTER TABLE {self.table(new)} RENAME TO {self.quote(table.name.name)}",
                *indexes,
                "PRAGMA legacy_alter_table = OFF",
            )
        )
