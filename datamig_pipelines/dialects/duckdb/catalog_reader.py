"""DuckDB's catalog, from its ``duckdb_…()`` functions."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from datamig_pipelines.catalog import (
    LEDGER,
    Catalog,
    Check,
    Column,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Table,
    TableName,
    Type,
    View,
)
from datamig_pipelines.catalog.types import Kind
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.duckdb import defaults, scanning, types
from datamig_pipelines.dialects.duckdb.definition_reader import read_objects

COUNT_UP_TO = 1_000_000
"""Tables that DuckDB believes to be no larger are counted."""

_HERE = "database_name = current_database()"
_START = re.compile(r" START (-?\d+) ")
_ROWID = "rowid"

_Grouped = dict[TableName, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class _Sequence:
    """A counter; ``next`` is what it gives next, as its own DDL tells (``last_value`` misleads)."""

    name: TableName
    next: int
    step: int


def read_catalog(session: Queryable, schema: str) -> Catalog:
    """Read one schema (``main`` by default) or all of them (``*``)."""
    wanted = _wanted(schema)
    sequences = _sequences(session)
    columns = _grouped(session, "duckdb_columns()", _COLUMNS, "column_index")
    constraints = _grouped(session, "duckdb_constraints()", _CONSTRAINTS, "constraint_index")
    indexes = _grouped(session, "duckdb_indexes()", "index_name, is_unique, sql", "index_name")
    tables, owned = [], Counter[TableName]()
    for found, name, comment, size, sql in _tables(session):
        at = TableName(found, name)
        if not wanted(found, name):
            continue
        table = _table(
            at, comment or "", sql, (columns[at], constraints[at], indexes[at]), sequences
        )
        owned.update(s.name for _, s in _counting(at, columns[at], sequences))
        tables.append(_counted(session, table, size))
    views = tuple(_views(session, wanted))
    version = session.query("SELECT version()")[0][0].removeprefix("v")
    free = [
        s
        for s in sequences.values()
        if wanted(s.name.schema, "") and (owned[s.name] != 1 or s.step != 1)
    ]
    objects, others = read_objects(session, wanted, [s.name for s in free])
    return Catalog("duckdb", version, tuple(tables), views, others, objects=objects)


def _wanted(schema: str) -> Callable[[str, str], bool]:
    def wanted(found: str, _: str) -> bool:
        return found != LEDGER and (schema == "*" or found == (schema or "main"))

    return wanted


_COLUMNS = "column_name, data_type, column_default, is_nullable, comment"
_CONSTRAINTS = (
    "constraint_type, constraint_name, constraint_column_names, expression, referenced_table, "
    "referenced_column_names"
)


def _grouped(session: Queryable, source: str, columns: str, order: str) -> _Grouped:
    rows = session.query(
        f"SELECT schema_name, table_name, {columns} FROM {source} WHERE {_HERE} "
        f"ORDER BY 1, 2, {order}"
    )
    grouped: _Grouped = defaultdict(list)
    for found, name, *rest in rows:
        grouped[TableName(found, name)].append(tuple(rest))
    return grouped


def _tables(session: Queryable) -> list[tuple[Any, ...]]:
    return session.query(
        "SELECT schema_name, table_name, comment, estimated_size, sql FROM duckdb_tables() "
        f"WHERE {_HERE} AND NOT internal AND NOT temporary ORDER BY 1, 2"
    )


def _table(
    name: TableName,
    comment: str,
    sql: str,
    rows: tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[Any, ...]]],
    sequences: dict[TableName, _Sequence],
) -> Table:
    columns, constraints, indexes = rows
    counters = _counting(name, columns, sequences)
    by_type = defaultdict(list)
    for kind, *rest in constraints:
        by_type[kind].append(rest)
    keys = [Key(r[0], tuple(r[1])) for r in by_type["PRIMARY KEY"]]
    names = {row[0] for row in columns}
    return Table(
        name,
        tuple(_column(row, sql) for row in columns),
        primary_key=keys[0] if keys else None,
        uniques=tuple(Key(r[0], tuple(r[1])) for r in by_type["UNIQUE"]),
        foreign_keys=tuple(
            ForeignKey(r[0], tuple(r[1]), TableName(name.schema, r[3]), tuple(r[4]))
            for r in by_type["FOREIGN KEY"]
        ),
        indexes=tuple(_index(*row) for row in indexes),
        checks=_checks(by_type["CHECK"]),
        counters=tuple((column, sequence.next) for column, sequence in counters),
        comment=comment,
        rowid="" if _ROWID in {n.lower() for n in names} else _ROWID,
    )


def _column(row: tuple[Any, ...], table_sql: str) -> Column:
    name, declared, expression, nullable, comment = row
    type_ = types.parse(declared) or Type(Kind.OTHER, native=declared)
    if type_.kind is Kind.TEXT and (collation := _collation(name, table_sql)):
        type_ = Type(Kind.TEXT, native=f"VARCHAR COLLATE {collation}")
    column = Column(name, type_, nullable=bool(nullable), comment=comment or "")
    if expression is None:
        return column
    if _is_generated(name, declared, table_sql):
        suffix = f" AS {declared})"
        bare = expression.startswith("CAST(") and expression.endswith(suffix)
        generated = expression[len("CAST(") : -len(suffix)] if bare else expression
        return Column(name, type_, column.nullable, generated=generated, comment=column.comment)
    if defaults.sequence_of(expression) is not None:
        return Column(name, type_, column.nullable, identity=True, comment=column.comment)
    default = defaults.read(expression, type_)
    return Column(name, type_, column.nullable, default=default, comment=column.comment)


def _is_generated(name: str, declared: str, table_sql: str) -> bool:
    """Say whether the table's DDL generates a column; no catalog function knows."""
    said = f" {declared} GENERATED ALWAYS AS("
    return any(f"{lead}{n}{said}" in table_sql for n in scanning.spellings(name) for lead in "( ")


