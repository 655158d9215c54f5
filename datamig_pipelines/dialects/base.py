"""What every engine has to say. SQL text is written in this package and nowhere else."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, ClassVar, Protocol

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import (
    Catalog,
    TableName,
    Type,
)
from datamig_pipelines.catalog.types import Kind
from datamig_pipelines.dialects.capabilities import Alchemy, Capabilities, Wire
from datamig_pipelines.dialects.comparing import Comparing
from datamig_pipelines.dialects.fitting import Fitting
from datamig_pipelines.dialects.keeping import Keeping
from datamig_pipelines.dialects.reading import (
    Compared,
    Fingerprint,
    KeyPart,
    Landing,
    Projection,
    Read,
    Row,
)
from datamig_pipelines.dialects.tampering import Tampering
from datamig_pipelines.errors import EngineError, NotYetError

RUN_LOCK = "datamig"
"""The lock of a target that a run holds; workers hold those of their shards."""

_LIST_BYTES = 64 * 1024


class Queryable(Protocol):
    """A session as the catalog readers see it."""

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a small query."""
        ...


class _Once:
    """Asks every question once: the same query is answered from memory."""

    def __init__(self, session: Queryable) -> None:
        self._session = session
        self._known: dict[tuple[str, tuple[object, ...]], list[tuple[Any, ...]]] = {}

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        asked = (sql, tuple(parameters))
        if asked not in self._known:
            self._known[asked] = self._session.query(sql, parameters)
        return self._known[asked]


