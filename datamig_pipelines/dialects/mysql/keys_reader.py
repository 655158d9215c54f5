"""Keys, indexes, foreign keys and checks from information_schema."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from datamig_pipelines.catalog import Check, ForeignKey, Index, IndexPart, Key, TableName
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.mysql.flavour import Flavour

_JSON_VALID: Final = re.compile(r"\(?json_valid\(`((?:[^`]|``)+)`\)\)?", re.IGNORECASE)
INDEX_MARK: Final = "unique index"
"""Comment of a unique index that was no constraint where it came from; here both are one thing."""

_NO_ACTION: Final = ("NO ACTION", "RESTRICT")


@dataclass
class Keys:
    """What one table has, filled while reading; ``json`` names columns that json_valid guards."""

    primary_key: Key | None = None
    uniques: list[Key] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    json: set[str] = field(default_factory=set)


def read_keys(
    session: Queryable, schema: str, flavour: Flavour
) -> tuple[Mapping[str, Keys], list[tuple[str, str]]]:
    """Return the keys of every table by name, and what no step can move, as (kind, name)."""
    tables: defaultdict[str, Keys] = defaultdict(Keys)
    for table, index, marked in _indexes(session, schema, flavour):
        _place(tables[table], index, marked=marked)
    for table, key in _foreign_keys(session, schema):
        tables[table].foreign_keys.append(key)
    others = _read_checks(session, schema, flavour, tables)
    return tables, others


def _place(keys: Keys, index: Index, *, marked: bool) -> None:
    """Sort an index into primary key, unique constraint or plain index (`INDEX_MARK`)."""
    whole = all(p.column and p.prefix is None and not p.descending for p in index.parts)
    if index.name == "PRIMARY":
        keys.primary_key = Key("", index.columns)  # every one is called PRIMARY: that is no name
    elif index.unique and whole and not marked:
        keys.uniques.append(Key(index.name, index.columns))
    else:
        keys.indexes.append(index)


def _indexes(
    session: Queryable, schema: str, flavour: Flavour
) -> Iterable[tuple[str, Index, bool]]:
    expression = "expression" if flavour.index_expressions else "NULL"
    rows = session.query(
        "SELECT table_name, index_name, non_unique, column_name, collation, sub_part, index_type, "
        f"{expression}, index_comment FROM information_schema.statistics WHERE table_schema = %s "
        "ORDER BY table_name, index_name, seq_in_index",
        (schema,),
    )
    for (table, name), group in groupby(rows, key=lambda r: (r[0], r[1])):
        parts = list(group)
        method = str(parts[0][6]).lower()
        yield (
            table,
            Index(
                name=name,
                parts=tuple(_part(p, flavour) for p in parts),
                unique=not parts[0][2],
                method="" if method == "btree" else method,
            ),
            parts[0][8] == INDEX_MARK,
        )


def _part(row: tuple[Any, ...], flavour: Flavour) -> IndexPart:
    _, _, _, column, order, prefix, method, expression, _ = row
    special = method in ("SPATIAL", "FULLTEXT", "RTREE")  # SPATIAL has a sub_part of 32, always
    return IndexPart(
        column=column,
        expression=flavour.expression(expression) if expression else None,
        descending=order == "D",
        prefix=int(prefix) if prefix is not None and not special else None,
    )


def _foreign_keys(session: Queryable, schema: str) -> Iterable[tuple[str, ForeignKey]]:
    rows = session.query(
        "SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, "
        "k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule "
        "FROM information_schema.key_column_usage k "
        "JOIN information_schema.referential_constraints r "
        "ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name "
        "AND r.table_name = k.table_name WHERE k.table_schema = %s "
        "AND k.referenced_table_name IS NOT NULL "
        "ORDER BY k.table_name, k.constraint_name, k.ordinal_position",
        (schema,),
    )
    for (table, name), group in groupby(rows, key=lambda r: (r[0], r[1])):
        parts = list(group)
        _, _, _, there, target, _, deleted, updated = parts[0]
        yield (
            table,
            ForeignKey(
                name=name,
                columns=tuple(p[2] for p in parts),
                target=TableName("" if there == schema else there, target),
                target_columns=tuple(p[5] for p in parts),
                on_delete="" if deleted in _NO_ACTION else deleted,
                on_update="" if updated in _NO_ACTION else updated,
            ),
        )


def _read_checks(
    session: Queryable, schema: str, flavour: Flavour, tables: defaultdict[str, Keys]
) -> list[tuple[str, str]]:
    """Fill in the checks; returns those that the source does not enforce."""
    others = []
    for table, name, level, clause, enforced in _checks(session, schema, flavour):
        guarded = _JSON_VALID.fullmatch(clause.strip())
        if enforced == "NO":
            others.append(("check that is not enforced", f"{table}.{name}"))
        elif guarded and level == "Column" and guarded[1].replace("``", "`") == name:
            tables[table].json.add(name)
        else:
            own = f"{table}_{name}_check" if level == "Column" else name
            tables[table].checks.append(Check(own, flavour.expression(clause)))
    return others


def _checks(session: Queryable, schema: str, flavour: Flavour) -> list[tuple[Any, ...]]:
    """Return (table, name, level, clause, enforced); a column's check is named as its column."""
    if flavour.names_table_of_check:
        return session.query(
            "SELECT table_name, constraint_name, level, check_clause, 'YES' "
            "FROM information_schema.check_constraints WHERE constraint_schema = %s "
            "ORDER BY table_name, constraint_name",
            (schema,),
        )
    return session.query(
        "SELECT t.table_name, c.constraint_name, 'Table', c.check_clause, t.enforced "
        "FROM information_schema.check_constraints c "
        "JOIN information_schema.table_constraints t "
        "ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name "
        "AND t.constraint_type = 'CHECK' WHERE c.constraint_schema = %s "
        "ORDER BY t.table_name, c.constraint_name",
        (schema,),
    )
