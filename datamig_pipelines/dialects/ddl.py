"""Names and statements in ANSI words; an engine overrides what it says differently."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from datamig_pipelines.catalog import (
    Column,
    Default,
    ForeignKey,
    Index,
    Key,
    SchemaObject,
    Table,
    TableName,
    Type,
    View,
)
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import NotYetError


class Ddl(ABC):
    """Quotes names and writes statements. Pure text: no connection, no state."""

    placeholder: ClassVar[str] = "?"

    # ---- names

    def quote(self, name: str) -> str:
        """Return a quoted identifier."""
        return '"' + name.replace('"', '""') + '"'

    def literal(self, text: str) -> str:
        """Return a quoted string literal."""
        return "'" + text.replace("'", "''") + "'"

    def table(self, name: TableName) -> str:
        """Return the quoted, qualified name of a table."""
        return (
            f"{self.quote(name.schema)}.{self.quote(name.name)}"
            if name.schema
            else self.quote(name.name)
        )

    def columns(self, names: Sequence[str]) -> str:
        """Return quoted names, comma separated."""
        return ", ".join(self.quote(n) for n in names)

    # ---- statements

    def insert(self, table: TableName, columns: Sequence[str]) -> str:
        """Return a parametrised INSERT of one row."""
        marks = ", ".join([self.placeholder] * len(columns))
        return f"INSERT INTO {self.table(table)} ({self.columns(columns)}) VALUES ({marks})"

    def fetch(
        self,
        table: TableName,
        columns: Sequence[str],
        where: Sequence[str] = (),
        order: Sequence[str] = (),
    ) -> str:
        """Return a parametrised SELECT by equality. A column that is gone is refused.

        (Without the table's name before it, SQLite reads an unknown column as a text.)
        """
        wanted = ", ".join(f"{self.table(table)}.{self.quote(c)}" for c in columns)
        return (
            f"SELECT {wanted} FROM {self.table(table)}"
            + self._where(where)
            + (f" ORDER BY {self.columns(order)}" if order else "")
        )

    def update(self, table: TableName, columns: Sequence[str], where: Sequence[str]) -> str:
        """Return a parametrised UPDATE by equality: first the new values, then the old ones."""
        sets = ", ".join(f"{self.quote(c)} = {self.placeholder}" for c in columns)
        return f"UPDATE {self.table(table)} SET {sets}" + self._where(where)

    def delete(self, table: TableName, where: Sequence[str] = ()) -> str:
        """Return a parametrised DELETE by equality, or of everything."""
        return f"DELETE FROM {self.table(table)}" + self._where(where)

    def add_column(self, table: TableName, column: Column) -> str:
        """Return the statement that adds an empty column to a table that is there."""
        held = f"{self.quote(column.name)} {column.type.native}"
        return f"ALTER TABLE {self.table(table)} ADD COLUMN {held}"

    def count(self, table: str, where: str = "") -> str:
        """Return the SELECT of the number of rows."""
        return f"SELECT count(*) FROM {table}" + (f" WHERE {where}" if where else "")

    def orphans(self, table: TableName, key: ForeignKey) -> str:
        """Return the SELECT of the number of rows whose reference points nowhere."""
        on = " AND ".join(
            f"p.{self.quote(t)} = c.{self.quote(c)}"
            for c, t in zip(key.columns, key.target_columns, strict=True)
        )
        filled = " AND ".join(f"c.{self.quote(c)} IS NOT NULL" for c in key.columns)
        return (
            f"SELECT count(*) FROM {self.table(table)} c WHERE {filled} AND NOT EXISTS "
            f"(SELECT 1 FROM {self.table(key.target)} p WHERE {on})"
        )

    def largest(self, table: TableName, column: str) -> str:
        """Return the SELECT of the largest value of a column."""
        return f"SELECT max({self.quote(column)}) FROM {self.table(table)}"

    def _where(self, columns: Sequence[str]) -> str:
        if not columns:
            return ""
        return " WHERE " + " AND ".join(f"{self.quote(c)} = {self.placeholder}" for c in columns)

    # ---- DDL

    @abstractmethod
    def default_sql(self, default: Default, type_: Type) -> str | None:
        """Return a default in this engine's words, or None if it has none for it."""

    def one_of(self, column: str, values: Sequence[str]) -> str:
        """Return the predicate that a column holds one of some texts."""
        return f"{self.quote(column)} IN ({', '.join(self.literal(v) for v in values)})"

    def create_schema(self, name: str) -> Statement:
        """Return CREATE SCHEMA IF NOT EXISTS."""
        return Statement(
            f"CREATE SCHEMA IF NOT EXISTS {self.quote(name)}", purpose=f"schema {name}"
        )

    def create_types(self, table: Table) -> list[Statement]:
        """Return the statements that make the types (enums, sequences) a table needs first."""
        return []

    def create_table(
        self,
        table: Table,
        *,
        keys: bool,
        foreign_keys: bool,
        if_missing: bool = False,
    ) -> Statement:
        """Return CREATE TABLE; ``native`` of each column's type is its declaration.

        Checks, defaults, NOT NULL and generated columns always stand in it; ``keys`` and
        ``foreign_keys`` say whether those do, too.
        """
        lines = [self.column_sql(table, c) for c in table.columns]
        lines += [f"CONSTRAINT {self.quote(c.name)} CHECK ({c.expression})" for c in table.checks]
        if keys and table.primary_key and not self.key_stands_in_column(table):
            lines.append(f"PRIMARY KEY ({self.columns(table.primary_key.columns)})")
        if keys:
            lines += [f"UNIQUE ({self.columns(u.columns)})" for u in table.uniques]
        if foreign_keys:
            lines += [self.foreign_key_sql(k) for k in table.foreign_keys]
        body = ",\n  ".join(lines)
        missing = "IF NOT EXISTS " if if_missing else ""
        return Statement(
            f"CREATE TABLE {missing}{self.table(table.name)} (\n  {body}\n)",
            purpose=f"table {table.name}",
        )

    def key_stands_in_column(self, table: Table) -> bool:
        """Say whether `column_sql` already wrote the primary key (SQLite's INTEGER PRIMARY KEY)."""
        return False

    def column_sql(self, table: Table, column: Column) -> str:
        """Return one column of CREATE TABLE."""
        parts = [self.quote(column.name), column.type.native]
        if column.generated is not None:
            return " ".join([*parts, f"GENERATED ALWAYS AS ({column.generated}) STORED"])
        if column.identity:
            parts.append(self.identity_sql(table, column))
        elif column.default is not None:
            default = self.default_sql(column.default, column.type)
            parts.append(f"DEFAULT {default}" if default is not None else "")
        if not column.nullable:
            parts.append("NOT NULL")
        return " ".join(p for p in parts if p)

    def identity_sql(self, table: Table, column: Column) -> str:
        """Return the clause that makes a column count by itself; '' where there is none."""
        return ""

    def foreign_key_sql(self, key: ForeignKey) -> str:
        """Return the constraint as it stands in CREATE TABLE and ALTER TABLE ADD."""
        actions = (f" ON DELETE {key.on_delete}" if key.on_delete else "") + (
            f" ON UPDATE {key.on_update}" if key.on_update else ""
        )
        defer = {"": "", "deferrable": " DEFERRABLE", "deferred": " DEFERRABLE INITIALLY DEFERRED"}
        name = f"CONSTRAINT {self.quote(key.name)} " if key.name else ""
        return (
            f"{name}FOREIGN KEY ({self.columns(key.columns)}) "
            f"REFERENCES {self.table(key.target)} ({self.columns(key.target_columns)})"
            f"{actions}{defer[key.deferrable]}"
        )

    def add_primary_key(self, table: Table, key: Key) -> list[Statement]:
        """Return the statements that add a primary key to a loaded table."""
        return [
            Statement(
                f"ALTER TABLE {self.table(table.name)} "
                f"ADD PRIMARY KEY ({self.columns(key.columns)})",
                purpose=f"primary key of {table.name}",
            )
        ]

    def add_unique(self, table: Table, key: Key) -> list[Statement]:
        """Return the statements that add a unique constraint or index to a loaded table."""
        return [
            Statement(
                f"CREATE UNIQUE INDEX {self.quote(key.name)} "
                f"ON {self.table(table.name)} ({self.columns(key.columns)})",
                purpose=f"unique {key.name} on {table.name}",
            )
        ]

    def add_foreign_key(self, table: Table, key: ForeignKey) -> list[Statement]:
        """Return the statements that add a foreign key to a loaded table."""
        return [
            Statement(
                f"ALTER TABLE {self.table(table.name)} ADD {self.foreign_key_sql(key)}",
                purpose=f"foreign key {key.name} on {table.name}",
            )
        ]

    def drop_foreign_key(self, table: Table, key: ForeignKey) -> list[Statement]:
        """Return the statements that drop a foreign key if the table and the key are there."""
        name = self.quote(key.name)
        sql = f"ALTER TABLE IF EXISTS {self.table(table.name)} DROP CONSTRAINT IF EXISTS {name}"
        return [Statement(sql, purpose=f"drop foreign key {key.name} of {table.name}")]

    def rebuild(self, table: Table) -> list[Statement]:
        """Return the statements that rebuild a loaded table with its keys and foreign keys.

        Raises:
            NotYetError: The engine adds keys to a loaded table instead.
        """
        msg = f"{table.name} is not rebuilt on this engine"
        raise NotYetError(msg, hint="Its keys are added to the loaded table.")

    def create_index(self, table: Table, index: Index) -> list[Statement]:
        """Return CREATE INDEX."""
        unique = "UNIQUE " if index.unique else ""
        parts = ", ".join(
            (self.quote(p.column) if p.column is not None else f"({p.expression})")
            + (" DESC" if p.descending else "")
            for p in index.parts
        )
        where = f" WHERE {index.where}" if index.where else ""
        return [
            Statement(
                f"CREATE {unique}INDEX {self.quote(index.name)} "
                f"ON {self.table(table.name)} ({parts}){where}",
                purpose=f"index {index.name} on {table.name}",
            )
        ]

    def set_counter(self, table: Table, column: str, next_value: int) -> list[Statement]:
        """Return the statements that make the next identity value ``next_value``."""
        return []

    def create_view(self, view: View) -> list[Statement]:
        """Return CREATE VIEW."""
        return [
            Statement(
                f"CREATE VIEW {self.table(view.name)} AS {view.sql.rstrip(';')}",
                purpose=f"view {view.name}",
            )
        ]

    def analyze(self, table: TableName) -> list[Statement]:
        """Return the statements that refresh the planner's statistics."""
        return [Statement(f"ANALYZE {self.table(table)}", purpose=f"statistics of {table}")]

    def drop_table(self, table: Table) -> list[Statement]:
        """Return the statements that remove a table and what `create_types` made for it."""
        return [
            Statement(
                f"DROP TABLE IF EXISTS {self.table(table.name)}", purpose=f"drop {table.name}"
            )
        ]

    def drop_view(self, view: View) -> list[Statement]:
        """Return DROP VIEW IF EXISTS."""
        return [
            Statement(
                f"DROP VIEW IF EXISTS {self.table(view.name)}", purpose=f"drop view {view.name}"
            )
        ]

    def create_object(self, made: SchemaObject) -> list[Statement]:
        """Return the statements that make an object of this engine's own catalog."""
        texts = (*made.before, made.create, *made.state)
        return [*(Statement(s, purpose=str(made)) for s in texts), *self.calm()]

    def drop_object(self, made: SchemaObject) -> list[Statement]:
        """Return the statements that remove it; [] if it goes with something else."""
        return [Statement(made.drop, purpose=f"drop {made}")] if made.drop else []

    def calm(self) -> list[Statement]:
        """Return the statements that put back what a refused one left changed in the session."""
        return []

    def kept(self, table: Table) -> Table:
        """Return a table as this engine keeps it: without what `create_table` and others leave out.

        A proof holds the target's catalog against it.
        """
        return table

    def truncate(self, table: TableName) -> str:
        """Return the statement that empties a table inside a transaction."""
        return self.delete(table)
