"""How long a run takes: by typical figures of a 2-core machine, or as a rehearsal measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.planning.rehearsed import Measured
from datamig_pipelines.transfer import Route

_LOAD_US = {
    (Wire.COPY_BINARY, Wire.COPY_BINARY): 4.0,
    (Wire.COPY_TEXT, Wire.COPY_TEXT): 8.0,
    (Wire.COPY_CSV, Wire.ARROW): 8.0,
    (Wire.CELLS, Wire.ARROW): 9.0,
    (Wire.CELLS, Wire.COPY_TEXT): 12.0,
    (Wire.COPY_TEXT, Wire.CELLS): 15.0,
    (Wire.CELLS, Wire.CELLS): 12.0,
}
_PROOF_US = 6.0
_TRANSFORM_US = 10.0
_TABLE_S = 0.05
_ENOUGH = 1_000
"""Rows from which a measured rate says something about more rows."""
_BY_ROWS = ("constraints", "validate")
"""Steps that take longer, the more rows there are; the others depend on what was there before."""


@dataclass(frozen=True)
class Timeline:
    """Seconds of each table and step; a step that is not named is not known, and not counted."""

    tables: Mapping[str, float]
    steps: Mapping[str, float]
    how: str

    @property
    def seconds(self) -> float:
        """Return the seconds of a whole run."""
        return sum(self.steps.values())

    def __str__(self) -> str:
        """Return it in words, for the report."""
        return f"about {self.seconds:.1f} s, {self.how}"


def timeline(routes: Sequence[Route], measured: Measured | None = None) -> Timeline:
    """Return what a run of some routes will take."""
    if measured is None:
        tables = {r.name: _typical(r) for r in routes}
        return Timeline(tables, {"load": sum(tables.values())}, "estimated")
    tables = {r.name: _as_measured(r, measured) for r in routes}
    rows = sum(r.source.rows for r in routes)
    more = max(1.0, rows / measured.rows) if measured.rows >= _ENOUGH else 1.0
    opening = _TABLE_S * len(measured.tables)
    steps = {
        s: _grown(spent, more, opening) if s in _BY_ROWS else spent
        for s, spent in measured.steps.items()
    }
    around = max(0.0, steps.get("load", 0.0) - measured.seconds)
    steps["load"] = sum(tables.values()) + around
    return Timeline(tables, steps, f"measured by the rehearsal of {measured.time}")


def _typical(route: Route) -> float:
    """Return the estimated seconds of one table: load, proofs and a fixed part."""
    per_row = _LOAD_US.get((route.sends, route.takes), 20.0) + _PROOF_US
    if route.transform:
        per_row += _TRANSFORM_US
    return _TABLE_S + route.source.rows * per_row / 1e6


def _as_measured(route: Route, measured: Measured) -> float:
    """Return a table's seconds by its own rate, or by that of all tables where it was too small."""
    rows, seconds = measured.tables.get(route.name, (0, 0.0))
    if rows and route.source.rows <= rows:
        return seconds
    tables = 1
    if rows < _ENOUGH:
        rows, seconds, tables = measured.rows, measured.seconds, len(measured.tables)
    if rows < _ENOUGH:
        return _typical(route)
    rate = max(0.0, seconds - tables * _TABLE_S) / rows
    return _TABLE_S + rate * route.source.rows


def _grown(seconds: float, times: float, opening: float) -> float:
    """Return the seconds for so many times the rows; ``opening`` of them does not grow."""
    fixed = min(seconds, opening)
    return fixed + (seconds - fixed) * times
