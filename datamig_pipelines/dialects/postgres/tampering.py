"""Harm, in PostgreSQL's words. All of it can be rolled back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from datamig_pipelines.catalog import Check, Column, ForeignKey, Index, Table
from datamig_pipelines.dialects.tampering import Harm, Spoil, Tampering

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable


class PostgresTampering(Tampering):
    """Needs a superuser for what PostgreSQL guards: references, triggers, its own catalog."""

    spoils: ClassVar[Mapping[Spoil, str]] = {
        **Tampering.spoils,
        Spoil.OTHER_BYTE: "set_byte({c}, 0, (get_byte({c}, 0) + 1) % 256)",
    }

    @override
    def unguarded(self) -> tuple[str, ...]:
        return ("SET LOCAL session_replication_role = replica",)

    @override
    def row_name(self, table: Table) -> str:
        return "(tableoid, ctid)" if table.kind == "partitioned" else "ctid"

    @override
    def recollate(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        # One that the column does not have, whatever the database's own is.
        change = f'ALTER COLUMN {self.quote(column.name)} TYPE {column.type.native} COLLATE "POSIX"'
        return self._altered(table, change)

    @override
    def set_back(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        name, cell = self.literal(self.table(table.name)), self.literal(column.name)
        found = session.query(f"SELECT pg_get_serial_sequence({name}, {cell})")[0][0]
        return Harm((f"ALTER SEQUENCE {found} RESTART WITH 1",)) if found else None

    @override
    def loosen_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        name = self.literal(self._beside(table, index.name))
        text = str(session.query(f"SELECT pg_get_indexdef({name}::regclass)")[0][0])
        drop = f"DROP INDEX {self._beside(table, index.name)}"
        return Harm((drop, text.replace("CREATE UNIQUE INDEX", "CREATE INDEX", 1)))

    @override
    def break_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        name = self.literal(self._beside(table, index.name))
        change = f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = {name}::regclass"
        return Harm((change,))

    @override
    def doubt_check(self, session: "Queryable", table: Table, check: Check) -> Harm | None:
        return self._anew(session, table, check.name, "NOT VALID")

    @override
    def doubt_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        return self._anew(session, table, key.name, "NOT VALID")

    @override
    def sleep_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        return self._altered(table, "DISABLE TRIGGER ALL")

    @override
    def defer_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        if key.deferrable:
            return None
        return self._altered(table, f"ALTER CONSTRAINT {self.quote(key.name)} DEFERRABLE")

    @override
    def unlog(self, session: "Queryable", table: Table) -> Harm | None:
        return self._altered(table, "SET UNLOGGED")

    def _anew(self, session: "Queryable", table: Table, name: str, words: str) -> Harm:
        """Drop a constraint and add it again with other words behind it."""
        own = self.literal(self.table(table.name))
        sql = (
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            f"WHERE conrelid = {own}::regclass AND conname = {self.literal(name)}"
        )
        text = str(session.query(sql)[0][0])
        quoted = self.quote(name)
        return Harm(
            (
                f"ALTER TABLE {self.table(table.name)} DROP CONSTRAINT {quoted}",
                f"ALTER TABLE {self.table(table.name)} ADD CONSTRAINT {quoted} {text} {words}",
            )
        )
