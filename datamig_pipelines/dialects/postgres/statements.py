"""DDL: types, tables, keys, indexes, counters, views."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from datamig_pipelines.catalog import (
    Column,
    DefaultKind,
    ForeignKey,
    Index,
    IndexPart,
    Key,
    Kind,
    SchemaObject,
    Table,
    TableName,
    Type,
    View,
)
from datamig_pipelines.dialects.postgres.declaring import extension_of
from datamig_pipelines.dialects.postgres.defaults import sequences_named_in, write_default
from datamig_pipelines.dialects.postgres.naming import (
    declaration,
    is_user_defined,
    literal,
    qualified,
    quote,
    shortened,
)
from datamig_pipelines.dialects.statement import Statement

_METHODS: Final = {"", "btree", "hash", "gist", "gin", "brin", "spgist", "hnsw", "ivfflat", "bloom"}
_OWN_CLASS: Final = re.compile(r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*) [a-z_][a-z0-9_.]*')
_DEFERRABLE: Final = {
    "": "",
    "deferrable": " DEFERRABLE",
    "deferred": " DEFERRABLE INITIALLY DEFERRED",
}
_INDEXED_CHARACTERS: Final = 600  # four bytes each fit into an index page's share of 2,704 bytes


def names(columns: tuple[str, ...]) -> str:
    """Return quoted names, comma separated."""
    return ", ".join(quote(c) for c in columns)


def _beside(schema: str, sql: str) -> str:
    """Return SQL in which bare names of its expressions are found in ``schema`` first."""
    if schema in ("", "public"):
        return sql
    return f"SET LOCAL search_path = {quote(schema)}, public;\n{sql}"


# ---- what a table needs first


def create_types(table: Table) -> list[Statement]:
    """Return what must exist before the table: extensions, enums, composite types, sequences.

    Each is made only if it is missing, for several tables may share it.
    """
    statements: dict[str, Statement] = {}
    for column in table.columns:
        for statement in [*_types_of(table, column), *_sequences_of(table, column)]:
            statements.setdefault(statement.sql, statement)
    return list(statements.values())


def _types_of(table: Table, column: Column) -> Iterator[Statement]:
    extension = extension_of(column.type)
    if extension:
        yield Statement(
            f"CREATE EXTENSION IF NOT EXISTS {quote(extension)}", purpose=f"extension {extension}"
        )
    own = _innermost(column.type)
    if not is_user_defined(own) or not own.values:
        return
    name = declaration(table.name.schema, own)
    if own.kind is Kind.ENUM:
        body = f"ENUM ({', '.join(literal(v) for v in own.values)})"
    else:
        body = f"({', '.join(own.values)})"
    if own.native.count('"."'):
        schema = own.native[: own.native.index('"."') + 1]
        yield Statement(f"CREATE SCHEMA IF NOT EXISTS {schema}", purpose=f"schema {schema}")
    create = f"CREATE TYPE {name} AS {body}"
    yield Statement(
        _tolerant(create, "duplicate_object OR unique_violation"), purpose=f"type {name}"
    )


def _tolerant(sql: str, conditions: str) -> str:
    """Return a DO block that runs SQL and takes these refusals for done."""
    tag = "$datamig$"
    while tag in sql:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag}BEGIN {sql}; EXCEPTION WHEN {conditions} THEN NULL; END{tag}"


def _innermost(type_: Type) -> Type:
    while type_.kind is Kind.ARRAY and type_.element is not None:
        type_ = type_.element
    return type_


def _counts_by_sequence(table: Table, column: Column) -> bool:
    """Say whether a column counts by a sequence of its own instead of GENERATED AS IDENTITY.

    That takes integers only, and never NULL.
    """
    in_key = table.primary_key is not None and column.name in table.primary_key.columns
    may_be_null = column.nullable and not in_key
    return column.identity and (column.type.kind is not Kind.INTEGER or may_be_null)


def _sequence(table: Table, column: str) -> str:
    name = shortened(f"{table.name.name}_{column}", "_seq")
    return qualified(TableName(table.name.schema, name))


def _sequences_of(table: Table, column: Column) -> Iterator[Statement]:
    wanted = [_sequence(table, column.name)] if _counts_by_sequence(table, column) else []
    if column.default is not None and column.default.kind is DefaultKind.EXPRESSION:
        wanted += sequences_named_in(column.default.value)
    for name in wanted:
        create = f"CREATE SEQUENCE IF NOT EXISTS {name}"
        yield Statement(_beside(table.name.schema, create), purpose=f"sequence {name}")


# ---- tables


def create_table(table: Table, *, keys: bool, foreign_keys: bool, if_missing: bool) -> Statement:
    """Return CREATE TABLE, and the comments of the table and its columns behind it."""
    lines = [column_sql(table, c) for c in table.columns]
    lines += [f"{_constraint(c.name)}CHECK ({c.expression})" for c in table.checks]
    if keys and table.primary_key:
        lines.append(_primary_key(table.primary_key))
    if keys:
        lines += [f"{_constraint(u.name)}UNIQUE ({names(u.columns)})" for u in table.uniques]
    if foreign_keys:
        lines += [foreign_key_sql(k) for k in table.foreign_keys]
    missing = "IF NOT EXISTS " if if_missing else ""
    body = ",\n  ".join(lines)
    parted = f" PARTITION BY {table.partition_by}" if table.partition_by else ""
    create = f"CREATE TABLE {missing}{qualified(table.name)} (\n  {body}\n){parted}"
    sql = ";\n".join([create, *_comments(table)])
    return Statement(
        _beside(table.name.schema, sql) if _has_expressions(table) else sql,
        purpose=f"table {table.name}",
    )


def _has_expressions(table: Table) -> bool:
    expressions = [
        c for c in table.columns if c.default and c.default.kind is DefaultKind.EXPRESSION
    ]
    computed = any(c.generated for c in table.columns)
    return bool(table.checks or expressions or computed or table.partition_by)


def _constraint(name: str) -> str:
    return f"CONSTRAINT {quote(name)} " if name else ""


def _primary_key(key: Key) -> str:
    """Return the primary key; a name that says no more than PostgreSQL's own is left to it."""
    plain = key.name in ("", "PRIMARY") or key.name.endswith("_pkey")
    return f"{_constraint('' if plain else key.name)}PRIMARY KEY ({names(key.columns)})"


