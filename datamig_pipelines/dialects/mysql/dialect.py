"""MySQL and MariaDB as an engine: facts, and the door to everything else in this folder."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from sqlalchemy.engine import URL
from typing_extensions import override

from datamig_pipelines.catalog import Catalog, Default, Type
from datamig_pipelines.dialects.base import Dialect, Queryable
from datamig_pipelines.dialects.capabilities import Capabilities, Wire
from datamig_pipelines.dialects.mysql import (
    canonical,
    catalog_reader,
    driver,
    failures,
    names,
    packets,
    selecting,
    snapshot,
    types,
)
from datamig_pipelines.dialects.reading import Compared, Read, Row
from datamig_pipelines.errors import EngineError, NotYetError


class MySQL(Dialect):
    """MySQL and MariaDB, as a source. A database is what others call a schema."""

    name: ClassVar[str] = "mysql"
    label: ClassVar[str] = "MySQL/MariaDB"
    sqlglot: ClassVar[str] = "mysql"
    placeholder: ClassVar[str] = "%s"
    can: ClassVar[Capabilities] = Capabilities(
        sends=(Wire.COPY_TEXT, Wire.CELLS),
        takes=(),
        schemas=False,
        transactional_ddl=False,
        add_keys=True,
        add_foreign_keys=True,
        rebuild_foreign_keys=False,
        cyclic_foreign_keys=True,
        shared_snapshot=True,
        concurrent_writers=True,
        max_identifier_bytes=64,  # characters, really: 64 bytes is the cautious reading
        partial_indexes=False,
        names_ignore_case=False,
        counts_any_column=False,
    )

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
    def quote(self, name: str) -> str:
        return names.quote(name)

    @override
    def literal(self, text: str) -> str:
        return names.literal(text)

    @override
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        return catalog_reader.read_catalog(session, schema)

    @override
    def declare(self, type_: Type) -> tuple[Type, str]:
        raise NotYetError(
            f"{self.label} cannot be a target yet ({type_})",
            hint="MySQL as a target comes later; use it as the source of a migration.",
        )

    @override
    def default_sql(self, default: Default, type_: Type) -> str | None:
        raise NotYetError(
            f"{self.label} cannot be a target yet (default of a {type_})",
            hint="MySQL as a target comes later; use it as the source of a migration.",
        )

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
    def fingerprint_sql(self, table: str, cells: Sequence[str], where: str) -> str:
        return canonical.fingerprint_sql(table, cells, where)

    @override
    def canonical(self, column: Compared) -> str:
        return canonical.canonical(column)
