"""The dialect: facts, names and statements."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.engine import URL
from typing_extensions import override

from datamig_pipelines.catalog import (
    Catalog,
    Column,
    Default,
    ForeignKey,
    Index,
    Key,
    Kind,
    SchemaObject,
    Table,
    TableName,
    Type,
)
from datamig_pipelines.dialects.base import Dialect, Queryable
from datamig_pipelines.dialects.capabilities import Capabilities, Referable, Wire
from datamig_pipelines.dialects.duckdb import (
    backup,
    canonical,
    casting,
    catalog_reader,
    ddl,
    defaults,
    driver,
    fitting,
    ranges,
    rendering,
    replacing,
    types,
)
from datamig_pipelines.dialects.duckdb.landing import write
from datamig_pipelines.dialects.duckdb.tampering import DuckDBTampering
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.dialects.fitting import Beyond, Limits
from datamig_pipelines.dialects.keeping import Scratch
from datamig_pipelines.dialects.reading import Cast, Compared, KeyPart, Landing, Read, Row
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import EngineError, TypeUnsupportedError


class DuckDB(DuckDBTampering, Dialect):
    """DuckDB 1.5, a file."""

    name: ClassVar[str] = "duckdb"
    label: ClassVar[str] = "DuckDB"
    sqlglot: ClassVar[str] = "duckdb"
    can: ClassVar[Capabilities] = Capabilities(
        sends=(Wire.CELLS,),
        takes=(Wire.ARROW,),
        schemas=True,
        transactional_ddl=True,
        add_keys=True,
        add_foreign_keys=False,
        rebuild_foreign_keys=True,
        cyclic_foreign_keys=False,  # a reference to the own table is checked row by row
        referable=Referable.CONSTRAINT,
        shared_snapshot=False,
        concurrent_writers=False,
        max_identifier_bytes=1000,  # DuckDB has no limit
        partial_indexes=False,
        names_ignore_case=True,
        counts_any_column=True,
        descending_indexes=False,
        expression_indexes=True,
        only_rows=False,
        fulltext_indexes=False,
        foreign_key_actions=False,
        loads_by_cast=False,
        limits=(),
        unindexable=frozenset({Kind.INTERVAL, Kind.DURATION, Kind.ARRAY}),
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
        """Open a file; the connection is a thin holder of DuckDB's own (``.raw``)."""
        return driver.connect(url, readonly=readonly)

    @override
    def driver_errors(self) -> tuple[type[BaseException], ...]:
        import duckdb

        return (duckdb.Error,)

    @override
    def translate(self, error: BaseException) -> EngineError:
        return driver.translate(error)

    @override
    def query(
        self, connection: Any, sql: str, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        return driver.query(connection, sql, parameters)

    @override
    def begin(self) -> str:
        return "BEGIN TRANSACTION"

    @override
    def literal(self, text: str) -> str:
        return ranges.literal(text)

    @override
    def file_missing(self, url: URL) -> bool:
        return not driver.path_of(url).exists()

    @override
    def file_bytes(self, url: URL) -> int:
        path = driver.path_of(url)
        return path.stat().st_size if path.exists() else 0

    @override
    def default_schema(self, url: URL) -> str:
        return "main"

    # ---- catalog and types

    @override
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        return catalog_reader.read_catalog(session, schema)

    @override
    def declare(self, type_: Type) -> tuple[Type, str]:
        return types.declare(type_)

    @override
    def parse_type(self, declaration: str) -> Type:
        found = types.parse(declaration)
        if found is None:
            hint = "Write it as in DuckDB's CREATE TABLE, such as DECIMAL(18,4) or VARCHAR."
            raise TypeUnsupportedError(f"DuckDB has no type {declaration!r}", hint=hint)
        return found

    @override
    def default_sql(self, default: Default, type_: Type) -> str | None:
        return defaults.write(default, type_)

    # ---- reading and writing

    @override
    def select(self, read: Read) -> str:
        return rendering.select(read, self.table(read.table))

    @override
    def stream(self, connection: Any, read: Read) -> Iterator[Row]:
        for rows in self.stream_lists(connection, read):
            yield from rows

    @override
    def stream_lists(self, connection: Any, read: Read) -> Iterator[list[Row]]:
        return rendering.stream_lists(connection, self.select(read))

    @override
    def stream_select(self, connection: Any, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        return rendering.stream_lists(connection, sql)  # type: ignore[return-value]

    @override
    def record_batches(self, connection: Any, sql: str) -> Iterator[Any]:
        yield from driver.record_batches(connection, sql)

    @override
    def octets(self, sql: str) -> str:
        return f"strlen({sql})"

    @override
    def in_range(
        self,
        table: TableName,
        key: Sequence[KeyPart],
        after: tuple[str, ...] | None,
        upto: tuple[str, ...] | None,
    ) -> str:
        return ranges.in_range(key, after, upto)

    @override
    def cut_points(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        if not read.key or parts < 2:
            return []
        table = self.table(read.table)
        rows = session.query(self.count(table))[0][0]
        return [
            tuple(found[:-1]) for found in session.query(ranges.cutting(read, table, rows, parts))
        ]

    @override
    def same_order(self, type_: Type) -> str:
        return ranges.same_order(type_)

    @override
    def row_hash(self, cells: Sequence[str]) -> str:
        return canonical.row_hash(cells)

    @override
    def range_cuts(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        found = session.query(ranges.cutting(read, self.table(read.table), 0, parts))
        return [tuple(row[:-1]) for row in found]

    @override
    def characters(self, sql: str) -> str:
        return f"length({sql})"

    @override
    def blob_literal(self, digits: str) -> str:
        return f"from_hex({self.literal(digits)})"

    @override
    def cast(self, sql: str, held: Type, into: Type, *, own: bool) -> Cast | None:
        return casting.cast(sql, held, into)

    @override
    def canonical(self, column: Compared) -> str:
        return canonical.canonical(column)

    @override
    def fingerprint_sql(self, table: str, cells: Sequence[str], where: str) -> str:
        return canonical.fingerprint(table, cells, where)

    @override
    def times(self, part: KeyPart, width: int) -> str:
        return ranges.times(part, width)

    @override
    def write(self, connection: Any, landing: Landing, payload: Any) -> int:
        return write(connection, landing, payload, self.table(landing.table.name))

    # ---- statements

    @override
    def create_types(self, table: Table) -> list[Statement]:
        """Return the counters of identity columns; they start where the source's stand."""
        return [
            Statement(
                f"CREATE SEQUENCE IF NOT EXISTS {ddl.sequence(table, c.name)} "
                f"START {ddl.next_of(table, c.name)}",
                purpose=f"counter of {table.name}.{c.name}",
            )
            for c in table.columns
            if c.identity
        ]

    @override
    def identity_sql(self, table: Table, column: Column) -> str:
        return f"DEFAULT nextval({self.literal(ddl.sequence(table, column.name))})"

    @override
    def column_sql(self, table: Table, column: Column) -> str:
        """Return one column; generated ones are virtual, DuckDB stores none."""
        if column.generated is None:
            return super().column_sql(table, column)
        head = f"{self.quote(column.name)} {column.type.native}"
        return f"{head} GENERATED ALWAYS AS ({column.generated}) VIRTUAL"

    @override
    def foreign_key_sql(self, key: ForeignKey) -> str:
        """Return the reference without actions and deferral: DuckDB has neither."""
        return super().foreign_key_sql(ddl.kept_key(key))

    @override
    def add_unique(self, table: Table, key: Key) -> list[Statement]:
        name = key.name or "_".join((table.name.name, *key.columns, "key"))
        return super().add_unique(table, replace(key, name=name))

    @override
    def create_table(
        self, table: Table, *, keys: bool, foreign_keys: bool, if_missing: bool = False
    ) -> Statement:
        """Return CREATE TABLE, and the comments of the table and its columns behind it."""
        made = super().create_table(
            table, keys=keys, foreign_keys=foreign_keys, if_missing=if_missing
        )
        return replace(made, sql=";\n".join([made.sql, *ddl.comments(table)]))

    @override
    def rebuild(self, table: Table) -> list[Statement]:
        """Return the statements that build a loaded table anew, with all its keys.

        The old table is renamed and the new one gets its name at once: a table that is renamed
        after others refer to it, or it to them, is not found any more when the parent's rows are
        deleted (1.5.5). Indexes come afterwards: they would forbid the renaming.
        """
        old = ddl.old_name(table)
        names = self.columns([c.name for c in table.columns if c.generated is None])
        to = self.quote(old.name.name)
        purpose = f"rebuild {table.name} with its keys"
        return [
            Statement(f"ALTER TABLE {self.table(table.name)} RENAME TO {to}", purpose=purpose),
            self.create_table(table, keys=True, foreign_keys=True),
            Statement(
                f"INSERT INTO {self.table(table.name)} ({names}) "
                f"SELECT {names} FROM {self.table(old.name)}",
                purpose=purpose,
            ),
            Statement(f"DROP TABLE {self.table(old.name)}", purpose=purpose),
        ]

    @override
    def create_index(self, table: Table, index: Index) -> list[Statement]:
        """Return CREATE INDEX without orders; [] for partial ones and foreign methods."""
        if not ddl.can_index(index):
            return []
        parts = tuple(replace(p, descending=False, prefix=None) for p in index.parts)
        return super().create_index(table, replace(index, parts=parts))

    @override
    def set_counter(self, table: Table, column: str, next_value: int) -> list[Statement]:
        """Return a statement that draws values up to ``next_value``; [] if it starts there already.

        DuckDB can neither set nor restart a sequence, but draws 20 million values in a second.
        """
        missing = next_value - ddl.next_of(table, column)
        if missing <= 0:
            return []
        name = self.literal(ddl.sequence(table, column))
        return [
            Statement(
                f"SELECT max(nextval({name})) FROM range({missing})",
                purpose=f"counter of {table.name}.{column} to {next_value}",
            )
        ]

    @override
    def kept(self, table: Table) -> Table:
        return ddl.kept(table)

    @override
    def create_object(self, made: SchemaObject) -> list[Statement]:
        return super().create_object(ddl.placed(made))

    @override
    def drop_object(self, made: SchemaObject) -> list[Statement]:
        return super().drop_object(ddl.placed(made))

    @override
    def drop_table(self, table: Table) -> list[Statement]:
        sequences = [
            Statement(f"DROP SEQUENCE IF EXISTS {ddl.sequence(table, c.name)}", purpose=s.purpose)
            for s in super().drop_table(table)
            for c in table.columns
            if c.identity
        ]
        return [*super().drop_table(table), *sequences]

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
        replacing.replace(connection, url, files)

    @override
    def scratch(self, url: URL, folder: Path, name: str = "", like: URL | None = None) -> Scratch:
        return backup.ScratchFile(folder, name)

    @override
    def lock_run(self, connection: Any, name: str) -> bool:
        locked: bool = connection.lock()
        return locked