def _comments(table: Table) -> list[str]:
    name = qualified(table.name)
    comments = [f"COMMENT ON TABLE {name} IS {literal(table.comment)}"] if table.comment else []
    return comments + [
        f"COMMENT ON COLUMN {name}.{quote(c.name)} IS {literal(c.comment)}"
        for c in table.columns
        if c.comment
    ]


def column_sql(table: Table, column: Column) -> str:
    """Return one column of CREATE TABLE."""
    declared = declaration(table.name.schema, column.type)
    parts = [quote(column.name), _domain(table.name.schema, column.domain) or declared]
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
    elif column.identity:
        parts.append(identity_sql(table, column))
    elif column.default is not None:
        default = write_default(column.default, column.type)
        parts += [] if default is None else [f"DEFAULT {default}"]
    if not column.nullable:
        parts.append("NOT NULL")
    return " ".join(parts)


def _domain(schema: str, domain: str) -> str:
    """Return the name of a domain; one without a schema of its own lives beside its table."""
    beside = domain and schema and not domain.count('"."')
    return f"{quote(schema)}.{domain}" if beside else domain


def identity_sql(table: Table, column: Column) -> str:
    """Return the clause that makes a column count by itself."""
    if _counts_by_sequence(table, column):
        return f"DEFAULT nextval({literal(_sequence(table, column.name))}::regclass)"
    return "GENERATED BY DEFAULT AS IDENTITY"


def foreign_key_sql(key: ForeignKey) -> str:
    """Return a foreign key as it stands in CREATE TABLE and ALTER TABLE ADD."""
    actions = (f" ON DELETE {key.on_delete}" if key.on_delete else "") + (
        f" ON UPDATE {key.on_update}" if key.on_update else ""
    )
    return (
        f"{_constraint(key.name)}FOREIGN KEY ({names(key.columns)}) REFERENCES "
        f"{qualified(key.target)} ({names(key.target_columns)}){actions}"
        f"{_DEFERRABLE[key.deferrable]}"
    )


def add_primary_key(table: Table, key: Key) -> list[Statement]:
    """Return ALTER TABLE ADD PRIMARY KEY."""
    sql = f"ALTER TABLE {qualified(table.name)} ADD {_primary_key(key)}"
    return [Statement(sql, purpose=f"primary key of {table.name}")]


def add_unique(table: Table, key: Key) -> list[Statement]:
    """Return ALTER TABLE ADD UNIQUE."""
    sql = (
        f"ALTER TABLE {qualified(table.name)} "
        f"ADD {_constraint(key.name)}UNIQUE ({names(key.columns)})"
    )
    return [Statement(sql, purpose=f"unique {key.name} on {table.name}")]


def drop_table(table: Table) -> list[Statement]:
    """Return DROP TABLE, and DROP of its own types and sequences where nothing else uses them."""
    dropped = [
        Statement(f"DROP TABLE IF EXISTS {qualified(table.name)}", purpose=f"drop {table.name}")
    ]
    own = {_innermost(c.type) for c in table.columns}
    kinds = [
        ("TYPE", declaration(table.name.schema, t))
        for t in sorted(own, key=str)
        if is_user_defined(t) and t.values
    ]
    kinds += [
        ("SEQUENCE", _sequence(table, c.name))
        for c in table.columns
        if _counts_by_sequence(table, c)
    ]
    for kind, name in kinds:
        drop = f"DROP {kind} IF EXISTS {name}"
        dropped.append(
            Statement(
                _tolerant(drop, "dependent_objects_still_exist OR invalid_schema_name"),
                purpose=f"drop {kind.lower()} {name} unless it is in use",
            )
        )
    return dropped


# ---- indexes, counters, views


