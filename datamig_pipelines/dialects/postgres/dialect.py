"""PostgreSQL as a source and as a target."""

from collections.abc import Iterator, Sequence
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
    SchemaObject,
    Table,
    TableName,
    Type,
    View,
)
from datamig_pipelines.dialects.base import Dialect, Queryable
from datamig_pipelines.dialects.capabilities import Alchemy, Capabilities, Limit, Referable, Wire
from datamig_pipelines.dialects.dumping import Beside, DumpOrder, DumpStream
from datamig_pipelines.dialects.fitting import Beyond, Limits
from datamig_pipelines.dialects.keeping import Scratch
from datamig_pipelines.dialects.postgres import (
    backup,
    beside_reader,
    canonical,
    casting,
    catalog_reader,
    copying,
    courtesy,
    cutting,
    declaring,
    defaults,
    driver,
    failures,
    fitting,
    naming,
    ranges,
    rendering,
    replacing,
    statements,
    types,
)
from datamig_pipelines.dialects.postgres.tampering import PostgresTampering
from datamig_pipelines.dialects.reading import Cast, Compared, KeyPart, Landing, Read, Row
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import EngineError


class Postgres(PostgresTampering, Dialect):
    """PostgreSQL 13 and later, spoken to with psycopg 3; rows travel as COPY on libpq's level."""

    name: ClassVar[str] = "postgresql"
    label: ClassVar[str] = "PostgreSQL"
    sqlglot: ClassVar[str] = "postgres"
    placeholder: ClassVar[str] = "%s"
    alchemy: ClassVar[Alchemy | None] = Alchemy(
        "postgresql+psycopg2", (("options", "-c default_transaction_read_only=on"),)
    )
    can: ClassVar[Capabilities] = Capabilities(
        sends=(Wire.COPY_BINARY, Wire.COPY_TEXT, Wire.COPY_CSV),
        takes=(Wire.COPY_BINARY, Wire.COPY_TEXT),
        schemas=True,
        transactional_ddl=True,
        add_keys=True,
        add_foreign_keys=True,
        rebuild_foreign_keys=False,
        cyclic_foreign_keys=True,
        referable=Referable.UNIQUE_INDEX,
        shared_snapshot=True,
        concurrent_writers=True,
        max_identifier_bytes=naming.MAX_IDENTIFIER_BYTES,
        partial_indexes=True,
        names_ignore_case=False,
        counts_any_column=True,
        descending_indexes=True,
        expression_indexes=True,
        only_rows=False,
        fulltext_indexes=True,
        foreign_key_actions=True,
        loads_by_cast=True,
        limits=(Limit.LOCK, Limit.STATEMENT, Limit.LAG),
        whose_session="SELECT session_user::text",
    )

    # ---- what fits

    @override
    def limits(self) -> Limits:
        return fitting.LIMITS

    @override
    def beyond(self, how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
        return fitting.beyond(how, sql, bound) or super().beyond(how, sql, bound)

    # ---- scripts

    @override
    def script_head(self) -> list[str]:
        return ["SET client_encoding = 'UTF8';"]

    @override
    def script(self, statement: Statement) -> str:
        whole = super().script(statement)
        return whole if ";\n" not in whole else f"{self.begin()};\n{whole}\nCOMMIT;"

    # ---- driver

    @override
    def connect(self, url: URL, *, readonly: bool) -> Any:
        return driver.connect(url, readonly=readonly)

    @override
    def driver_errors(self) -> tuple[type[BaseException], ...]:
        import psycopg

        return (psycopg.Error,)

    @override
    def translate(self, error: BaseException) -> EngineError:
        return failures.translate(error)

    @override
    def query(
        self, connection: Any, sql: str, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        return driver.query(connection, sql, parameters)

    @override
    def share_snapshot(self, connections: Sequence[Any]) -> str:
        return driver.share_snapshot(connections)

    @override
    def lock_run(self, connection: Any, name: str) -> bool:
        return driver.lock_run(connection, name)

    @override
    def set_limits(
        self, session: Queryable, lock_timeout_s: float | None, statement_timeout_s: float | None
    ) -> None:
        courtesy.set_limits(session, lock_timeout_s, statement_timeout_s)

    @override
    def replication_lag_s(self, session: Queryable) -> float | None:
        return courtesy.replication_lag_s(session)

    # ---- names, catalog, types

    @override
    def default_schema(self, url: URL) -> str:
        return "public"

    @override
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        return catalog_reader.read_catalog(session, schema)

    @override
    def default_collation(self, session: Queryable) -> str | None:
        return None  # no column that we make has one of its own

    @override
    def declare(self, type_: Type) -> tuple[Type, str]:
        return declaring.declare(type_)

    @override
    def parse_type(self, declaration: str) -> Type:
        return types.parse_type(declaration)

    @override
    def default_sql(self, default: Default, type_: Type) -> str | None:
        return defaults.write_default(default, type_)

    # ---- rows

    @override
    def select(self, read: Read) -> str:
        return rendering.select(read)

    @override
    def stream(self, connection: Any, read: Read) -> Iterator[Row]:
        only = catalog_reader.has_heirs(connection, read.table)
        select = rendering.select(read, only=only)
        return copying.copy_out(connection, select, read.wire, by_place=not read.key)

    @override
    def stream_lists(self, connection: Any, read: Read) -> Iterator[list[Row]]:
        only = catalog_reader.has_heirs(connection, read.table)
        select = rendering.select(read, only=only)
        return copying.copy_out_lists(connection, select, read.wire, by_place=not read.key)

    @override
    def stream_select(self, connection: Any, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        return driver.stream_select(connection, sql)

    @override
    def write(self, connection: Any, landing: Landing, payload: Any) -> int:
        columns = self.columns(landing.names)
        copy = f"COPY {self.table(landing.table.name)} ({columns}) FROM STDIN"
        return copying.copy_in(connection, copy, payload, landing.wire)

    @override
    def in_range(
        self,
        table: TableName,
        key: Sequence[KeyPart],
        after: tuple[str, ...] | None,
        upto: tuple[str, ...] | None,
    ) -> str:
        return ranges.in_range(table, key, after, upto)

    @override
    def cut_points(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        return cutting.cut_points(session, read, parts)

    @override
    def same_order(self, type_: Type) -> str:
        return ranges.same_order(type_)

    @override
    def page_cuts(self, session: Queryable, table: TableName, parts: int) -> list[int]:
        return cutting.page_cuts(session, table, parts)

    # ---- proofs

    @override
    def cast(self, sql: str, held: Type, into: Type, *, own: bool) -> Cast | None:
        return casting.cast(sql, held, into) if own else None

    @override
    def single(self, sql: str) -> str:
        return f"({sql})::real"

    @override
    def canonical(self, column: Compared) -> str:
        return canonical.canonical(column)

    @override
    def fingerprint_sql(self, table: str, cells: Sequence[str], where: str) -> str:
        return canonical.fingerprint_sql(table, cells, where)

    @override
    def row_hash(self, cells: Sequence[str]) -> str:
        return canonical.row_hash(cells)

    @override
    def times(self, part: KeyPart, width: int) -> str:
        return ranges.times(part, width)

    @override
    def buckets_sql(self, table: str, bucket: str, cells: Sequence[str], where: str) -> str:
        return canonical.buckets_sql(table, bucket, cells, where)

    @override
    def rows_of(self, table: str, where: str = "") -> str:
        return canonical.rows_of(table, where)

    @override
    def range_cuts(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        return cutting.range_cuts(session, read, parts)

    @override
    def blob_literal(self, digits: str) -> str:
        return f"decode({self.literal(digits)}, 'hex')"

    @override
    def count(self, table: str, where: str = "") -> str:
        conditions = [c for c in (canonical.own_rows(table), f"({where})" if where else "") if c]
        return super().count(table, " AND ".join(conditions))

    # ---- DDL

    @override
    def create_types(self, table: Table) -> list[Statement]:
        return statements.create_types(table)

    @override
    def create_table(
        self, table: Table, *, keys: bool, foreign_keys: bool, if_missing: bool = False
    ) -> Statement:
        return statements.create_table(
            table, keys=keys, foreign_keys=foreign_keys, if_missing=if_missing
        )

    @override
    def column_sql(self, table: Table, column: Column) -> str:
        return statements.column_sql(table, column)

    @override
    def identity_sql(self, table: Table, column: Column) -> str:
        return statements.identity_sql(table, column)

    @override
    def foreign_key_sql(self, key: ForeignKey) -> str:
        return statements.foreign_key_sql(key)

    @override
    def add_primary_key(self, table: Table, key: Key) -> list[Statement]:
        return statements.add_primary_key(table, key)

    @override
    def add_unique(self, table: Table, key: Key) -> list[Statement]:
        return statements.add_unique(table, key)

    @override
    def create_index(self, table: Table, index: Index) -> list[Statement]:
        return statements.create_index(table, index)

    @override
    def set_counter(self, table: Table, column: str, next_value: int) -> list[Statement]:
        return statements.set_counter(table, column, next_value)

    @override
    def create_view(self, view: View) -> list[Statement]:
        return statements.create_view(view)

    @override
    def drop_table(self, table: Table) -> list[Statement]:
        return statements.drop_table(table)

    @override
    def drop_view(self, view: View) -> list[Statement]:
        return statements.drop_view(view)

    @override
    def kept(self, table: Table) -> Table:
        return statements.kept(table)

    @override
    def create_object(self, made: SchemaObject) -> list[Statement]:
        return statements.create_object(made)

    @override
    def drop_object(self, made: SchemaObject) -> list[Statement]:
        return statements.drop_object(made)

    @override
    def truncate(self, table: TableName) -> str:
        return f"TRUNCATE {self.table(table)}"

    # ---- backup

    dump_stream: ClassVar[DumpStream | None] = backup.Streamed()
    drops_grants: ClassVar[bool] = True

    @override
    def dump(
        self,
        url: URL,
        schema: str,
        folder: Path,
        order: DumpOrder = DumpOrder(),  # noqa: B008 (frozen)
    ) -> list[Path]:
        return backup.dump(url, folder, order)

    @override
    def dump_tool(self, url: URL) -> str:
        return backup.dump_tool(url)

    @override
    def restore(self, url: URL, files: Sequence[Path]) -> None:
        backup.restore(url, files)

    @override
    def beside(self, session: Queryable) -> Beside:
        return beside_reader.read_beside(session)

    @override
    def replace(self, connection: Any, url: URL, files: Sequence[Path]) -> None:
        replacing.replace(url, files)

    @override
    def export_snapshot(self, session: Queryable) -> str:
        return str(session.query("SELECT pg_export_snapshot()")[0][0])

    @override
    def scratch(self, url: URL, folder: Path, name: str = "", like: URL | None = None) -> Scratch:
        return backup.ScratchDatabase(url, name, like)
