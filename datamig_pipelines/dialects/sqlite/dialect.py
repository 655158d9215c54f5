"""SQLite's facts, and where to find what it says."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.engine import URL
from typing_extensions import override

from datamig_pipelines.catalog import Catalog, Column, Default, Table, TableName, Type
from datamig_pipelines.dialects.base import Dialect, Queryable
from datamig_pipelines.dialects.capabilities import Alchemy, Capabilities, Limit, Referable, Wire
from datamig_pipelines.dialects.comparing import Measure, Measured
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.dialects.fitting import Beyond, Limits
from datamig_pipelines.dialects.keeping import Scratch
from datamig_pipelines.dialects.reading import (
    Cast,
    Compared,
    Fingerprint,
    KeyPart,
    Landing,
    Projection,
    Read,
    Row,
)
from datamig_pipelines.dialects.sqlite import (
    backup,
    casting,
    catalog_reader,
    columnar,
    defaults,
    driver,
    fingerprint,
    fitting,
    keys,
    position,
    rendering,
    replacing,
    types,
    writing,
)
from datamig_pipelines.dialects.sqlite.functions import ARMOURED, armour, form
from datamig_pipelines.dialects.sqlite.tampering import SQLiteTampering
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import EngineError


class SQLite(SQLiteTampering, Dialect):
    """SQLite 3.37 or later, through Python's own sqlite3."""

    name = "sqlite"
    label = "SQLite"
    sqlglot = "sqlite"
    regexp_operator: ClassVar[str | None] = None
    placeholder: ClassVar[str] = "?"
    alchemy: ClassVar[Alchemy | None] = Alchemy("sqlite")
    can = Capabilities(
        sends=(Wire.ARROW, Wire.CELLS),
        takes=(Wire.CELLS,),
        schemas=False,
        transactional_ddl=True,
        add_keys=False,
        add_foreign_keys=False,
        rebuild_foreign_keys=False,
        cyclic_foreign_keys=True,
        referable=Referable.UNIQUE_INDEX,
        shared_snapshot=False,
        concurrent_writers=False,
        max_identifier_bytes=1000,  # SQLite itself has no limit
        partial_indexes=True,
        names_ignore_case=True,
        counts_any_column=False,
        descending_indexes=True,
        expression_indexes=True,
        only_rows=False,
        fulltext_indexes=False,
        foreign_key_actions=True,
        loads_by_cast=False,
        limits=(Limit.LOCK,),
    )

    # ---- driver

    # ---- what fits

    @override
    def limits(self) -> Limits:
        return fitting.LIMITS

    @override
    def beyond(self, how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
        return fitting.beyond(how, sql, bound) or super().beyond(how, sql, bound)

    @override
    def connect(self, url: URL, *, readonly: bool) -> driver.Connection:
        return driver.connect(url, readonly=readonly)

    @override
    def driver_errors(self) -> tuple[type[BaseException], ...]:
        import sqlite3

        return (sqlite3.Error, OSError)

    @override
    def translate(self, error: BaseException) -> EngineError:
        return driver.translate(error)

    @override
    def query(
        self, connection: Any, sql: str, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        return driver.query(connection, sql, parameters)

    @override
    def share_snapshot(self, connections: Sequence[Any]) -> str:
        for connection in connections:
            self.query(connection, self.begin(), ())
            # BEGIN alone takes no snapshot: the first read does.
            self.query(connection, "SELECT count(*) FROM sqlite_master", ())
        return position.position(connections[0])

    @override
    def set_limits(
        self, session: Queryable, lock_timeout_s: float | None, statement_timeout_s: float | None
    ) -> None:
        if lock_timeout_s:
            session.query(f"PRAGMA busy_timeout = {round(lock_timeout_s * 1000)}")

    @override
    def file_missing(self, url: URL) -> bool:
        return not driver.path_of(url).exists()

    @override
    def file_bytes(self, url: URL) -> int:
        path = driver.path_of(url)
        return path.stat().st_size if path.exists() else 0

    @override
    def lock_run(self, connection: Any, name: str) -> bool:
        return driver.lock_run(connection, name)

    # ---- catalog and types

    @override
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        return catalog_reader.read_catalog(session)

    @override
    def has_table(self, session: Queryable, name: TableName) -> bool:
        sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
        return bool(session.query(sql, (name.name,))[0][0])

    @override
    def column_names(self, session: Queryable, name: TableName) -> list[str]:
        sql = "SELECT name FROM pragma_table_info(?)"
        return [column for (column,) in session.query(sql, (name.name,))]

    @override
    def declare(self, type_: Type) -> tuple[Type, str]:
        return types.declare(type_)

    @override
    def parse_type(self, declaration: str) -> Type:
        return types.parse(declaration)

    @override
    def default_sql(self, default: Default, type_: Type) -> str:
        return defaults.default_sql(default, type_)

    # ---- reading and writing

    @override
    def can_send(
        self, wire: Wire, columns: Sequence[Projection], key: Sequence[KeyPart], where: str
    ) -> bool:
        return wire is not Wire.ARROW or columnar.can_send(columns, key, where)

    @override
    def select(self, read: Read) -> str:
        return columnar.select(read) if read.wire is Wire.ARROW else rendering.select(read)

    @override
    def stream(self, connection: Any, read: Read) -> Iterator[Row]:
        for rows in self.stream_lists(connection, read):
            yield from rows

    @override
    def stream_lists(self, connection: Any, read: Read) -> Iterator[list[Row]]:
        if read.wire is Wire.ARROW:
            return columnar.stream_lists(connection, read)  # type: ignore[return-value]
        return rendering.cells(driver.batches(connection, rendering.select(read)), read)

    @override
    def stream_select(self, connection: Any, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        return driver.batches(connection, sql)

    @override
    def in_range(
        self,
        table: TableName,
        key: Sequence[KeyPart],
        after: tuple[str, ...] | None,
        upto: tuple[str, ...] | None,
    ) -> str:
        return keys.in_range(key, after, upto)

    @override
    def cut_points(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        """Return none: a file has one reader, and no statistics that are worth a scan by it."""
        return []

    @override
    def same_order(self, type_: Type) -> str:
        return keys.same_order(type_)

    @override
    def cast(self, sql: str, held: Type, into: Type, *, own: bool) -> Cast | None:
        return casting.cast(sql, held, into)

    @override
    def single(self, sql: str) -> str:
        return f"datamig_single({sql})"

    @override
    def canonical(self, column: Compared) -> str:
        return f"datamig_canonical({self.literal(form(column))}, {column.sql})"

    @override
    def cell(self, column: Compared) -> str:
        carried = armour(column.sql)
        return f"datamig_canonical({self.literal(ARMOURED + form(column))}, {carried})"

    @override
    def row_hash(self, cells: Sequence[str]) -> str:
        if len(cells) <= fingerprint.GROUP:
            return f"datamig_hash({', '.join(cells)})"
        forms = fingerprint.TEXT_FORM
        groups = [cells[i : i + fingerprint.GROUP] for i in range(0, len(cells), fingerprint.GROUP)]
        joined = [f"datamig_row('{','.join([forms] * len(g))}', {', '.join(g)})" for g in groups]
        return f"datamig_hash({', '.join(joined)})"

    @override
    def exact_sum(self, sql: str) -> str:
        return f"datamig_sum({sql})"

    @override
    def octets(self, sql: str) -> str:
        return f"length(CAST({sql} AS BLOB))"

    @override
    def characters(self, sql: str) -> str:
        return f"datamig_length({sql})"

    @override
    def statistics(self, measured: Measured) -> tuple[str, str, str]:
        if measured.measure in (Measure.NONE, Measure.TEXT):
            return super().statistics(measured)
        cell = self.cell(measured.column)
        counts = int(measured.measure is Measure.NUMBER)
        ends = [f"datamig_{end}({cell}, {counts})" for end in ("least", "most")]
        return ends[0], ends[1], f"datamig_sum({cell})" if counts else "NULL"

    @override
    def truth_literal(self, *, value: bool) -> str:
        return "1" if value else "0"

    @override
    def range_cuts(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        found = session.query(keys.range_cuts(read, self.table(read.table), parts))
        return [tuple(row[:-1]) for row in found]

    @override
    def fingerprint(
        self, session: Queryable, table: str, columns: Sequence[Compared], where: str = ""
    ) -> Fingerprint:
        return fingerprint.fingerprint(session, table, columns, where)

    @override
    def fingerprints(
        self,
        session: Queryable,
        table: str,
        columns: Sequence[Compared],
        bucket: str,
        where: str = "",
    ) -> dict[int | None, Fingerprint]:
        return fingerprint.in_buckets(session, table, columns, bucket, where)

    @override
    def fingerprint_sql(self, table: str, cells: Sequence[str], where: str) -> str:
        return fingerprint.of_cells(table, cells, where)

    @override
    def write(self, connection: Any, landing: Landing, payload: Any) -> int:
        return writing.write(connection, landing, payload)

    # ---- DDL

    @override
    def key_stands_in_column(self, table: Table) -> bool:
        key = table.primary_key
        column = table.column(key.columns[0]) if key and len(key.columns) == 1 else None
        return column is not None and column.identity and column.type.native.upper() == "INTEGER"

    @override
    def column_sql(self, table: Table, column: Column) -> str:
        parts = [self.quote(column.name), column.type.native]
        keyed = table.primary_key is not None and column.name in table.primary_key.columns
        if column.generated is not None:
            parts.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
        elif keyed and self.key_stands_in_column(table):
            parts.append(f"PRIMARY KEY {self.identity_sql(table, column)}")
        elif column.default is not None:
            parts.append(f"DEFAULT {self.default_sql(column.default, column.type)}")
        if not column.nullable:
            parts.append("NOT NULL")
        return " ".join(p for p in parts if p)

    @override
    def kept(self, table: Table) -> Table:
        """Return a table without comments, counters that are no row number, and covered columns."""
        counts = self.key_stands_in_column(table)
        columns = tuple(
            replace(c, comment="", identity=c.identity and counts) for c in table.columns
        )
        indexes = tuple(replace(i, include=()) for i in table.indexes)
        return replace(table, columns=columns, indexes=indexes, comment="")

    @override
    def identity_sql(self, table: Table, column: Column) -> str:
        return "AUTOINCREMENT" if self.key_stands_in_column(table) else ""

    @override
    def set_counter(self, table: Table, column: str, next_value: int) -> list[Statement]:
        key = table.primary_key
        if key is None or key.columns != (column,) or not self.key_stands_in_column(table):
            return []
        name = table.name.name
        return [
            Statement(
                "DELETE FROM sqlite_sequence WHERE name = ?", (name,), purpose=f"counter of {name}"
            ),
            Statement(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
                (name, next_value - 1),
                purpose=f"counter of {name}",
            ),
        ]

    # ---- backup

    dumps_whole: ClassVar[bool] = True

    @override
    def dump(
        self,
        url: URL,
        schema: str,
        folder: Path,
        order: DumpOrder = DumpOrder(),  # noqa: B008 (frozen)
    ) -> list[Path]:
        return backup.dump(url, folder)

    @override
    def dump_tool(self, url: URL) -> str:
        return backup.dump_tool()

    @override
    def restore(self, url: URL, files: Sequence[Path]) -> None:
        backup.restore(url, files)

    @override
    def replace(self, connection: Any, url: URL, files: Sequence[Path]) -> None:
        replacing.replace(url, files)

    @override
    def scratch(self, url: URL, folder: Path, name: str = "", like: URL | None = None) -> Scratch:
        return backup.ScratchFile(url, folder, name)