def create_index(table: Table, index: Index) -> list[Statement]:
    """Return CREATE INDEX; nothing for a method that has no counterpart here (spatial).

    A prefix index on a long text becomes an index on ``left(…)``, fulltext a GIN over ``tsvector``.
    """
    method, parts = index.method.lower(), [_part(table, p) for p in index.parts]
    if method == "fulltext":
        method, parts = "gin", [_document(index)]
    if method not in _METHODS:
        return []
    using = f" USING {method}" if method else ""
    include = f" INCLUDE ({names(index.include)})" if index.include else ""
    where = f" WHERE {index.where}" if index.where else ""
    sql = (
        f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {quote(index.name)} "
        f"ON {qualified(table.name)}{using} ({', '.join(parts)}){include}{where}"
    )
    computed = index.where or any(p.expression for p in index.parts)
    return [
        Statement(
            _beside(table.name.schema, sql) if computed else sql,
            purpose=f"index {index.name} on {table.name}",
        )
    ]


def _part(table: Table, part: IndexPart) -> str:
    order = " DESC" if part.descending else ""
    if part.column is None:
        expression = part.expression or ""
        with_class = _OWN_CLASS.fullmatch(expression) is not None
        return (expression if with_class else f"({expression})") + order
    column = table.column(part.column)
    text = column is not None and column.type.kind in (Kind.TEXT, Kind.CHAR)
    long = (
        column is not None and (column.type.length or _INDEXED_CHARACTERS + 1) > _INDEXED_CHARACTERS
    )
    if part.prefix and text and long:
        return f"left({quote(part.column)}, {part.prefix}){order}"
    return quote(part.column) + order


def kept(table: Table) -> Table:
    """Return a table as PostgreSQL keeps it: without foreign methods, words for full texts."""
    indexes = []
    for index in table.indexes:
        if index.method == "fulltext":
            words = (IndexPart(expression=_document(index)),)
            indexes.append(replace(index, method="gin", parts=words))
        elif index.method.lower() in _METHODS:
            indexes.append(index)
    return replace(table, indexes=tuple(indexes))


def _document(index: Index) -> str:
    text = " || ' ' || ".join(f"coalesce({quote(c)}, '')" for c in index.columns)
    return f"to_tsvector('simple', {text})"


def set_counter(table: Table, column: str, next_value: int) -> list[Statement]:
    """Return ``setval``, so that the next value is ``next_value``.

    Where the column counts by a sequence of ours, the sequence becomes the column's own first.
    """
    found = table.column(column)
    name, purpose = qualified(table.name), f"counter of {table.name}.{column}"
    statements = []
    if found is not None and _counts_by_sequence(table, found):
        sequence = _sequence(table, column)
        owned = f"ALTER SEQUENCE {sequence} OWNED BY {name}.{quote(column)}"
        statements.append(Statement(owned, purpose=purpose))
        target, bits = literal(sequence), 64
    else:
        target = f"pg_get_serial_sequence({literal(name)}, {literal(column)})"
        bits = (found.type.bits if found is not None else None) or 64
    most = 2 ** (bits - 1) - 1
    if next_value > most:
        return [*statements, Statement(f"SELECT setval({target}, {most}, true)", purpose=purpose)]
    # A source's counter may lag behind its own data; the target's may not.
    largest = f"(SELECT max({quote(column)}) FROM {name})"
    last = f"least(greatest({max(next_value, 1) - 1}, {largest}::numeric), {most})::bigint"
    sql = f"SELECT setval({target}, greatest({last}, 1), {last} >= 1)"
    return [*statements, Statement(sql, purpose=purpose)]


def create_view(view: View) -> list[Statement]:
    """Return CREATE VIEW or CREATE MATERIALIZED VIEW."""
    kind = "MATERIALIZED VIEW" if view.materialized else "VIEW"
    options = f" WITH ({view.options})" if view.options else ""
    body = view.sql.strip().rstrip(";")
    sql = f"CREATE {kind} {qualified(view.name)}{options} AS {body}"
    return [Statement(_beside(view.name.schema, sql), purpose=f"view {view.name}")]


def drop_view(view: View) -> list[Statement]:
    """Return DROP VIEW IF EXISTS."""
    kind = "MATERIALIZED VIEW" if view.materialized else "VIEW"
    sql = f"DROP {kind} IF EXISTS {qualified(view.name)}"
    return [Statement(sql, purpose=f"drop view {view.name}")]


# ---- objects


def create_object(made: SchemaObject) -> list[Statement]:
    """Return the object's own CREATE, in its schema.

    Bodies are not checked: what they name may come later.
    """
    sql = _beside(made.name.schema, made.create)
    if made.kind in ("function", "procedure"):
        sql = f"SET LOCAL check_function_bodies = off;\n{sql}"
    counters = (_beside(made.name.schema, s) for s in made.state)
    return [Statement(s, purpose=str(made)) for s in (sql, *counters)]


def drop_object(made: SchemaObject) -> list[Statement]:
    """Return the object's own DROP."""
    sql = _beside(made.name.schema, made.drop)
    return [Statement(sql, purpose=f"drop {made}")] if made.drop else []
