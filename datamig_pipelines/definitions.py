"""Everything that Dagster sees of this project: one component per folder of ``defs``."""

import warnings
from pathlib import Path

import dagster as dg

from datamig_pipelines import defs as defs_module

_EARLY = (dg.BetaWarning, dg.PreviewWarning)


@dg.definitions
def definitions() -> dg.Definitions:
    """Load the migrations. Steps run in one process: a load has its own pool of workers."""
    with warnings.catch_warnings():
        for category in _EARLY:
            warnings.simplefilter("ignore", category)
        tree = dg.ComponentTree.from_module(
            defs_module=defs_module, project_root=Path(__file__).resolve().parents[1]
        )
        return dg.Definitions.merge(
            tree.build_defs(), dg.Definitions(executor=dg.in_process_executor)
        )
