"""What a SQLite file holds, from its PRAGMAs and from the text of its CREATE statements."""

from dataclasses import dataclass, replace
from typing import Any, Final

from datamig_pipelines.catalog import (
    Catalog,
    Check,
    Column,
    Index,
    IndexPart,
    Key,
    SchemaObject,
    Table,
    TableName,
    View,
    is_ledger,
)
from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.sqlite.defaults import read_default
from datamig_pipelines.dialects.sqlite.definition import (
    TableText,
    parse_index,
    parse_table,
    parse_view,
)
from datamig_pipelines.dialects.sqlite.references import read_references
from datamig_pipelines.dialects.sqlite.types import parse
from datamig_pipelines.errors import StatementError

ROWID_NAMES: Final = ("rowid", "_rowid_", "oid")
LARGEST_ROWID: Final = 2**63 - 1
EXACT_SIZE_BYTES: Final = 1 << 30
"""Up to this file size every page is looked at to say how large a table is."""


@dataclass(frozen=True)
class _Object:
    """One row of ``sqlite_master`` and, for tables, of ``pragma_table_list``."""

    type: str
    name: str
    table: str
    sql: str
    kind: str = ""
    without_rowid: bool = False
    strict: bool = False


def read_catalog(session: Queryable) -> Catalog:
    """Read the tables and views of the file; the ledger's own tables are left out."""
    objects = _objects(session)
    texts = {o.name: parse_table(o.sql) for o in objects if o.type == "table" and o.kind == "table"}
    tables = [_table(session, o, texts[o.name], objects) for o in objects if o.name in texts]
    sizes = _sizes(session, tables)
    tables = [replace(t, bytes=sizes.get(t.name.name, 0)) for t in tables]
    tables = read_references(session, tables, texts)
    version = session.query("SELECT sqlite_version()")[0][0]
    views = [
        View(TableName("", o.name), parse_view(o.sql, o.name)) for o in objects if o.type == "view"
    ]
    others = _others(session, objects, texts)
    triggers = tuple(_trigger(o) for o in objects if o.type == "trigger")
    return Catalog("sqlite", version, tuple(tables), tuple(views), tuple(others), objects=triggers)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _objects(session: Queryable) -> list[_Object]:
    listed = {
        name: (kind, bool(without_rowid), bool(strict))
        for name, kind, without_rowid, strict in session.query(
            "SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'"
        )
    }
    found = session.query("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid")
    return [
        _Object(type_, name, table, sql or "", *(listed.get(name, ()) if type_ == "table" else ()))
        for type_, name, table, sql in found
        if not table.startswith("sqlite_") and not is_ledger(TableName("", table))
    ]


def _trigger(found: _Object) -> SchemaObject:
    drop = f"DROP TRIGGER IF EXISTS {_quoted(found.name)}"
    return SchemaObject("trigger", TableName("", found.name), found.sql, drop)


def _table(session: Queryable, found: _Object, text: TableText, objects: list[_Object]) -> Table:
    infos = session.query(
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) '
        "WHERE hidden <> 1 ORDER BY cid",
        (found.name,),
    )
    listed = session.query(
        'SELECT name, "unique", origin FROM pragma_index_list(?) ORDER BY seq DESC', (found.name,)
    )
    parts = [str(i[0]) for i in sorted((i for i in infos if i[4]), key=lambda i: int(i[4]))]
    alias = bool(parts) and not found.without_rowid and not any(o == "pk" for _, _, o in listed)
    columns = tuple(_column(i, found, text, identity=alias and bool(i[4])) for i in infos)
    key = Key(text.primary_key or f"pk_{found.name}", tuple(parts)) if parts else None
    uniques = _uniques(session, found.name, text, [n for n, _, o in listed if o == "u"])
    if key and not alias and _has_null(session, found.name, key, columns):
        uniques, key = (replace(key, name=f"uq_{found.name}_{'_'.join(parts)}"), *uniques), None
    sql = {o.name: o.sql for o in objects if o.type == "index"}
    table = Table(
        TableName("", found.name),
        columns,
        primary_key=key,
        uniques=uniques,
        indexes=tuple(_index(session, n, bool(u), sql[n]) for n, u, o in listed if o == "c"),
        checks=_checks(found.name, text),
        rows=session.query(f"SELECT count(*) FROM {_quoted(found.name)}")[0][0],
        rowid="" if found.without_rowid else _rowid(columns),
    )
    return replace(table, counters=_counters(session, table, text)) if alias else table


