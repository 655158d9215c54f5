"""One small migration by hand: what a plan does, without a plan."""

from dataclasses import replace

from datamig_pipelines.catalog import Catalog, Table
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import (
    Compared,
    Fingerprint,
    KeyPart,
    Landing,
    Projection,
    Read,
)
from datamig_pipelines.session import Session


def projections(table: Table) -> tuple[Projection, ...]:
    """Return all stored columns of a table, each into a column of its own type."""
    return tuple(
        Projection(c.name, f'"{c.name.replace(chr(34), chr(34) * 2)}"', c.type, c.type, None)
        for c in table.columns
        if c.generated is None
    )


def reading(table: Table, wire: Wire, after: tuple[str, ...] | None = None) -> Read:
    """Return the stream over a table in the order of its primary key."""
    columns = projections(table)
    sql = {p.name: p.sql for p in columns}
    names = table.primary_key.columns if table.primary_key else ()
    key = tuple(KeyPart(sql[n], table.column(n).type) for n in names)
    return Read(table.name, columns, wire, key=key, after=after)


def without_domain_checks(table: Table) -> Table:
    """Return a table as it is made where its columns keep their domains."""
    return replace(table, checks=tuple(c for c in table.checks if not c.domain))


def _make(target: Session, catalog: Catalog, kind: str) -> None:
    for made in (o for o in catalog.objects if o.kind == kind):
        target.run(*target.dialect.create_object(made))


def move(source: Session, target: Session, catalog: Catalog, wire: Wire) -> None:
    """Create, load and complete every table and view of a catalog."""
    speak = target.dialect
    tables = [without_domain_checks(t) for t in catalog.tables]
    target.run(*map(speak.create_schema, {t.name.schema for t in tables}))
    _make(target, catalog, "domain")
    for table in tables:
        target.run(*speak.create_types(table))
        target.run(speak.create_table(table, keys=False, foreign_keys=False))
    _make(target, catalog, "partition")
    for table in tables:
        with target.transaction():
            target.write(
                Landing(table, projections(table), wire), source.stream(reading(table, wire))
            )
    for table in catalog.tables:
        keys = [table.primary_key] if table.primary_key else []
        target.run(*[s for k in keys for s in speak.add_primary_key(table, k)])
        target.run(*[s for k in table.uniques for s in speak.add_unique(table, k)])
        target.run(*[s for i in table.indexes for s in speak.create_index(table, i)])
        target.run(*[s for c, n in table.counters for s in speak.set_counter(table, c, n)])
    for table in catalog.tables:
        target.run(*[s for k in table.foreign_keys for s in speak.add_foreign_key(table, k)])
    for view in catalog.views:
        target.run(*speak.create_view(view))


def fingerprint(session: Session, table: Table) -> Fingerprint:
    """Return the checksum of all columns of a table."""
    columns = [
        Compared(session.dialect.quote(c.name), c.type, family(c.type)) for c in table.columns
    ]
    return session.fingerprint(session.dialect.table(table.name), columns)
