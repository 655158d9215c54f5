"""Sequences, enums and macros of a DuckDB file."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from datamig_pipelines.catalog import Phase, SchemaObject, TableName
from datamig_pipelines.dialects.base import Queryable

_HERE: Final = "database_name = current_database() AND NOT internal"
_OF_A_SEQUENCE: Final = re.compile(r'^CREATE SEQUENCE (?:(?:"(?:[^"]|"")*"|[^\s."]+)\.?)+ ')
_START: Final = re.compile(r" START (-?\d+) ")

Wanted = Callable[[str, str], bool]


def read_objects(
    session: Queryable, wanted: Wanted, sequences: list[TableName]
) -> tuple[tuple[SchemaObject, ...], tuple[tuple[str, str], ...]]:
    """Return the objects, and what cannot be moved as (kind, name)."""
    others = session.query(
        "SELECT schema_name, type_name FROM duckdb_types() "
        f"WHERE {_HERE} AND logical_type <> 'ENUM'"
    )
    objects = (*_types(session), *_sequences(session, sequences), *_macros(session))
    return (
        tuple(o for o in objects if wanted(o.name.schema, o.name.name)),
        tuple(sorted(("type", f"{s}.{n}") for s, n in others if wanted(s, n))),
    )


def quoted(name: str) -> str:
    """Return a quoted name."""
    return '"' + name.replace('"', '""') + '"'


def _types(session: Queryable) -> Iterator[SchemaObject]:
    for schema, name, labels in session.query(
        f"SELECT schema_name, type_name, labels FROM duckdb_types() "
        f"WHERE {_HERE} AND logical_type = 'ENUM' ORDER BY 1, 2"
    ):
        values = ", ".join("'" + v.replace("'", "''") + "'" for v in labels)
        create = f"CREATE TYPE {quoted(name)} AS ENUM ({values})"
        drop = f"DROP TYPE IF EXISTS {quoted(name)}"
        yield SchemaObject("type", TableName(schema, name), create, drop, Phase.BEFORE)


def _sequences(session: Queryable, wanted: Iterable[TableName]) -> Iterator[SchemaObject]:
    """Yield sequences that are more than a column's plain counter; they start where they stand."""
    rows = session.query(
        "SELECT schema_name, sequence_name, sql FROM duckdb_sequences() "
        "WHERE database_name = current_database()"
    )
    texts = {TableName(s, n): str(sql) for s, n, sql in rows}
    for name in wanted:
        bare = quoted(name.name)
        create = _OF_A_SEQUENCE.sub(lambda _, b=bare: f"CREATE SEQUENCE {b} ", texts[name])  # type: ignore[misc]
        drop = f"DROP SEQUENCE IF EXISTS {bare}"
        starts = int(_START.findall(create)[-1])
        yield SchemaObject(
            "sequence", name, create.rstrip(";"), drop, Phase.BEFORE, next_value=starts
        )


def _macros(session: Queryable) -> Iterator[SchemaObject]:
    """Yield macros, all definitions of one name together; no catalog tells parameters' defaults.

    DuckDB lists all its own functions first, thousands: an expression in the query costs as much
    as the list.
    """
    rows = session.query(
        "SELECT schema_name, function_name, function_type, parameters, macro_definition, "
        f"function_oid FROM duckdb_functions() WHERE {_HERE} "
        "AND function_type IN ('macro', 'table_macro')"
    )
    bodies = defaultdict[tuple[str, str, bool], list[str]](list)
    for schema, name, kind, parameters, body, _ in sorted(rows, key=lambda r: (r[5], len(r[3]))):
        is_table = kind == "table_macro"
        words = f"({', '.join(parameters)}) AS {'TABLE ' if is_table else ''}{body}"
        bodies[schema, name, is_table].append(words)
    for schema, name, is_table in sorted(bodies):
        create = f"CREATE MACRO {quoted(name)}{', '.join(bodies[schema, name, is_table])}"
        drop = f"DROP MACRO {'TABLE ' if is_table else ''}IF EXISTS {quoted(name)}"
        yield SchemaObject("macro", TableName(schema, name), create, drop, Phase.BEFORE)
