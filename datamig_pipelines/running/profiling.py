"""Looks at the source's tables for first suites of expectations; only reads."""

from collections.abc import Iterator
from dataclasses import replace

from datamig_pipelines.catalog import Column, Kind, Table
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.profiling import figures, profile_sql, values_sql
from datamig_pipelines.dialects.reading import Projection
from datamig_pipelines.expectations.profile import ColumnProfile, TableProfile
from datamig_pipelines.planning import Plan
from datamig_pipelines.running.opening import look
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.transfer import Route

_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_FEW = 20
"""Most values of a column whose values are written down."""
_SHARE = 20
"""So many rows there must be per value for that."""
_AT_ONCE = 40
"""Columns per statement."""


def profile(
    migration: Migration, launch: Launch | None = None, *, values: bool = False
) -> Iterator[tuple[Route, TableProfile]]:
    """Yield what the tables hold, of the rows that are moved; one scan per 40 columns.

    ``values`` allows texts of columns with few values to be written down; enums' lists are part
    of their type and always are.

    Raises:
        SpecError, PlanError, EngineError: See `datamig_pipelines.errors`.
    """
    plan = look(migration, launch)
    with plan.context.source.open(readonly=True) as session:
        for route in plan.context.chosen():
            yield route, _profiled(route, plan, session, values=values)


def _profiled(route: Route, plan: Plan, session: Session, *, values: bool) -> TableProfile:
    table, arrives = route.source, _plain(route, plan)
    kept = [c for c in table.columns if c.name in arrives]
    rows, found = 0, []
    for start in range(0, len(kept), _AT_ONCE):
        group = kept[start : start + _AT_ONCE]
        asked = [f for c in group for f in figures(session.dialect, c)]
        sql = profile_sql(session.dialect, table.name, asked, route.where)
        (row,) = session.query(sql)
        rows = int(row[0])
        for at, column in enumerate(group):
            cells = row[1 + at * 7 : 8 + at * 7]
            found.append(_column(column, cells, table, arrives[column.name]))
    few = [_with_values(c, rows, route, session, values=values) for c in found]
    return TableProfile(
        route.name,
        rows if kept else 0,
        tuple(few),
        _keys(table, {c.name for c in kept}),
        tuple(c.name for c in table.columns if c.name not in arrives),
    )


def _plain(route: Route, plan: Plan) -> dict[str, Projection]:
    """Return source column → how it is read, for those whose values are moved as they are."""
    quote = plan.context.source.dialect.quote
    read = {p.sql: p for p in (*route.columns, *route.computed) if p.plain}
    return {c.name: read[quote(c.name)] for c in route.source.columns if quote(c.name) in read}


def _column(
    column: Column, cells: tuple[object, ...], table: Table, read: Projection
) -> ColumnProfile:
    filled, distinct, least, most, longest, shortest, addresses = cells
    keys = [k.columns for k in (table.primary_key, *table.uniques) if k]
    keys += [i.columns for i in table.indexes if i.unique and not i.where]
    refers = {c for k in table.foreign_keys for c in k.columns}
    own = {c for columns in keys for c in columns}
    return ColumnProfile(
        column,
        int(str(filled)),
        _whole(distinct),
        None if least is None else str(least),
        None if most is None else str(most),
        _whole(longest),
        _whole(shortest),
        _whole(addresses),
        key=(column.name,) in keys,
        counts=column.identity or column.name in own | refers,
        alike=_alike(read),
    )


def _whole(cell: object) -> int | None:
    return None if cell is None else int(str(cell))


def _alike(read: Projection) -> bool:
    """Say whether what is true of a value in the source is true of it in the target."""
    kinds = (family(read.type), family(read.into))
    groups = ((Kind.INTEGER, Kind.YEAR), (Kind.DECIMAL, Kind.FLOAT), _MOMENTS)
    same = kinds[0] is kinds[1] or any(set(kinds) <= {*group} for group in groups)
    return same and read.compare is not None


def _keys(table: Table, kept: set[str]) -> tuple[tuple[str, ...], ...]:
    """Return the keys of several columns; a unique key with NULLs in it is none to others."""
    keys = [k.columns for k in (table.primary_key, *table.uniques) if k]
    required = {c.name for c in table.columns if not c.nullable}
    return tuple(dict.fromkeys(k for k in keys if len(k) > 1 and {*k} <= kept and {*k} <= required))


def _with_values(
    found: ColumnProfile, rows: int, route: Route, session: Session, *, values: bool
) -> ColumnProfile:
    """Return the column with all its values, where they are few and may be written down."""
    type_ = found.column.type
    if type_.kind is Kind.ENUM:
        return replace(found, values=type_.values)
    wanted = type_.kind is Kind.INTEGER or (values and type_.kind is Kind.TEXT)
    few = found.distinct is not None and 0 < found.distinct <= _FEW
    if not wanted or not few or found.counts or rows < _SHARE * (found.distinct or 0):
        return found
    name = found.column.name
    sql = values_sql(session.dialect, route.source.name, name, route.where, _FEW + 1)
    there = [row[0] for row in session.query(sql)]
    kind = int if type_.kind is Kind.INTEGER else str
    if not all(isinstance(v, kind) for v in there):
        return found  # SQLite: values of another type
    return replace(found, values=tuple(sorted(there)))
