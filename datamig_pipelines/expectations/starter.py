"""Drafts a suite from a profile: what holds now, with slack where tomorrow may be another day.

What the source declares (NOT NULL, keys, lists of an enum) is critical; what was only seen is a
warning. No value of a text is in it unless it was asked for.
"""

from collections.abc import Iterator
from math import ceil, floor
from typing import Any

from datamig_pipelines.catalog import Kind
from datamig_pipelines.expectations.profile import ColumnProfile, TableProfile, days, numbers

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.YEAR)
_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_ADDRESS = r"^[^@ ]+@[^@ ]+$"
_ENOUGH = 50
"""Rows from which on what was seen is taken for a rule."""

Drafted = dict[str, Any]


def draft(profile: TableProfile, slack: float) -> dict[str, Any]:
    """Return the suite, as Great Expectations reads it."""
    expectations = [*_of_table(profile, slack)]
    for column in profile.columns:
        expectations += _of_column(column, profile.rows, slack)
    return {
        "name": profile.table,
        "expectations": expectations,
        "meta": {"written_by": "datamig profile", "rows": profile.rows, "slack": slack},
    }


def _of_table(profile: TableProfile, slack: float) -> Iterator[Drafted]:
    names = [c.column.name for c in profile.columns]
    if names:
        yield _expect(
            "table_columns_to_match_set", critical=True, column_set=names, exact_match=False
        )
    if profile.rows:
        least, most = floor(profile.rows * (1 - slack)), ceil(profile.rows * (1 + slack))
        yield _expect("table_row_count_to_be_between", min_value=least, max_value=most)
    for key in profile.keys:
        yield _expect("compound_columns_to_be_unique", critical=True, column_list=list(key))


def _of_column(found: ColumnProfile, rows: int, slack: float) -> Iterator[Drafted]:
    yield from _nulls(found, rows, slack)
    if not found.filled or not found.alike:
        return
    if found.key or _seems_unique(found):
        yield _expect("column_values_to_be_unique", critical=found.key, column=found.column.name)
    kind = found.column.type.kind
    if kind in _NUMBERS:
        whole = kind in (Kind.INTEGER, Kind.YEAR)
        yield from _range(found, numbers(found.least, found.most, slack, whole=whole))
    elif kind in _MOMENTS:
        yield from _range(found, days(found.least, found.most, slack))
    elif found.longest:
        yield from _text(found, slack)
    if found.values:
        yield _expect(
            "column_values_to_be_in_set",
            critical=kind is Kind.ENUM,
            column=found.column.name,
            value_set=list(found.values),
        )


def _nulls(found: ColumnProfile, rows: int, slack: float) -> Iterator[Drafted]:
    name, required = found.column.name, not found.column.nullable
    if required or (found.filled == rows and rows >= _ENOUGH):
        yield _expect("column_values_to_not_be_null", critical=required, column=name)
    elif rows >= _ENOUGH:
        share = floor((found.filled / rows - slack) * 100) / 100
        if share > 0:
            yield _expect("column_values_to_not_be_null", column=name, mostly=share)


def _seems_unique(found: ColumnProfile) -> bool:
    """Say whether all values differ; of texts that hangs on an engine's collation."""
    whole = found.column.type.kind in (Kind.INTEGER, Kind.UUID)
    return whole and found.filled >= _ENOUGH and found.distinct == found.filled


def _range(found: ColumnProfile, ends: tuple[object, object] | None) -> Iterator[Drafted]:
    if ends is None:
        return
    bounds: Drafted = {"min_value": ends[0], "max_value": ends[1]}
    if found.counts:
        del bounds["max_value"]
    yield _expect("column_values_to_be_between", column=found.column.name, **bounds)


def _text(found: ColumnProfile, slack: float) -> Iterator[Drafted]:
    # In bytes: MySQL counts these. Nothing is empty: so it should stay.
    bounds: Drafted = {"max_value": ceil((found.longest or 0) * (1 + slack))}
    if found.shortest:
        bounds["min_value"] = 1
    yield _expect("column_value_lengths_to_be_between", column=found.column.name, **bounds)
    if found.filled >= _ENOUGH and found.addresses == found.filled:
        yield _expect("column_values_to_match_regex", column=found.column.name, regex=_ADDRESS)


def _expect(kind: str, *, critical: bool = False, **kwargs: Any) -> Drafted:
    severity = "critical" if critical else "warning"
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity}
