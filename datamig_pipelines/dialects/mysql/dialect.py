"""MySQL and MariaDB as an engine: facts, and the door to everything else in this folder."""

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
from datamig_pipelines.dialects.base import RUN_LOCK, Dialect, Queryable
from datamig_pipelines.dialects.capabilities import Alchemy, Capabilities, Limit, Referable, Wire
from datamig_pipelines.dialects.dumping import Beside, DumpOrder, DumpStream
from datamig_pipelines.dialects.fitting import Beyond, Limits
from datamig_pipelines.dialects.keeping import Scratch
from datamig_pipelines.dialects.mysql import (
    backup,
    beside_reader,
    canonical,
    casting,
    catalog_reader,
    courtesy,
    cutting,
    declaring,
    defaults,
    driver,
    failures,
    fitting,
    loading,
    names,
    packets,
    recovery,
    replacing,
    selecting,
    snapshot,
    statements,
    types,
)
from datamig_pipelines.dialects.mysql.landing import load_sql
from datamig_pipelines.dialects.mysql.tampering import MySQLTampering
from datamig_pipelines.dialects.reading import Cast, Compared, KeyPart, Landing, Read, Row
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import EngineError


class MySQL(MySQLTampering, Dialect):
    """MySQL and MariaDB, loaded by LOAD DATA. A database is what others call a schema."""

    name: ClassVar[str] = "mysql"
    label: ClassVar[str] = "MySQL/MariaDB"
    sqlglot: ClassVar[str] = "mysql"
    regexp_operator: ClassVar[str | None] = "REGEXP"
    placeholder: ClassVar[str] = "%s"
    alchemy: ClassVar[Alchemy | None] = Alchemy(
        "mysql+pymysql", (("init_command", "SET SESSION TRANSACTION READ ONLY"),)
    )
    can: ClassVar[Capabilities] = Capabilities(
        sends=(Wire.COPY_TEXT, Wire.CELLS),
        takes=(Wire.COPY_TEXT,),
        schemas=False,
        transactional_ddl=False,
        add_keys=True,
        add_foreign_keys=True,
        rebuild_foreign_keys=False,
        cyclic_foreign_keys=True,
        referable=Referable.INDEX,
        shared_snapshot=True,
        concurrent_writers=True,
        max_identifier_bytes=64,  # characters, really: 64 bytes is the cautious reading
        partial_indexes=False,
        names_ignore_case=True,  # columns, keys and, on many servers, tables
        counts_any_column=False,
        descending_indexes=True,
        expression_indexes=False,
        only_rows=False,
        fulltext_indexes=True,
        foreign_key_actions=True,
        loads_by_cast=False,
        limits=(Limit.LOCK, Limit.STATEMENT),
        whose_session="SELECT CURRENT_USER()",
    )

    # ---- what fits

    @override
    def limits(self) -> Limits:
        return fitting.LIMITS

    @override
    def beyond(self, how: Beyond, sql: str, bound: tuple[int, ...]) -> str:
        return fitting.beyond(how, sql, bound) or super().beyond(how, sql, bound)

    @override
    def script_head(self) -> list[str]:
        return ["SET NAMES utf8mb4;", f"SET SESSION sql_mode = '{driver.SQL_MODE}';"]

    @override
    def script(self, statement: Statement) -> str:
        whole = super().script(statement)
        if ";" not in whole[:-1]:
            return whole
        return f"DELIMITER $datamig$\n{whole[:-1]}$datamig$\nDELIMITER ;"

    @override
    def connect(self, url: URL, *, readonly: bool) -> Any:
        return driver.connect(url, readonly=readonly)

    @override
    def driver_errors(self) -> tuple[type[BaseException], ...]:
        import pymysql

        return (pymysql.err.MySQLError,)

    @override
    def translate(self, error: BaseException) -> EngineError:
        return failures.translate(error)

    @override
    def query(
        self, connection: Any, sql: str, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        return driver.query(connection, sql, parameters)

    @override
    def begin(self) -> str:
        return "START TRANSACTION"

    @override
    def share_snapshot(self, connections: Sequence[Any]) -> str:
        return snapshot.share_snapshot(connections)

    @override
    def set_limits(
        self, session: Queryable, lock_timeout_s: float | None, statement_timeout_s: float | None
    ) -> None:
        courtesy.set_limits(session, lock_timeout_s, statement_timeout_s)

    @override
    def quote(self, name: str) -> str:
        return names.quote(name)

    @override
    def literal(self, text: str) -> str:
        return names.literal(text)

    @override
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        return catalog_reader.read_catalog(session, schema)

    @override
    def has_table(self, session: Queryable, name: TableName) -> bool:
        sql = (
            "SELECT COUNT(*) FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s"
        )
        return bool(session.query(sql, (name.name,))[0][0])

    @override
    def column_names(self, session: Queryable, name: TableName) -> list[str]:
        sql = (
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = %s"
        )
        return [column for (column,) in session.query(sql, (name.name,))]

    @override
    def default_collation(self, session: Queryable) -> str | None:
        return str(session.query("SELECT @@collation_database")[0][0])

    @override
    def declare(self, type_: Type) -> tuple[Type, str]:
        return declaring.declare(type_)

    @override
    def default_sql(self, default: Default, type_: Type) -> str | None:
        return defaults.write_default(default, type_)

    @override
    def parse_type(self, declaration: str) -> Type:
        return types.parse_type(declaration)

    @override
    def select(self, read: Read) -> str:
        return selecting.select(read, self.table(read.table))

    @override
    def stream(self, connection: Any, read: Read) -> Iterator[Row]:
        sql = self.select(read)
        if read.wire is Wire.COPY_TEXT:
            return packets.read_lines(connection, sql, selecting.piece_decoders(read))
        return packets.read_cells(connection, sql, selecting.cell_decoders(read))

    @override
    def stream_select(self, connection: Any, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        for row in packets.read_texts(connection, sql):
            yield [row]

    @override
    def in_range(
        self,
        table: TableName,
        key: Sequence[KeyPart],
        after: tuple[str, ...] | None,
        upto: tuple[str, ...] | None,
    ) -> str:
        return selecting.in_range(key, after, upto)

    @override
    def cut_points(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        return cutting.cut_points(session, read, parts, self.table(read.table))

    @override
    def same_order(self, type_: Type) -> str:
        return cutting.same_order(type_)

    @override
    def key_objection(self, type_: Type) -> str:
        return cutting.key_objection(type_)

    @override
    def fingerprint_sql(self, table: str, cells: Sequence[str], where: str) -> str:
        return canonical.fingerprint_sql(table, cells, where)

    @override
    def row_hash(self, cells: Sequence[str]) -> str:
        return canonical.row_hash(cells)

    @override
    def times(self, part: KeyPart, width: int) -> str:
        return cutting.times(part, width)

    @override
    def range_cuts(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        return cutting.range_cuts(session, read, parts, self.table(read.table))

    @override
    def truth_literal(self, *, value: bool) -> str:
        return "1" if value else "0"

    @override
    def cast(self, sql: str, held: Type, into: Type, *, own: bool) -> Cast | None:
        return casting.cast(sql, held, into)

    @override
    def canonical(self, column: Compared) -> str:
        return canonical.canonical(column)

    @override
    def joined(self, *texts: str) -> str:
        return f"CONCAT({', '.join(texts)})"

    # ---- writing

    @override
    def write(self, connection: Any, landing: Landing, payload: Any) -> int:
        sql = load_sql(landing, self.table(landing.table.name))
        return loading.load(connection, sql, payload)

    @override
    def lock_run(self, connection: Any, name: str) -> bool:
        """Take the lock; with the run's, enter into the ledger what a killed run could not.

        Not with a shard's: the run that is at work then is about to enter it itself, and an object
        that it has made just now would be taken for a killed run's and dropped.
        """
        if not driver.lock_run(connection, name):
            return False
        if name == RUN_LOCK:
            recovery.adopt(connection)
        return True

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
        return statements.column_sql(column)

    @override
    def add_primary_key(self, table: Table, key: Key) -> list[Statement]:
        """Return nothing: the key stands in CREATE TABLE."""
        return []

    @override
    def add_unique(self, table: Table, key: Key) -> list[Statement]:
        return statements.add_unique(table, key)

    @override
    def add_foreign_key(self, table: Table, key: ForeignKey) -> list[Statement]:
        return statements.add_foreign_key(table, key)

    @override
    def drop_foreign_key(self, table: Table, key: ForeignKey) -> list[Statement]:
        return statements.drop_foreign_key(table, key)

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
    def kept(self, table: Table) -> Table:
        return statements.kept(table)

    @override
    def create_object(self, made: SchemaObject) -> list[Statement]:
        """Return the note that it is about to be made, and its CREATE; see `recovery`."""
        return [*recovery.intend(f"objects:{made}", str(made)), *super().create_object(made)]

    @override
    def calm(self) -> list[Statement]:
        return [Statement(f"SET SESSION sql_mode = {self.literal(driver.SQL_MODE)}")]

    @override
    def analyze(self, table: TableName) -> list[Statement]:
        sql = f"ANALYZE NO_WRITE_TO_BINLOG TABLE {self.table(table)}"
        return [Statement(sql, purpose=f"statistics of {table}")]

    # ---- backup

    dump_stream: ClassVar[DumpStream | None] = backup.Streamed()
    replaces_at_once: ClassVar[bool] = False

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
        return backup.dump_tool()

    @override
    def restore(self, url: URL, files: Sequence[Path]) -> None:
        backup.restore(url, files)

    @override
    def beside(self, session: Queryable) -> Beside:
        return beside_reader.read_beside(session)

    @override
    def replace(self, connection: Any, url: URL, files: Sequence[Path]) -> None:
        replacing.replace(connection, url, files)

    @override
    def scratch(self, url: URL, folder: Path, name: str = "", like: URL | None = None) -> Scratch:
        return backup.ScratchDatabase(url, name, like)