class Dialect(Comparing, Fitting, Keeping, Tampering, ABC):
    """One engine: its facts, its types, its SQL and its driver.

    A dialect holds no connection and no state; every method is a function of its arguments.
    ``connection`` is always the driver's own object, in autocommit, in UTC, in ISO formats, as
    `connect` made it.
    """

    name: ClassVar[str]
    """How SQLAlchemy calls it, without a driver: ``postgresql``."""
    label: ClassVar[str]
    """How people call it: ``PostgreSQL``."""
    sqlglot: ClassVar[str]
    """Its name in sqlglot."""
    regexp_operator: ClassVar[str | None] = ""
    """The operator of regular expressions; '': as sqlglot says it, None: there is none."""
    can: ClassVar[Capabilities]
    alchemy: ClassVar[Alchemy | None] = None
    """How others reach it through SQLAlchemy, to read only; None: they do not."""

    # ---- driver

    @abstractmethod
    def connect(self, url: URL, *, readonly: bool) -> Any:
        """Open a connection in autocommit. Raises the driver's own errors; see `translate`."""

    @abstractmethod
    def driver_errors(self) -> tuple[type[BaseException], ...]:
        """Return the driver's base exceptions; importing the driver here may raise ImportError."""

    @abstractmethod
    def translate(self, error: BaseException) -> EngineError:
        """Return what a driver's exception means, with a hint, without secrets."""

    @abstractmethod
    def query(
        self, connection: Any, sql: str, parameters: Sequence[object]
    ) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows, [] where it has none."""

    def begin(self) -> str:
        """Return the statement that opens a transaction."""
        return "BEGIN"

    def share_snapshot(self, connections: Sequence[Any]) -> str:
        """Open a read transaction on every connection, all seeing one moment of the database.

        Returns the source's position (LSN, binlog position) or ''. Two positions that are equal,
        and not '', promise that nothing was committed between both moments. Engines without
        ``can.shared_snapshot`` get one connection only.
        """
        for connection in connections:
            self.query(connection, self.begin(), ())
        return ""

    def set_limits(
        self, session: Queryable, lock_timeout_s: float | None, statement_timeout_s: float | None
    ) -> None:
        """Limit how long a target's session waits for a lock and works on one statement.

        None is the engine's usual. What is not in ``can.limits`` is left as it is.
        """

    def replication_lag_s(self, session: Queryable) -> float | None:
        """Return how far the slowest replica is behind this database, 0 if none is.

        None: it cannot be seen (the engine does not say, or the user may not ask).
        """
        return None

    def file_missing(self, url: URL) -> bool:
        """Say whether the database is a file that does not exist yet; servers always exist."""
        return False

    def file_bytes(self, url: URL) -> int:
        """Return the size of the file that is the database; 0 for servers."""
        return 0

    def default_schema(self, url: URL) -> str:
        """Return the schema that is meant when none is written; '' where there are none."""
        return ""

    # ---- catalog

    @abstractmethod
    def read_catalog(self, session: Queryable, schema: str) -> Catalog:
        """Read the tables of ``schema`` ('' for the default; all user schemas for ``*``)."""

    def read_catalogs(self, session: Queryable, *schemas: str) -> list[Catalog]:
        """Read several scopes of one moment; what is asked for all of them is asked once."""
        once = _Once(session)
        return [self.read_catalog(once, schema) for schema in schemas]

    def has_table(self, session: Queryable, name: TableName) -> bool:
        """Say whether a table of exactly that name exists."""
        sql = (
            "SELECT count(*) FROM information_schema.tables "
            f"WHERE table_schema = {self.placeholder} AND table_name = {self.placeholder}"
        )
        return bool(session.query(sql, (name.schema, name.name))[0][0])

    def column_names(self, session: Queryable, name: TableName) -> list[str]:
        """Return the columns of a table, generated ones perhaps left out."""
        sql = (
            "SELECT column_name FROM information_schema.columns "
            f"WHERE table_schema = {self.placeholder} AND table_name = {self.placeholder}"
        )
        return [column for (column,) in session.query(sql, (name.schema, name.name))]

    def default_collation(self, session: Queryable) -> str | None:
        """Return the order of texts where a column does not say; None: none says, or can tell."""
        return "BINARY"

    # ---- types

    @abstractmethod
    def declare(self, type_: Type) -> tuple[Type, str]:
        """Return how this engine holds a logical type, and what is lost or changed ('': nothing).

        ``native`` of the result is the declaration to write into CREATE TABLE.

        Raises:
            TypeUnsupportedError: There is no home for it.
        """

    @abstractmethod
    def parse_type(self, declaration: str) -> Type:
        """Return the logical type of one of this engine's own declarations, as a user writes it."""

    # ---- reading

    def can_send(
        self, wire: Wire, columns: Sequence[Projection], key: Sequence[KeyPart], where: str
    ) -> bool:
        """Say whether a stream can leave on one of the engine's wires, as far as its types tell."""
        return True

    @abstractmethod
    def select(self, read: Read) -> str:
        """Return the SELECT of a stream, columns rendered for its wire, rows in key order."""

    @abstractmethod
    def stream(self, connection: Any, read: Read) -> Iterator[Row]:
        """Yield the rows of a stream, one at a time, without holding the table in memory."""

    def stream_lists(self, connection: Any, read: Read) -> Iterator[list[Row]]:
        """Yield the same rows in lists, as they come off the wire, where that is faster.

        A list holds what one look at the connection brought: its size is bounded by the driver.
        """
        held: list[Row] = []
        size = 0
        with closing(self.stream(connection, read)) as rows:  # type: ignore[type-var]
            for row in rows:
                held.append(row)
                size += len(row) if isinstance(row, bytes) else _LIST_BYTES  # cells: not known here
                if size >= _LIST_BYTES:
                    yield held
                    held, size = [], 0
        if held:
            yield held

    def record_batches(self, connection: Any, sql: str) -> Iterator[Any]:
        """Yield the rows of a SELECT as Arrow record batches of bounded size.

        Raises:
            NotYetError: The engine's driver has none.
        """
        msg = f"{self.label} hands out no Arrow batches"
        raise NotYetError(msg, hint="Ask it in SQL instead.")

    @abstractmethod
    def stream_select(self, connection: Any, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a SELECT of integers and texts, in lists of bounded size."""

    def octets(self, sql: str) -> str:
        """Return SQL for the length of a text in bytes of UTF-8."""
        return f"octet_length({sql})"

    # ---- parts of a table

    @abstractmethod
    def in_range(
        self,
        table: TableName,
        key: Sequence[KeyPart],
        after: tuple[str, ...] | None,
        upto: tuple[str, ...] | None,
    ) -> str:
        """Return the condition ``after`` < key <= ``upto`` in the order in which streams come.

        None is no bound; '' where both are. An index of the key can be entered with it.

        Raises:
            KeyUnsupportedError: A text is no value of its key part.
        """

    @abstractmethod
    def cut_points(self, session: Queryable, read: Read, parts: int) -> list[tuple[str, ...]]:
        """Return up to ``parts`` - 1 keys that cut a keyed stream into about equal parts.

        They are texts as in `Read.after`, strictly ascending, found in the engine's statistics or
        in a sample. [] where it has neither, or where the table is too small to be cut.
        """

    def page_cuts(self, session: Queryable, table: TableName, parts: int) -> list[int]:
        """Return pages that cut a table without a key into equal parts; [] where there are none."""
        return []

    def delete_where(self, table: TableName, condition: str) -> str:
        """Return the DELETE of what `in_range` describes; '' is everything."""
        return self.delete(table) + (f" WHERE {condition}" if condition else "")

    @abstractmethod
    def same_order(self, type_: Type) -> str:
        """Return a word for the order in which keys of a type come, '' if nobody else has it.

        The same word on two engines promises that a range of keys there is the same set of rows
        here: the same order, values kept exactly, and texts of keys that both understand.
        """

    def key_objection(self, type_: Type) -> str:
        """Return why a stream cannot go on behind a key of a type of this engine, '' if it can."""
        return ""

    # ---- fingerprints

    def fingerprint(
        self, session: Queryable, table: str, columns: Sequence[Compared], where: str = ""
    ) -> Fingerprint:
        """Return the portable checksum of a table (quoted name), or of what ``where`` leaves."""
        cells = [self.canonical(c) for c in columns]
        rows, total = session.query(self.fingerprint_sql(table, cells, where))[0]
        return Fingerprint(int(rows), int(total or 0))

    def fingerprints(
        self,
        session: Queryable,
        table: str,
        columns: Sequence[Compared],
        bucket: str,
        where: str = "",
    ) -> dict[int | None, Fingerprint]:
        """Return the checksums of the buckets of a table, in one scan of it."""
        cells = [self.canonical(c) for c in columns]
        found = session.query(self.buckets_sql(table, bucket, cells, where))
        return {None if b is None else int(b): Fingerprint(int(n), int(t)) for b, n, t in found}

    @abstractmethod
    def fingerprint_sql(self, table: str, cells: Sequence[str], where: str) -> str:
        """Return the SELECT of (number of rows, sum of row hashes)."""

    @abstractmethod
    def canonical(self, column: Compared) -> str:
        """Return SQL for the canonical text of a value; the same text on every engine.

        integer ``-12`` · decimal without trailing zeros ``12.5`` · float sign, shortest digits,
        ``e``, exponent of ``0.digits`` (``-15e1`` is -1.5; ``0`` ``NaN`` ``-Infinity``) · boolean
        ``true`` / ``false`` · char without trailing blanks · blob lower hex · date ``2020-01-31`` ·
        timestamp ``2020-01-31 10:00:00.5`` (no trailing zeros) · timestamptz the same in
        UTC with ``+00`` · time ``10:00:00.5`` · uuid lower · json and text as they are.
        """

    # ---- writing

    @abstractmethod
    def write(self, connection: Any, landing: Landing, payload: Any) -> int:
        """Write one encoded batch inside the open transaction; return the rows that arrived.

        The number is the engine's own count, not the number of rows that were sent.

        Raises the driver's errors; a row that the engine refuses must come out of `translate` as
        `RefusedError`.
        """

    # ---- the one run of a target

    @abstractmethod
    def lock_run(self, connection: Any, name: str) -> bool:
        """Take the lock that only one run on a target may hold; it ends with the connection."""


def family(type_: Type) -> Kind:
    """Return the kind under which values of a type are compared when nothing else is said."""
    same = {Kind.ENUM: Kind.TEXT, Kind.SET: Kind.TEXT, Kind.ANY: Kind.TEXT, Kind.OTHER: Kind.TEXT}
    return same.get(type_.kind, type_.kind)
