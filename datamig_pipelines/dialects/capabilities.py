"""Facts about an engine. Code branches on these, never on an engine's name."""

from dataclasses import dataclass
from enum import StrEnum

from datamig_pipelines.catalog.types import Kind


class Wire(StrEnum):
    """How rows travel between a reader, an encoder and a writer.

    Every row of ``copy_*`` is one ``bytes`` object as the engine framed it; ``cells`` is a tuple of
    ``None | int | float | str | bytes`` (see `reading.Cell`); ``arrow`` is a
    whole `pyarrow.Table`, out of a source `columns.Columns`.
    """

    COPY_BINARY = "copy_binary"
    COPY_TEXT = "copy_text"
    COPY_CSV = "copy_csv"
    CELLS = "cells"
    ARROW = "arrow"


@dataclass(frozen=True)
class Alchemy:
    """SQLAlchemy's name of an engine with its driver, and what makes a connection read only."""

    driver: str
    read_only: tuple[tuple[str, str], ...] = ()


class Limit(StrEnum):
    """What a session of an engine can be told, or asked, for the sake of its other users."""

    LOCK = "lock_timeout_s"
    STATEMENT = "statement_timeout_s"
    LAG = "max_lag_s"


class Referable(StrEnum):
    """What the columns that a foreign key refers to have to be, at least; a primary key will do."""

    CONSTRAINT = "a unique constraint"
    UNIQUE_INDEX = "a unique index"
    INDEX = "the first columns of any index"


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an engine can do. No defaults: a new fact forces a decision per engine."""

    sends: tuple[Wire, ...]
    """Wires that it can be read on, best first; empty: it is no source yet."""
    takes: tuple[Wire, ...]
    """Wires that it can be loaded on, best first; empty: it is no target yet."""
    schemas: bool
    """Tables live in named schemas below the database."""
    transactional_ddl: bool
    """CREATE and DROP can be rolled back."""
    add_keys: bool
    """Primary keys can be added to a loaded table; else they stand in CREATE TABLE."""
    add_foreign_keys: bool
    """Foreign keys can be added to a loaded table."""
    rebuild_foreign_keys: bool
    """Foreign keys need a rebuild of the loaded table (CREATE, INSERT SELECT, RENAME)."""
    cyclic_foreign_keys: bool
    """Tables may refer to themselves or to each other in a ring."""
    referable: Referable
    """What a foreign key may refer to."""
    shared_snapshot: bool
    """Several sessions can read one snapshot."""
    concurrent_writers: bool
    """Several sessions can load at the same time."""
    max_identifier_bytes: int
    """Longest name of a table, column, index or constraint, in bytes."""
    partial_indexes: bool
    """Indexes may have a WHERE."""
    names_ignore_case: bool
    """``A`` and ``a`` are the same name, however quoted."""
    counts_any_column: bool
    """Any integer column can count by itself; else only one that is the whole primary key."""
    descending_indexes: bool
    """An index keeps the order (DESC) of its parts."""
    expression_indexes: bool
    """An index may be over an expression."""
    only_rows: bool
    """A table holds rows and nothing else: no NOT NULL, default, key, check, counter or view."""
    fulltext_indexes: bool
    """An index may be over the words of texts."""
    foreign_key_actions: bool
    """A foreign key keeps ON DELETE and ON UPDATE."""
    loads_by_cast: bool
    """What a column has no room for is rounded or cut as it is loaded, and a text is parsed by all
    rules of a cast, `today` included; others take a value as it is or refuse it."""
    limits: tuple[Limit, ...]
    """Keys of ``throttle`` that mean something to it as a target."""
    unindexable: frozenset[Kind] = frozenset()
    """Families of columns that it makes no key and no index of."""
    whose_session: str = ""
    """The query for the user that the engine authenticated; empty where it authenticates nobody."""
