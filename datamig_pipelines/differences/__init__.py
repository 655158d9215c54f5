"""Where two tables differ: found by halving what differs, named by cause, mended by statements."""

from datamig_pipelines.differences.causes import CauseCount, mend
from datamig_pipelines.differences.difference import Difference, RowDiff, entries
from datamig_pipelines.differences.pair import Pair, pair_of
from datamig_pipelines.differences.repairs import repairs, script
from datamig_pipelines.differences.search import find_differences

__all__ = [
    "CauseCount",
    "Difference",
    "Pair",
    "RowDiff",
    "entries",
    "find_differences",
    "mend",
    "pair_of",
    "repairs",
    "script",
]
