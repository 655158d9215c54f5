"""Strips a table of what a target that holds only rows cannot keep, and says so."""

from collections.abc import Callable
from dataclasses import replace

from datamig_pipelines.catalog import Table

Note = Callable[[str], None]


def bare(table: Table, label: str, note: Note) -> Table:
    """Return the columns and their types alone; every kind of thing left behind is a note."""
    left = {
        "the primary key": table.primary_key,
        "unique keys": table.uniques,
        "indexes": table.indexes,
        "checks": table.checks,
        "defaults": [c for c in table.columns if c.default is not None],
        "columns that count by themselves": [c for c in table.columns if c.identity],
        "NOT NULL": [c for c in table.columns if not c.nullable],
    }
    names = [name for name, things in left.items() if things]
    if names:
        note(f"{table.name}: {label} do not keep {', '.join(names)}")
    columns = (replace(c, nullable=True, default=None, identity=False) for c in table.columns)
    return Table(table.name, tuple(columns), rows=table.rows, comment=table.comment)
