"""What a database holds at one moment, in figures that can be compared later."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import fields

from datamig_pipelines.backups.counters import counters_of, moved
from datamig_pipelines.backups.database import Database
from datamig_pipelines.backups.manifest import State, TableFacts
from datamig_pipelines.catalog import Catalog, Table, TableName
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines.session import Session

_NO_SHAPE = frozenset({"name", "rows", "bytes", "counters"})
"""Parts of a table that are no definition: estimates change with every ANALYZE."""
KNOWS = (
    *("collation", "sequence", "counter", "schema", "cast", "access", "language", "conversion"),
    *("operator", "text", "foreign", "user", "default", "large", "history"),
)
"""Kinds of others that earlier versions did not know, or digested otherwise."""
SCHEMA = "schema "
_MANY = "large objects"
_DIGESTED_ANEW = frozenset({"sequence"})
RIGHTS = ("grant ", "owner ", "default privileges ")
"""These are told apart: only some users may restore them, and scratch servers lack the roles."""


def observe(
    database: Database, session: Session, only: Collection[TableName] | None = None
) -> State:
    """Return the state as a session sees it: every row of every table is read once."""
    catalog = database.catalog(session)
    tables = [t for t in catalog.tables if only is None or t.name in only]
    return State(
        {str(t.name): _facts(session, t) for t in tables},
        {} if only is not None else views_of(catalog),
        () if only is not None else _all_others(database, session, catalog),
        KNOWS,
        counters_of(catalog, only),
    )


def _all_others(database: Database, session: Session, catalog: Catalog) -> tuple[str, ...]:
    held = database.dialect.beside(session).held
    return tuple(sorted({*others_of(catalog), *(f"{kind} {name}" for kind, name in held)}))


def others_of(catalog: Catalog) -> tuple[str, ...]:
    """Return functions, triggers, grants and the like; those we can make with their digest."""
    known = [f"{kind} {name}" for kind, name in catalog.others]
    return tuple(sorted(known + [f"{o} ({_digest(o.definition)})" for o in catalog.objects]))


def views_of(catalog: Catalog) -> dict[str, str]:
    """Return the views of a catalog with a digest of each."""
    return {str(v.name): _digest((v.sql, v.materialized)) for v in catalog.views}


def _facts(session: Session, table: Table) -> TableFacts:
    quote = session.dialect.quote
    columns = [Compared(quote(c.name), c.type, family(c.type)) for c in table.columns]
    found = session.fingerprint(session.dialect.table(table.name), columns)
    shape = {
        f.name: _digest(getattr(table, f.name)) for f in fields(table) if f.name not in _NO_SHAPE
    }
    return TableFacts(found.rows, str(found), shape)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:12]


def differences(before: State, after: State) -> list[str]:
    """Return in words what of a state is not there any more, or not as it was."""
    return [
        *_of_tables(before, after),
        *_of_views(before, after),
        *_of_others(before, after),
        *_of_counters(before, after),
    ]


def strangers(before: State, after: State) -> list[str]:
    """Return what is there and was not: ``table x``, ``view y``, ``function z``.

    A schema is not told: what it holds is, and an undo leaves it, empty.
    """
    tables = [f"table {n}" for n in after.tables if n not in before.tables]
    views = [f"view {n}" for n in after.views if n not in before.views]
    others = [o for o in _missing(after, before) if not o.startswith(SCHEMA)]
    return [*tables, *views, *others]


def other_grants(before: State, after: State) -> list[str]:
    """Return the rights that only one of both states has."""
    return sorted(o for o in {*before.others} ^ {*after.others} if o.startswith(RIGHTS))


def _missing(before: State, after: State) -> Iterator[str]:
    # What only one version of datamig knows is no difference; what both know by name may be one.
    one_sided = {*before.knows} ^ {*after.knows}
    there = {bare(other) for other in after.others}
    for other in before.others:
        kind = other.partition(" ")[0]
        if other in after.others or other.startswith(RIGHTS):
            continue
        digested_otherwise = kind in _DIGESTED_ANEW and one_sided and bare(other) in there
        if not (digested_otherwise or (kind in one_sided and kind not in _DIGESTED_ANEW)):
            yield other


def _of_tables(before: State, after: State) -> Iterator[str]:
    for name, then in before.tables.items():
        now = after.tables.get(name)
        if now is None:
            yield f"table {name} is missing"
            continue
        if now.fingerprint != then.fingerprint:
            rows = f"{now.rows:,} rows, {then.rows:,} before"
            yield f"table {name} has other values ({rows})"
        # A part that only one version of datamig knows is no difference.
        common = then.shape.keys() & now.shape.keys()
        wrong = sorted(p.replace("_", " ") for p in common if then.shape[p] != now.shape[p])
        if wrong:
            yield f"table {name} has other {', '.join(wrong)}"


def _of_views(before: State, after: State) -> Iterator[str]:
    for name, then in before.views.items():
        if name not in after.views:
            yield f"view {name} is missing"
        elif after.views[name] != then:
            yield f"view {name} is another"


def _of_others(before: State, after: State) -> Iterator[str]:
    there = {bare(other) for other in after.others}
    for other in _missing(before, after):
        verb = "are others" if other.startswith(_MANY) else "is another"
        yield f"{bare(other)} {verb}" if bare(other) in there else f"{other} is missing"


def _of_counters(before: State, after: State) -> Iterator[str]:
    for name, was, stands in moved(before.counters, after.counters):
        yield f"{name} stands at {stands}, {was} before"


def bare(other: str) -> str:
    """Return the name of an object of a state without its digest."""
    return other.rpartition(" (")[0] or other
