"""Tables and what hangs on them. Everything is frozen: edits return a new one."""

from dataclasses import dataclass, field
from enum import StrEnum

from datamig_pipelines.catalog.names import TableName
from datamig_pipelines.catalog.types import Type


class DefaultKind(StrEnum):
    """What a column's default is."""

    LITERAL = "literal"  # value: canonical text of the value ("true", "12.5", "abc")
    NOW = "now"  # the current timestamp
    TODAY = "today"  # the current date
    UUID = "uuid"  # a random uuid
    EXPRESSION = "expression"  # value: SQL of the source engine


@dataclass(frozen=True)
class Default:
    """A column's default, in no engine's words unless it is an expression."""

    kind: DefaultKind
    value: str = ""


@dataclass(frozen=True)
class Column:
    """One column.

    ``identity`` says that the engine fills it from a counter. ``generated`` is the SQL (of the
    source engine) of a generated column, else None. ``domain`` is the name, as its own engine
    declares it, of a type with rules of its own; ``type`` is what lies under it. ``collation`` is
    the order of its texts where it is not that of their type and ``native`` does not say it.
    """

    name: str
    type: Type
    nullable: bool = True
    default: Default | None = None
    identity: bool = False
    generated: str | None = None
    comment: str = ""
    domain: str = ""
    collation: str = field(default="", repr=False)  # manifests of backups hold digests of the rest


@dataclass(frozen=True)
class IndexPart:
    """One part of an index: a column's name or an expression (source SQL), and its order."""

    column: str | None = None
    expression: str | None = None
    descending: bool = False
    prefix: int | None = None


@dataclass(frozen=True)
class Index:
    """An index that is no constraint. ``where`` is the predicate of a partial index.

    ``method`` is the engine's word for anything but a B-tree (``gist``, ``fulltext``, …).
    """

    name: str
    parts: tuple[IndexPart, ...]
    unique: bool = False
    where: str | None = None
    method: str = ""
    include: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the plain columns, in order."""
        return tuple(p.column for p in self.parts if p.column is not None)


@dataclass(frozen=True)
class Key:
    """A primary key or a unique constraint.

    ``ignores_case`` says that its engine takes ``a`` and ``A`` for equal in one of its columns.
    """

    name: str
    columns: tuple[str, ...]
    ignores_case: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """A reference to another table's key. Actions in SQL words; empty means NO ACTION.

    ``deferrable`` is empty, ``deferrable`` or ``deferred`` (initially deferred). ``valid`` is False
    where the source itself breaks the reference, so that nobody can create it in the target.
    ``validated`` is False where its engine never looked at old rows, ``enforced`` where it looks at
    none.
    """

    name: str
    columns: tuple[str, ...]
    target: TableName
    target_columns: tuple[str, ...]
    on_delete: str = ""
    on_update: str = ""
    deferrable: str = ""
    valid: bool = True
    validated: bool = field(default=True, repr=False)
    enforced: bool = field(default=True, repr=False)


@dataclass(frozen=True)
class Check:
    """A check constraint; ``expression`` is SQL of the source engine.

    ``domain`` names the column whose domain it belongs to; '' where it is the table's own.
    ``validated`` is False where its engine never looked at old rows.
    """

    name: str
    expression: str
    domain: str = ""
    validated: bool = field(default=True, repr=False)


@dataclass(frozen=True)
class Table:
    """One table.

    ``rows`` is the engine's own estimate (or count), ``bytes`` the size on disk as far as known.
    ``counters`` maps an identity column to the next value that its counter would give.
    ``kind`` is ``table`` or ``partitioned``; ``partition_by`` says how, in the engine's words.
    ``rowid`` names a hidden unique row number that the engine offers for reading in order (SQLite),
    else it is empty. ``unlogged`` says that a crash of the server empties it.
    """

    name: TableName
    columns: tuple[Column, ...]
    primary_key: Key | None = None
    uniques: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    checks: tuple[Check, ...] = ()
    counters: tuple[tuple[str, int], ...] = ()
    rows: int = 0
    bytes: int = 0
    comment: str = ""
    kind: str = "table"
    rowid: str = ""
    partition_by: str = ""
    unlogged: bool = False

    def column(self, name: str) -> Column | None:
        """Return the column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)


@dataclass(frozen=True)
class View:
    """A view; ``sql`` is the SELECT behind it in the engine's own SQL, ``options`` its words.

    ``original`` is the SELECT that a translated one was made from.
    """

    name: TableName
    sql: str
    materialized: bool = False
    options: str = ""
    original: str = ""
