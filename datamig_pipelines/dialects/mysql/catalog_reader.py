"""One database's catalog from information_schema."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from datamig_pipelines.catalog import Catalog, Column, Key, Table, TableName, View
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.mysql.defaults import read_default
from datamig_pipelines.dialects.mysql.definition_reader import read_objects, read_roles
from datamig_pipelines.dialects.mysql.flavour import Flavour, flavour_of
from datamig_pipelines.dialects.mysql.keys_reader import Keys, read_keys
from datamig_pipelines.dialects.mysql.names import quote
from datamig_pipelines.dialects.mysql.types import column_type
from datamig_pipelines.errors import SpecError

EXACT_BELOW: Final = 100_000
"""Tables that InnoDB estimates smaller than this are counted; its estimate may be off by half."""

_OWN: Final = "datamig_"
_TRANSACTIONAL: Final = ("InnoDB", "TokuDB", "ROCKSDB")
_TABLES: Final = ("BASE TABLE", "SYSTEM VERSIONED")


@dataclass
class _Columns:
    """Columns of one table, those that ignore case, and what of them no step moves."""

    columns: list[Column] = field(default_factory=list)
    folding: set[str] = field(default_factory=set)
    others: list[tuple[str, str]] = field(default_factory=list)


def read_catalog(session: Queryable, schema: str) -> Catalog:
    """Read the database of the connection; ``schema`` may name it, be '' or ``*``.

    Raises:
        SpecError: ``schema`` is another database than the URL's.
    """
    version, database = session.query("SELECT VERSION(), DATABASE()")[0]
    if schema not in ("", "*", database):
        raise SpecError(
            f"MySQL has no schemas: {schema} is another database than {database}",
            hint="write the database at the end of the URL and leave `schema` away.",
        )
    flavour = flavour_of(version)
    keys, others = read_keys(session, database, flavour)
    columns = _read_columns(session, database, flavour, {t: k.json for t, k in keys.items()})
    tables: list[Table] = []
    sequences: list[str] = []
    for row in _listed(session, database):
        name, kind, engine = row[:3]
        if kind in _TABLES:
            tables.append(_table(session, row, columns[name], keys.get(name, Keys())))
            others += columns[name].others
            if engine not in _TRANSACTIONAL:
                others.append((f"table without snapshot ({engine})", name))
        if kind == "SEQUENCE":
            sequences.append(name)
        elif kind not in ("BASE TABLE", "VIEW"):
            others.append((kind.lower(), name))
    objects, unread = read_objects(session, database, sequences)
    return Catalog(
        "mysql",
        version,
        tuple(tables),
        tuple(_views(session, database, flavour)),
        tuple(dict.fromkeys(others + unread)),
        objects=tuple(objects),
        roles=read_roles(session),
    )


def _listed(session: Queryable, database: str) -> list[tuple[Any, ...]]:
    rows = session.query(
        "SELECT table_name, table_type, engine, table_rows, "
        "COALESCE(data_length, 0) + COALESCE(index_length, 0), auto_increment, table_comment, "
        "create_options FROM information_schema.tables WHERE table_schema = %s "
        "ORDER BY table_name",
        (database,),
    )
    return [r for r in rows if not r[0].startswith(_OWN)]


def _folding(key: Key, columns: set[str]) -> Key:
    return replace(key, ignores_case=not columns.isdisjoint(key.columns))


def _table(session: Queryable, row: tuple[Any, ...], found: _Columns, keys: Keys) -> Table:
    name, _, _, estimate, size, counter, comment, options = row
    columns = found.columns
    return Table(
        name=TableName("", name),
        columns=tuple(columns),
        primary_key=keys.primary_key and _folding(keys.primary_key, found.folding),
        uniques=tuple(_folding(u, found.folding) for u in keys.uniques),
        foreign_keys=tuple(keys.foreign_keys),
        indexes=tuple(keys.indexes),
        checks=tuple(keys.checks),
        counters=tuple(
            (c.name, _next(session, name, c.name, counter)) for c in columns if c.identity
        ),
        rows=_rows(session, name, estimate),
        bytes=int(size),
        comment=comment or "",
        kind="partitioned" if "partitioned" in (options or "").lower() else "table",
    )


def _rows(session: Queryable, table: str, estimate: int | None) -> int:
    if estimate is not None and estimate >= EXACT_BELOW:
        return int(estimate)
    return int(session.query(f"SELECT COUNT(*) FROM {quote(table)}")[0][0])


def _next(session: Queryable, table: str, column: str, counter: int | None) -> int:
    """Return the next value of a counter; MySQL 8 says NULL where no row was ever inserted."""
    if counter is not None:
        return int(counter)
    largest = session.query(f"SELECT MAX({quote(column)}) FROM {quote(table)}")[0][0]
    return int(largest or 0) + 1


def _read_columns(
    session: Queryable, database: str, flavour: Flavour, json: dict[str, set[str]]
) -> defaultdict[str, _Columns]:
    rows = session.query(
        "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, "
        "generation_expression, column_comment, "
        "IF(collation_name = @@collation_database AND LOCATE('nopad', collation_name) = 0, '', "
        "COALESCE(collation_name, '')), "
        "COALESCE(RIGHT(collation_name, 3), '') = '_ci' "
        "FROM information_schema.columns "
        "WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        (database,),
    )
    tables: defaultdict[str, _Columns] = defaultdict(_Columns)
    for table, name, declaration, *rest in rows:
        nullable, default, extra, generated, comment, collation, folds = rest
        tables[table].folding |= {name} if folds else set()
        type_ = column_type(declaration, json=name in json.get(table, ()), collation=collation)
        tables[table].others += _unmoved(f"{table}.{name}", extra or "")
        tables[table].columns.append(
            Column(
                name=name,
                type=type_,
                nullable=nullable == "YES",
                default=None if generated else read_default(default, extra or "", type_, flavour),
                identity="auto_increment" in (extra or "").lower(),
                generated=flavour.expression(generated) if generated else None,
                comment=comment or "",
            )
        )
    return tables


def _unmoved(place: str, extra: str) -> Iterable[tuple[str, str]]:
    said = extra.lower()
    if "on update" in said:
        yield ("on update", place)
    if "invisible" in said:
        yield ("invisible column", place)


def _views(session: Queryable, database: str, flavour: Flavour) -> Iterable[View]:
    rows = session.query(
        "SELECT table_name, view_definition FROM information_schema.views "
        "WHERE table_schema = %s ORDER BY table_name",
        (database,),
    )
    for name, sql in rows:
        if not name.startswith(_OWN):
            yield View(TableName("", name), unqualified(flavour.expression(sql or ""), database))


def unqualified(sql: str, database: str) -> str:
    """Return SQL without the qualifier of ``database`` before names; texts are left alone."""
    pattern = rf"'(?:[^'\\]|''|\\.)*'|{re.escape(quote(database))}\."
    return re.sub(
        pattern, lambda m: m.group(0) if m.group(0).startswith("'") else "", sql, flags=re.DOTALL
    )
