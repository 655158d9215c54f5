"""Foreign keys: what they refer to, and whether the file keeps them."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

from datamig_pipelines.catalog import ForeignKey, Table, TableName
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.sqlite.definition import TableText


def read_references(
    session: Queryable, tables: list[Table], texts: dict[str, TableText]
) -> list[Table]:
    """Return the tables with their foreign keys.

    SQLite takes any text for a reference and checks it only if asked: one whose parent is missing,
    has no such key, or lacks a row that is referred to, is not ``valid``.
    """
    by_name = {t.name.name.lower(): t for t in tables}
    return [
        replace(t, foreign_keys=_foreign_keys(session, t, texts[t.name.name], by_name))
        for t in tables
    ]


def _foreign_keys(
    session: Queryable, table: Table, text: TableText, by_name: dict[str, Table]
) -> tuple[ForeignKey, ...]:
    rows = session.query(
        'SELECT id, "table", "from", "to", on_delete, on_update FROM pragma_foreign_key_list(?) '
        "ORDER BY id DESC, seq",
        (table.name.name,),
    )
    grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:  # ids count backwards from the last one written
        grouped[row[0]].append(row)
    written = text.references if len(text.references) == len(grouped) else [None] * len(grouped)
    keys: list[ForeignKey] = []
    for parts, clause in zip(grouped.values(), written, strict=True):
        key = _foreign_key(table, parts, by_name.get(parts[0][1].lower()))
        if clause is not None:
            key = replace(key, name=clause.name or key.name, deferrable=clause.deferrable)
        keys.append(replace(_distinct(key, keys), valid=_is_valid(session, table, key, by_name)))
    return tuple(keys)


def _foreign_key(table: Table, parts: list[tuple[Any, ...]], parent: Table | None) -> ForeignKey:
    columns = tuple(_spelled(table, p[2]) for p in parts)
    targets = tuple(p[3] for p in parts)
    if None in targets:
        targets = parent.primary_key.columns if parent and parent.primary_key else ()
    elif parent is not None:
        targets = tuple(_spelled(parent, t) for t in targets)
    deleted, updated = ("" if a == "NO ACTION" else str(a) for a in parts[0][4:6])
    return ForeignKey(
        f"fk_{table.name.name}_{'_'.join(columns)}",
        columns,
        parent.name if parent else TableName("", parts[0][1]),
        targets,
        on_delete=deleted,
        on_update=updated,
    )


def _spelled(table: Table, column: str) -> str:
    """Return a column's name as its table spells it: SQLite does not mind the case."""
    return next((c.name for c in table.columns if c.name.lower() == column.lower()), column)


def _distinct(key: ForeignKey, others: list[ForeignKey]) -> ForeignKey:
    taken = {o.name for o in others}
    names = (key.name, *(f"{key.name}_{n}" for n in range(2, len(others) + 3)))
    return replace(key, name=next(n for n in names if n not in taken))


def _is_valid(session: Queryable, table: Table, key: ForeignKey, by_name: dict[str, Table]) -> bool:
    parent = by_name.get(key.target.name.lower())
    if parent is None or len(key.columns) != len(key.target_columns):
        return False
    primary = [parent.primary_key.columns] if parent.primary_key else []
    plain = [
        i.columns
        for i in parent.indexes
        if i.unique and i.where is None and len(i.columns) == len(i.parts)
    ]
    keys = [set(columns) for columns in (*primary, *(u.columns for u in parent.uniques), *plain)]
    return set(key.target_columns) in keys and not _has_orphan(session, table, key)


def _has_orphan(session: Queryable, table: Table, key: ForeignKey) -> bool:
    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    pairs = zip(key.columns, key.target_columns, strict=True)
    on = " AND ".join(f"p.{quoted(t)} = c.{quoted(c)}" for c, t in pairs)
    filled = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c in key.columns)
    sql = (
        f"SELECT EXISTS (SELECT 1 FROM {quoted(table.name.name)} c WHERE {filled} AND NOT EXISTS "
        f"(SELECT 1 FROM {quoted(key.target.name)} p WHERE {on}))"
    )
    return bool(session.query(sql)[0][0])
