"""Remembers which tables the last plan found, so that Dagster can show them without a database."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datamig_pipelines.catalog import Column, Table
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.dialects.reading import Projection
from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer import Route

_FILE = "catalog.json"
_VERSION = 1


@dataclass(frozen=True)
class KnownColumn:
    """A column; ``sources`` are the source columns behind its values, ``through`` says how."""

    name: str
    type: str
    nullable: bool = True
    comment: str = ""
    sources: tuple[str, ...] = ()
    through: str = ""


@dataclass(frozen=True)
class KnownTable:
    """A table of a plan: its names in source and target, and its columns on both sides.

    ``name`` is how specs, events and the ledger call it (``schema.table`` where there are schemas),
    ``short`` is without the schema. A table that only the spec names has no columns yet.
    """

    name: str
    short: str
    target: str
    columns: tuple[KnownColumn, ...] = ()
    source_columns: tuple[KnownColumn, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Known:
    """What the last plan knew: both engines, by the names of their dialects, and the tables."""

    source: str
    target: str
    tables: tuple[KnownTable, ...]


def remember_tables(plan: Plan) -> Path:
    """Write the tables of a plan to ``catalog.json`` in the migration's folder and return its path.

    The new file takes the old one's place at once. Raises PermissionDeniedError.
    """
    context = plan.context
    source, target = context.source.dialect, context.target.dialect
    known = Known(source.name, target.name, tuple(known_table(r, source) for r in context.routes))
    path = context.folder / _FILE
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(
            json.dumps({"version": _VERSION, **asdict(known)}, indent=1), encoding="utf-8"
        )
        part.replace(path)
    except OSError as error:
        msg = f"the list of tables cannot be written to {path}: {error.strerror}"
        raise PermissionDeniedError(msg, hint="Make the folder writable and plan again.") from error
    return path


def recall_tables(migration: Migration) -> Known | None:
    """Return what the last plan knew, None if there was none or another version wrote the file."""
    path = migration.home / _FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] != _VERSION:
            return None
        tables = tuple(_table(t) for t in found["tables"])
        return Known(found["source"], found["target"], tables)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def known_table(route: Route, source: Dialect) -> KnownTable:
    """Return what is remembered of a route; ``source`` is the dialect that it is read with."""
    loaded = {p.name: p for p in route.columns}
    return KnownTable(
        name=route.name,
        short=route.source.name.name,
        target=str(route.target.name),
        columns=tuple(
            _arriving(c, loaded.get(c.name), route, source) for c in route.target.columns
        ),
        source_columns=tuple(_column(c) for c in route.source.columns),
        comment=route.source.comment,
    )


def _table(found: dict[str, Any]) -> KnownTable:
    sides = {
        side: tuple(KnownColumn(**{**c, "sources": tuple(c["sources"])}) for c in found[side])
        for side in ("columns", "source_columns")
    }
    return KnownTable(**{**found, **sides})


def _column(column: Column) -> KnownColumn:
    return KnownColumn(column.name, str(column.type), column.nullable, column.comment)


def _arriving(
    column: Column, projection: Projection | None, route: Route, source: Dialect
) -> KnownColumn:
    sources: tuple[str, ...] = ()
    through = ""
    if projection is not None:
        sources = _sources(projection, route.source, source)
        through = "" if projection.plain else projection.sql
    elif column.generated is not None:
        through = f"generated: {column.generated}"
    if route.transform:
        through = f"{through} → {route.transform}".removeprefix(" → ")
    return KnownColumn(
        column.name, str(column.type), column.nullable, column.comment, sources, through
    )


def _sources(projection: Projection, table: Table, source: Dialect) -> tuple[str, ...]:
    if projection.plain:
        return tuple(c.name for c in table.columns if source.quote(c.name) == projection.sql)
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        tree = sqlglot.parse_one(projection.sql, read=source.sqlglot)
    except SqlglotError:
        return ()
    named = {c.name.casefold() for c in tree.find_all(exp.Column)}
    return tuple(c.name for c in table.columns if c.name.casefold() in named)
