"""Chooses a part of a source in which every row has the rows that it refers to.

Each table gives its first rows by key, and whatever chosen rows of other tables refer to comes
along. So conditions are built from children to parents; where that has no end (a table refers to
itself, or tables to each other in a ring) or would be a text without measure, all rows are taken.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Final

from datamig_pipelines.catalog import Catalog, Table, TableName
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.dialects.sampling import first_rows, referenced_rows
from datamig_pipelines.errors import SampleError
from datamig_pipelines.planning.keys import choose_key
from datamig_pipelines.spec import Migration, TableSpec

_WRITTEN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%|(\d+)")
_LONGEST: Final = 20_000
"""Characters of a condition; a longer one costs the engine more than the rows that it saves."""


@dataclass(frozen=True)
class Sample:
    """How much of each table: a share, or a number of rows."""

    text: str
    share: float | None = None
    count: int = 0

    @classmethod
    def parsed(cls, text: str) -> "Sample":
        """Return what ``5%`` or ``1000`` means. Raises SampleError."""
        found = _WRITTEN.fullmatch(text.strip())
        share = float(found[1]) / 100 if found and found[1] else None
        count = int(found[2]) if found and found[2] else 0
        if not found or not (count or (share and share <= 1)):
            msg = f"a sample of {text!r} cannot be taken"
            raise SampleError(msg, hint="Write 5% of each table, or 1000 rows of each.")
        return cls(text.strip(), share, count)

    def rows(self, estimate: int) -> int:
        """Return how many of a table's rows are taken; one at least."""
        return self.count if self.share is None else max(1, math.ceil(estimate * self.share))


@dataclass(frozen=True)
class Sampled:
    """A migration of a part of the source; ``whole`` says of which tables all rows are taken."""

    migration: Migration
    whole: Mapping[str, str] = field(default_factory=dict)


def sampled(migration: Migration, there: Catalog, dialect: Dialect, sample: Sample) -> Sampled:
    """Return the migration with a condition for each table, so that no reference leads nowhere."""
    tables = {
        t.name: t
        for t in there.tables
        if migration.wants(*dict.fromkeys((str(t.name), t.name.name)))
    }
    conditions: dict[TableName, str] = {}
    whole: dict[str, str] = {}
    for name in _children_first(tables):
        table, spec = tables[name], _spec(migration, tables[name])
        own = _plain(spec.where or "")
        why = _why_whole(tables, table, spec, dialect)
        chosen = (
            "" if why else _chosen(_Asked(table, spec, own, sample), tables, conditions, dialect)
        )
        if len(chosen) > _LONGEST:
            chosen, why = "", "too many tables refer to it in too many ways"
        if why:
            whole[str(name)] = why
        conditions[name] = " AND ".join(f"({c})" for c in (own, chosen) if c)
    specs = tuple(
        _spec(migration, t).model_copy(update={"where": conditions[n] or None})
        for n, t in tables.items()
    )
    return Sampled(migration.model_copy(update={"tables": specs}), whole)


@dataclass(frozen=True)
class _Asked:
    table: Table
    spec: TableSpec
    where: str
    sample: Sample


def _chosen(
    asked: _Asked,
    tables: Mapping[TableName, Table],
    conditions: Mapping[TableName, str],
    dialect: Dialect,
) -> str:
    """Return the condition of a table's sample; ``conditions`` has those of its children."""
    table = asked.table
    key = choose_key(table, asked.spec.key, dialect)
    count = asked.sample.rows(table.rows)
    found = [first_rows(dialect, table.name, [p.sql for p in key.parts], asked.where, count)]
    found += [
        referenced_rows(dialect, r.target_columns, child.name, r.columns, conditions[child.name])
        for child in tables.values()
        for r in child.foreign_keys
        if r.target == table.name
    ]
    return " OR ".join(dict.fromkeys(found))


def _why_whole(
    tables: Mapping[TableName, Table], table: Table, spec: TableSpec, dialect: Dialect
) -> str:
    """Return why all rows of a table are taken, '' if they are not."""
    if table.name in _reached(tables, table.name):
        return "it refers to itself, or back to itself through others"
    return "" if choose_key(table, spec.key, dialect).parts else "it has no key to cut it by"


def _reached(tables: Mapping[TableName, Table], start: TableName) -> set[TableName]:
    """Return the tables that references lead to from a table, in any number of steps."""
    found: set[TableName] = set()
    todo = [start]
    while todo:
        for key in tables[todo.pop()].foreign_keys:
            if key.target in tables and key.target not in found:
                found.add(key.target)
                todo.append(key.target)
    return found


def _children_first(tables: Mapping[TableName, Table]) -> Sequence[TableName]:
    """Return the tables so that all that refer to one come before it; those of rings come first."""
    rings = [name for name in tables if name in _reached(tables, name)]
    graph = {
        name: {
            child.name: None
            for child in tables.values()
            if child.name not in rings and any(k.target == name for k in child.foreign_keys)
        }
        for name in tables
        if name not in rings
    }
    return [*rings, *TopologicalSorter(graph).static_order()]


def _spec(migration: Migration, table: Table) -> TableSpec:
    found = migration.table_spec(str(table.name), table.name.name)
    return found or TableSpec(name=str(table.name))


def _plain(where: str) -> str:
    """Return a user's condition so that something can stand behind it: it may end in a comment."""
    return f"{where}\n" if "--" in where else where