def _column(info: tuple[Any, ...], found: _Object, text: TableText, *, identity: bool) -> Column:
    name, declared, not_null, default, key_place, _ = info
    declaration = declared or ""
    if found.strict and declaration.upper() == "ANY":
        declaration = ""  # outside a STRICT table, ANY would turn text into numbers
    collation = text.collations.get(name.lower(), "")
    if collation and collation.upper() != "BINARY":
        declaration = f"{declaration} COLLATE {_quoted(collation)}".strip()
    type_ = parse(declaration)
    generated = text.generated.get(name.lower())
    return Column(
        name,
        type_,
        nullable=not (not_null or identity or (found.without_rowid and key_place)),
        default=None if generated is not None else read_default(default, type_),
        identity=identity,
        generated=generated,
    )


def _has_null(session: Queryable, table: str, key: Key, columns: tuple[Column, ...]) -> bool:
    """Say whether a primary key holds NULL, as SQLite lets it: then it is but unique."""
    may = [_quoted(c.name) for c in columns if c.name in key.columns and c.nullable]
    if not may:
        return False
    tests = " OR ".join(f"EXISTS (SELECT 1 FROM {_quoted(table)} WHERE {c} IS NULL)" for c in may)
    return bool(session.query(f"SELECT {tests}")[0][0])


def _index_columns(session: Queryable, index: str) -> list[tuple[Any, ...]]:
    return session.query(
        'SELECT name, "desc", cid FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno', (index,)
    )


def _uniques(
    session: Queryable, table: str, text: TableText, indexes: list[str]
) -> tuple[Key, ...]:
    named = {columns: name for name, columns in text.uniques if name}
    keys = []
    for index in indexes:
        columns = tuple(str(c) for c, _, _ in _index_columns(session, index))
        own = named.get(tuple(c.lower() for c in columns))
        keys.append(Key(own or f"uq_{table}_{'_'.join(columns)}", columns))
    return tuple(keys)


def _index(session: Queryable, name: str, unique: bool, sql: str) -> Index:  # noqa: FBT001 (a row)
    text = parse_index(sql)
    parts = []
    for place, (column, descending, number) in enumerate(_index_columns(session, name)):
        expression = text.parts[place] if number == -2 else None
        parts.append(
            IndexPart(None if expression else column or "rowid", expression, bool(descending))
        )
    return Index(name, tuple(parts), unique=unique, where=text.where)


def _checks(table: str, text: TableText) -> tuple[Check, ...]:
    """Return the checks; those without a name are numbered, beside the names that are taken."""
    taken = {name for name, _ in text.checks}
    free = (f"ck_{table}_{n}" for n in range(1, 10_000))
    unused = (name for name in free if name not in taken)
    return tuple(Check(name or next(unused), expression) for name, expression in text.checks)


def _rowid(columns: tuple[Column, ...]) -> str:
    names = {c.name.lower() for c in columns}
    return next((name for name in ROWID_NAMES if name not in names), "")


def _counters(session: Queryable, table: Table, text: TableText) -> tuple[tuple[str, int], ...]:
    key = table.primary_key
    if key is None:
        return ()
    column = _quoted(key.columns[0])
    last = session.query(f"SELECT max({column}) FROM {_quoted(table.name.name)}")[0][0] or 0
    if text.autoincrement:
        seen = session.query("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name.name,))
        last = max([last, *(int(seq or 0) for (seq,) in seen)])
    return ((key.columns[0], min(max(last, 0) + 1, LARGEST_ROWID)),)


def _sizes(session: Queryable, tables: list[Table]) -> dict[str, int]:
    """Return bytes with indexes per table: counted in pages, or shared out by number of values."""
    size = session.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")[
        0
    ][0]
    if size <= EXACT_SIZE_BYTES:
        try:
            return dict(
                session.query(
                    "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d "
                    "JOIN sqlite_master m ON m.name = d.name WHERE d.aggregate = 1 GROUP BY 1"
                )
            )
        except StatementError:
            pass  # this SQLite was built without dbstat: the estimate has to do
    weights = {t.name.name: t.rows * len(t.columns) for t in tables}
    total = sum(weights.values()) or 1
    return {name: size * weight // total for name, weight in weights.items()}


def _others(
    session: Queryable, objects: list[_Object], texts: dict[str, TableText]
) -> list[tuple[str, str]]:
    """Return what no step moves: triggers, virtual tables, table options, collations."""
    others = [("virtual table", o.name) for o in objects if o.kind == "virtual"]
    others += [("STRICT option", o.name) for o in objects if o.strict]
    others += [
        ("collation", f"{table}.{column} {collation}")
        for table, text in texts.items()
        for column, collation in text.collations.items()
        if collation.upper() != "BINARY"
    ]
    for index in (o for o in objects if o.type == "index" and o.sql and o.table in texts):
        named = texts[index.table].collations
        for column, collation in session.query(
            "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno",
            (index.name,),
        ):
            own = named.get((column or "").lower(), "BINARY")
            if column and collation.upper() != own.upper():
                others.append(("collation", f"{index.name}({column}) {collation}"))
    return others
