"""How long a route takes, by the figures of a 2-core machine; a guess until it is rehearsed."""

from datamig_pipelines.dialects.capabilities import Wire
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


def seconds_of(route: Route) -> float:
    """Return the estimated seconds of one table: load, proofs and a fixed part."""
    per_row = _LOAD_US.get((route.sends, route.takes), 20.0) + _PROOF_US
    if route.transform:
        per_row += _TRANSFORM_US
    return _TABLE_S + route.source.rows * per_row / 1e6
