"""Harm, in MySQL's words. DDL commits by itself there, so each comes with what mends it."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from datamig_pipelines.catalog import Check, Column, ForeignKey, Index, Key, Table
from datamig_pipelines.dialects.tampering import Harm, Spoil, Tampering

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable


_AFTER_TYPE = re.compile(r"^`(?:[^`]|``)*` \w+(?:\([^)]*\))?(?: CHARACTER SET \w+)?")
"""The head of a column's line, up to where its collation belongs."""


_COLLATION = re.compile(r"( CHARACTER SET \w+)?( COLLATE \w+)")


class MySQLTampering(Tampering):
    """Mends by the lines of SHOW CREATE TABLE, which say a column or key as it was."""

    spoils: ClassVar[Mapping[Spoil, str]] = {
        **Tampering.spoils,
        Spoil.OTHER_TEXT: "CONCAT('\u00bf', SUBSTRING({c}, 2))",
        Spoil.CUT: "LEFT({c}, CHAR_LENGTH({c}) - 1)",
        Spoil.PADDED: "CONCAT({c}, ' ')",
        Spoil.OTHER_CASE: "IF(BINARY {c} = BINARY UPPER({c}), LOWER({c}), UPPER({c}))",
        Spoil.SINGLE: "CAST(CAST({c} AS FLOAT) AS DOUBLE)",
        Spoil.LAST_BIT: "{c} * 1.0000000000000002e0",
        Spoil.HOUR_LATER: "{c} + INTERVAL 1 HOUR",
        Spoil.DAY_LATER: "{c} + INTERVAL 1 DAY",
        Spoil.WHOLE_SECONDS: "{c} - INTERVAL MICROSECOND({c}) MICROSECOND",
        Spoil.FLIPPED: "1 - {c}",
        Spoil.OTHER_BYTE: "CONCAT(CHAR(ASCII({c}) ^ 1), SUBSTRING({c}, 2))",
        Spoil.OTHER_KEY: """REPLACE({c}, '":', '_":')""",
    }

    @override
    def characters_of(self, cell: str) -> str:
        return cell

    @override
    def differs(self, one: str, two: str) -> str:
        return f"NOT (CAST({one} AS BINARY) <=> CAST({two} AS BINARY))"

    @override
    def unguarded(self) -> tuple[str, ...]:
        return ("SET foreign_key_checks = 0",)

    @override
    def guarded(self) -> tuple[str, ...]:
        return ("SET foreign_key_checks = 1",)

    @override
    def _some(self, table: Table, where: str, rows: int) -> str:
        return (f" WHERE {where}" if where else "") + f" LIMIT {rows}"

    @override
    def copy_rows(
        self, table: Table, columns: Sequence[str], to: Mapping[str, str], rows: int
    ) -> str:
        cells = ", ".join(to.get(c, self.quote(c)) for c in columns)
        name = self.table(table.name)
        return (
            f"INSERT INTO {name} ({self.columns(columns)}) SELECT * FROM "
            f"(SELECT {cells} FROM {name} LIMIT {rows}) datamig_copied"
        )

    # ---- parts of a table

    @override
    def lose_table(self, session: "Queryable", table: Table) -> Harm | None:
        name, other = self.table(table.name), self.quote(f"{table.name.name}_x")
        return Harm((f"RENAME TABLE {name} TO {other}",), (f"RENAME TABLE {other} TO {name}",))

    @override
    def lose_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        return None  # its values could not be brought back: `rename_column` is found the same way

    @override
    def retype_column(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        return self._modified(session, table, column, f"{self.quote(column.name)} LONGTEXT")

    @override
    def lose_not_null(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        line = self._line(session, table, self.quote(column.name))
        return self._modified(session, table, column, line.replace(" NOT NULL", " NULL", 1))

    @override
    def lose_default(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        line = self._line(session, table, self.quote(column.name))
        change = f"ALTER COLUMN {self.quote(column.name)} DROP DEFAULT"
        return self._altered(table, change, self._alter(table, f"MODIFY COLUMN {line}"))

    @override
    def recollate(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        line = self._line(session, table, self.quote(column.name))
        found = session.query(
            "SELECT collation_name FROM information_schema.columns WHERE table_schema = DATABASE() "
            "AND table_name = %s AND column_name = %s",
            (table.name.name, column.name),
        )
        if not line or not found or not found[0][0]:
            return None
        now = str(found[0][0])
        texts = now.partition("_")[0]
        folded = "unicode_ci" if texts.startswith("utf") else "general_ci"
        other = f"{texts}_{folded if now.endswith('_bin') else 'bin'}"
        if f" COLLATE {now}" in line:
            to = line.replace(f" COLLATE {now}", f" COLLATE {other}", 1)
        else:  # it has the table's
            to = _AFTER_TYPE.sub(rf"\g<0> COLLATE {other}", line, count=1)
        return self._modified(session, table, column, to)

    @override
    def lose_collation(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        asked = "SELECT @@character_set_database, @@collation_database"
        charset, collation = session.query(asked)[0]
        line = self._line(session, table, self.quote(column.name))
        bare = _COLLATION.sub("", line, count=1)
        to = _AFTER_TYPE.sub(rf"\g<0> CHARACTER SET {charset} COLLATE {collation}", bare, count=1)
        return self._modified(session, table, column, to)

    @override
    def lose_comment(
        self, session: "Queryable", table: Table, column: Column | None
    ) -> Harm | None:
        if column is None:
            back = self._alter(table, f"COMMENT = {self.literal(table.comment)}")
            return self._altered(table, "COMMENT = ''", back)
        line = self._line(session, table, self.quote(column.name))
        return self._modified(session, table, column, line.partition(" COMMENT '")[0])

    @override
    def set_back(self, session: "Queryable", table: Table, column: Column) -> Harm | None:
        if self._behind_rows(session, table, column):
            return None  # the engine itself counts on from the highest row
        now = dict(table.counters).get(column.name, 1)
        return self._altered(
            table, "AUTO_INCREMENT = 1", self._alter(table, f"AUTO_INCREMENT = {now}")
        )

    @override
    def lose_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        return self._without_key(session, table, index.name)

    @override
    def loosen_index(self, session: "Queryable", table: Table, index: Index) -> Harm | None:
        line = self._line(session, table, f"UNIQUE KEY {self.quote(index.name)}")
        drop = f"DROP INDEX {self.quote(index.name)}"
        plain = line.removeprefix("UNIQUE ")
        back = self._alter(table, f"{drop}, ADD {line}")
        return self._altered(table, f"{drop}, ADD {plain}", back)

    @override
    def lose_primary_key(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        line = self._line(session, table, "PRIMARY KEY")
        return self._altered(table, "DROP PRIMARY KEY", self._alter(table, f"ADD {line}"))

    @override
    def lose_unique(self, session: "Queryable", table: Table, key: Key) -> Harm | None:
        return self._without_key(session, table, key.name)

    @override
    def lose_check(self, session: "Queryable", table: Table, check: Check) -> Harm | None:
        line = self._line(session, table, f"CONSTRAINT {self.quote(check.name)} CHECK")
        drop = f"DROP CONSTRAINT {self.quote(check.name)}"
        return self._altered(table, drop, self._alter(table, f"ADD {line}")) if line else None

    @override
    def lose_foreign_key(self, session: "Queryable", table: Table, key: ForeignKey) -> Harm | None:
        line = self._line(session, table, f"CONSTRAINT {self.quote(key.name)} FOREIGN KEY")
        drop = f"DROP FOREIGN KEY {self.quote(key.name)}"
        return self._altered(table, drop, self._alter(table, f"ADD {line}"))

    def _without_key(self, session: "Queryable", table: Table, name: str) -> Harm | None:
        text = self._shown(session, table)
        line = next((x for x in text if f"KEY {self.quote(name)} (" in x), "")
        drop = f"DROP INDEX {self.quote(name)}"
        return self._altered(table, drop, self._alter(table, f"ADD {line}")) if line else None

    def _modified(self, session: "Queryable", table: Table, column: Column, to: str) -> Harm | None:
        line = self._line(session, table, self.quote(column.name))
        if not line or line == to:
            return None
        back = self._alter(table, f"MODIFY COLUMN {line}")
        return self._altered(table, f"MODIFY COLUMN {to}", back)

    def _alter(self, table: Table, change: str) -> str:
        return f"ALTER TABLE {self.table(table.name)} {change}"

    def _line(self, session: "Queryable", table: Table, lead: str) -> str:
        """Return what SHOW CREATE TABLE says of one part; '' if there is none that begins so."""
        return next((x for x in self._shown(session, table) if x.startswith(f"{lead} ")), "")

    def _shown(self, session: "Queryable", table: Table) -> list[str]:
        text = str(session.query(f"SHOW CREATE TABLE {self.table(table.name)}")[0][1])
        return [line.strip().removesuffix(",") for line in text.splitlines()[1:]]
