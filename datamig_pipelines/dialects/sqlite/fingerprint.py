"""The portable checksum of rows, computed inside SQLite by functions that a connection brings."""

from collections.abc import Sequence
from typing import Final

from datamig_pipelines.dialects.base import Queryable
from datamig_pipelines.dialects.reading import Compared, Fingerprint
from datamig_pipelines.dialects.sqlite.functions import ARMOURED, armour, form
from datamig_pipelines.errors import StatementError

GROUP: Final = 100
"""Columns per call: SQLite's functions take 127 arguments."""
TEXT_FORM: Final = "text|0|text"


def fingerprint(
    session: Queryable, table: str, columns: Sequence[Compared], where: str
) -> Fingerprint:
    """Return rows and checksum of a table (quoted name) or of what ``where`` leaves of it.

    Text that is no valid UTF-8 cannot be handed to a function: then all goes a slower, safe way.
    """
    try:
        found = session.query(_sql(table, columns, where, "", armoured=False))
    except StatementError:
        found = session.query(_sql(table, columns, where, "", armoured=True))
    rows, _, total = (found[0][0] or "0:0").partition(":")
    return Fingerprint(int(rows), int(total))


def in_buckets(
    session: Queryable, table: str, columns: Sequence[Compared], bucket: str, where: str
) -> dict[int | None, Fingerprint]:
    """Return rows and checksum of every bucket, added up here: a GROUP BY would sort all rows."""
    try:
        found = session.query(_sql(table, columns, where, bucket, armoured=False))
    except StatementError:
        found = session.query(_sql(table, columns, where, bucket, armoured=True))
    parts = [part.split(":") for part in (found[0][0] or "").split()]
    return {int(b) if b else None: Fingerprint(int(n), int(total)) for b, n, total in parts}


def of_cells(table: str, cells: Sequence[str], where: str) -> str:
    """Return the SELECT of (rows, sum) over expressions that are canonical text already."""
    forms = ",".join([TEXT_FORM] * len(cells))
    call = f"datamig_fingerprint('{forms}', {', '.join(cells)})"
    parts = "substr(f, 1, instr(f, ':') - 1), substr(f, instr(f, ':') + 1)"
    return f"SELECT {parts} FROM (SELECT {call} AS f FROM {table}{_where(where)})"


def _sql(
    table: str, columns: Sequence[Compared], where: str, bucket: str, *, armoured: bool
) -> str:
    calls = []
    for start in range(0, len(columns), GROUP):
        group = columns[start : start + GROUP]
        forms = (ARMOURED if armoured else "") + ",".join(form(c) for c in group)
        values = ", ".join(armour(c.sql) if armoured else c.sql for c in group)
        calls.append(f"'{forms}', {values}")
    if len(calls) == 1:
        inner = calls[0]
    else:  # rows of rows: what joins the groups is what joins the cells
        forms = ",".join([TEXT_FORM] * len(calls))
        inner = ", ".join([f"'{forms}'", *(f"datamig_row({c})" for c in calls)])
    call = f"datamig_buckets({bucket}, {inner})" if bucket else f"datamig_fingerprint({inner})"
    return f"SELECT {call} FROM {table}{_where(where)}"


def _where(where: str) -> str:
    return f" WHERE {where}" if where else ""