def _collation(name: str, table_sql: str) -> str:
    marks = [f"{lead}{n} VARCHAR COLLATE " for n in scanning.spellings(name) for lead in "( "]
    rest = scanning.behind(table_sql, *marks)
    match = re.match(r"[\w.]+", rest) if rest else None
    return match[0] if match else ""


def _index(name: str, unique: bool, sql: str) -> Index:  # noqa: FBT001 (a row of the catalog)
    on = sql.rstrip().rstrip(";")
    head = re.match(r'CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON ', on)
    rest = on[head.end() :] if head else on
    table = re.match(r'(?:(?:"(?:[^"]|"")*"|[^\s."(]+)\.?)+\s*', rest)
    listed = rest[table.end() if table else 0 :].strip()[1:-1]
    parts = []
    for part in scanning.split(listed):
        column = scanning.unquote(part)
        parts.append(IndexPart(column=column) if column else IndexPart(expression=_bare(part)))
    return Index(name, tuple(parts), unique=bool(unique))


def _bare(expression: str) -> str:
    """Return an expression without the brackets that DuckDB adds around it."""
    text = expression
    while text.startswith("(") and text.endswith(")") and scanning.closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _checks(rows: list[list[Any]]) -> tuple[Check, ...]:
    """Return the checks under names of their own: DuckDB names them all after their column."""
    seen = Counter[str]()
    checks = []
    for name, _, expression, *_ in rows:
        seen[name] += 1
        number = f"_{seen[name]}" if seen[name] > 1 else ""
        checks.append(Check(f"{name}{number}", _bare(expression)))
    return tuple(checks)


def _sequences(session: Queryable) -> dict[TableName, _Sequence]:
    rows = session.query(
        "SELECT schema_name, sequence_name, increment_by, sql FROM duckdb_sequences() "
        f"WHERE {_HERE}"
    )
    found = {}
    for schema, name, step, sql in rows:
        at = TableName(schema, name)
        found[at] = _Sequence(at, int(_START.findall(sql)[-1]), step)
    return found


def _counting(
    table: TableName, columns: list[tuple[Any, ...]], sequences: dict[TableName, _Sequence]
) -> list[tuple[str, _Sequence]]:
    """Return the columns that a sequence fills, with it."""
    pairs = []
    for name, _, expression, *_ in columns:
        spelled = defaults.sequence_of(expression) if expression else None
        if spelled is None:
            continue
        schemas = (spelled[0],) if spelled[0] else (table.schema, "main")
        found = (sequences.get(TableName(s, spelled[1])) for s in schemas)
        pairs += [(name, sequence) for sequence in found if sequence is not None][:1]
    return pairs


def _counted(session: Queryable, table: Table, size: int) -> Table:
    if size > COUNT_UP_TO:
        return replace(table, rows=size)
    name = ".".join(scanning.spellings(n)[0] for n in (table.name.schema, table.name.name))
    return replace(table, rows=session.query(f"SELECT count(*) FROM {name}")[0][0])


def _views(session: Queryable, wanted: Callable[[str, str], bool]) -> list[View]:
    rows = session.query(
        "SELECT schema_name, view_name, sql FROM duckdb_views() "
        f"WHERE {_HERE} AND NOT internal AND NOT temporary ORDER BY 1, 2"
    )
    return [View(TableName(s, n), _select(n, sql)) for s, n, sql in rows if wanted(s, n)]


def _select(name: str, sql: str) -> str:
    """Return the SELECT of ``CREATE VIEW name [(aliases)] AS …;``."""
    text = sql.strip().rstrip(";")
    rest = scanning.behind(
        text, *(f"{n}{gap}" for n in scanning.spellings(name) for gap in (" ", "("))
    )
    rest = text if rest is None else rest
    if rest.startswith("AS "):
        return rest[3:]
    aliases, _, select = rest.partition(" AS ")
    aliases = aliases.strip().strip("()")
    return f"SELECT * FROM ({select}) AS view_body({aliases})" if select else rest
