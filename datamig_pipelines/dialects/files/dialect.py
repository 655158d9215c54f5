"""The dialects: DuckDB's words over views of files."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.engine import URL
from typing_extensions import override

from datamig_pipelines.catalog import (
    Catalog,
    Index,
    Key,
    Kind,
    Table,
    TableName,
    Type,
    View,
    is_ledger,
)
from datamig_pipelines.dialects.base import Dialect, Queryable
from datamig_pipelines.dialects.capabilities import Capabilities, Referable
from datamig_pipelines.dialects.duckdb import DuckDB
from datamig_pipelines.dialects.duckdb.driver import Connection as DuckDBConnection
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.dialects.files import (
    backup,
    catalog_reader,
    driver,
    folder,
    tables,
    types,
    writing,
)
from datamig_pipelines.dialects.keeping import Scratch
from datamig_pipelines.dialects.reading import Compared, Landing, Read, Row
from datamig_pipelines.dialects.statement import Statement
from datamig_pipelines.errors import EngineError, NotYetError

_PLAIN = replace(
    DuckDB.can,
    schemas=False,
    only_rows=True,
    rebuild_foreign_keys=False,
    cyclic_foreign_keys=True,  # there are none that could stand in the way
    referable=Referable.CONSTRAINT,
    counts_any_column=False,
    expression_indexes=False,
    max_identifier_bytes=200,  # a table is a folder: 255 bytes, less what is added to it
)


class Files(DuckDB):
    """Files of one format, a table each; what both formats share."""

    sqlglot: ClassVar[str] = "duckdb"
    can: ClassVar[Capabilities] = _PLAIN

    @override
    def default_collation(self, session: Queryable) -> str | None:
        return None

    # ---- driver

    @override
    def connect(self, url: URL, *, readonly: bool) -> DuckDBConnection:
        return driver.connect(url)

    @override
    def translate(self, error: BaseException) -> EngineError:
        return driver.translate(error)

    @override
    def query(
        self, connection: Any, sql: str, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        connection.before(sql)
        rows = super().query(connection, sql, parameters)
        connection.after(sql)
        return rows

    @override
    def file_missing(self, url: URL) -> bool:
        return False

    @override
    def default_schema(self, url: URL) -> str:
        return ""

    # ---- catalog and reading

    @override
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        return catalog_reader.read_catalog(session, self.name)

    @override
    def has_table(self, session: Queryable, name: TableName) -> bool:
        return super().has_table(session, TableName("main", name.name))

    @override
    def column_names(self, session: Queryable, name: TableName) -> list[str]:
        return super().column_names(session, TableName("main", name.name))

    @override
    def same_order(self, type_: Type) -> str:
        """Return '': ranges of rows cannot be deleted from files."""
        return ""

    @override
    def stream_lists(self, connection: Any, read: Read) -> Iterator[list[Row]]:
        """Yield the rows; at the end the files must be those that were opened."""
        yield from super().stream_lists(connection, read)
        connection.check_unchanged(read.table.name)


class Csv(Files):
    """CSV files: a source."""

    name: ClassVar[str] = "csv"
    label: ClassVar[str] = "CSV files"
    can: ClassVar[Capabilities] = replace(_PLAIN, takes=())


class Parquet(Files):
    """Parquet files: a source in a folder or an object store, a target in a folder."""

    name: ClassVar[str] = "parquet"
    label: ClassVar[str] = "Parquet files"

    @override
    def connect(self, url: URL, *, readonly: bool) -> DuckDBConnection:
        """Open files to read, or a folder of our own, as its ledger knows it."""
        if readonly and not folder.is_ours(url):
            return driver.connect(url)
        return folder.connect(url, readonly=readonly)

    @override
    def file_missing(self, url: URL) -> bool:
        """Say whether the folder is new. Raises NotYetError, TargetNotEmptyError."""
        return folder.is_new(url)

    @override
    def declare(self, type_: Type) -> tuple[Type, str]:
        return types.declare(type_)

    @override
    def canonical(self, column: Compared) -> str:
        """Return the canonical text; a duration that is kept as text loses its trailing zeros."""
        sql = super().canonical(column)
        if column.held.kind is Kind.TEXT and column.compare in (Kind.TIME, Kind.DURATION):
            return rf"regexp_replace({sql}, '(\.\d*[1-9])0+$|\.0*$', '\1')"
        return sql

    @override
    def write(self, connection: Any, landing: Landing, payload: Any) -> int:
        return writing.write(connection, landing, payload)

    # ---- statements

    @override
    def create_table(
        self, table: Table, *, keys: bool, foreign_keys: bool, if_missing: bool = False
    ) -> Statement:
        """Return the view that remembers a table's columns, or a true table of the ledger's."""
        if is_ledger(table.name):
            return super().create_table(
                table, keys=keys, foreign_keys=foreign_keys, if_missing=if_missing
            )
        columns = (f"CAST(NULL AS {c.type.native}) AS {self.quote(c.name)}" for c in table.columns)
        sql = tables.shape(table.name.name, ", ".join(columns))
        return Statement(sql, purpose=f"table {table.name}")

    @override
    def create_types(self, table: Table) -> list[Statement]:
        return []

    @override
    def create_index(self, table: Table, index: Index) -> list[Statement]:
        return []

    @override
    def add_unique(self, table: Table, key: Key) -> list[Statement]:
        return []

    @override
    def analyze(self, table: TableName) -> list[Statement]:
        return []

    @override
    def drop_table(self, table: Table) -> list[Statement]:
        """Return the statements after which its files are no table; `folder` then removes them."""
        purpose = f"drop {table.name}"
        return [
            Statement(self.truncate(table.name), purpose=purpose),
            Statement(
                f"DROP VIEW IF EXISTS {tables.quoted_shape(table.name.name)}", purpose=purpose
            ),
        ]

    @override
    def drop_view(self, view: View) -> list[Statement]:
        return []

    @override
    def truncate(self, table: TableName) -> str:
        return tables.drop_files(table.name)

    @override
    def delete_where(self, table: TableName, condition: str) -> str:
        """Return the statement that takes all files away. Raises NotYetError for a part of them."""
        if condition:
            raise NotYetError(
                "rows cannot be deleted from files", hint="Load the whole table again."
            )
        return self.truncate(table)

    # ---- backup

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
    def restore(self, url: URL, files: Sequence[Path]) -> None:
        backup.restore(url, files)

    @override
    def dump_tool(self, url: URL) -> str:
        return "copies of the files"

    @override
    def replace(self, connection: Any, url: URL, files: Sequence[Path]) -> None:
        Dialect.replace(self, connection, url, files)

    @override
    def scratch(self, url: URL, folder: Path, name: str = "", like: URL | None = None) -> Scratch:
        return backup.ScratchFolder(folder, name)
