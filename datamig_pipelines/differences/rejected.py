"""Leaves the rows out of the source that the target never got, because they were rejected."""

import json

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines.ledger import TableState
from datamig_pipelines.session import Session
from datamig_pipelines.transfer import Route

MOST = 1000
"""Rejected rows that can be left out by their keys."""


class NotLeftOutError(Exception):
    """Rejected rows cannot be told apart in the source; the text says why."""


def without_rejected(
    route: Route, source: Session, state: TableState, keys: tuple[str, ...]
) -> str:
    """Return the route's filter without the rejected rows (JSON lists of key texts).

    Raises:
        NotLeftOutError: They have no keys, are too many, or are not in the source as they were.
    """
    if not state.rows_rejected:
        return route.where
    count = f"{state.rows_rejected} rows were rejected, so the sums cannot be equal"
    if state.rows_rejected > MOST:
        raise NotLeftOutError(f"{count}: more than {MOST} cannot be left out")
    known = {tuple(json.loads(k)) for k in keys if k}
    known.discard(())
    if not route.key or len(known) != state.rows_rejected:
        raise NotLeftOutError(f"{count}: they have no keys by which they could be left out")
    where = _and(route.where, _others(route, source, known))
    table = source.dialect.table(route.source.name)
    total, rest = (
        int(source.query(source.dialect.count(table, w))[0][0]) for w in (route.where, where)
    )
    if total - rest != len(known):
        raise NotLeftOutError(f"{count}: not all of them are found in the source by their keys")
    return where


def _others(route: Route, source: Session, known: set[tuple[str, ...]]) -> str:
    dialect = source.dialect
    cells = [dialect.cell(Compared(k.sql, k.type, _form(k.type.kind))) for k in route.key]
    if len(cells) == 1:
        values = [dialect.literal(k[0]) for k in sorted(known)]
        return f"NOT ({dialect.is_one_of(cells[0], values)})"
    rows = [
        " AND ".join(f"{c} = {dialect.literal(t)}" for c, t in zip(cells, key, strict=True))
        for key in sorted(known)
    ]
    return f"NOT ({' OR '.join(f'({r})' for r in rows)})"


def _form(kind: Kind) -> Kind:
    return Kind.TEXT if kind in (Kind.ENUM, Kind.SET, Kind.ANY, Kind.OTHER) else kind


def _and(where: str, condition: str) -> str:
    return f"({where}) AND {condition}" if where else condition
