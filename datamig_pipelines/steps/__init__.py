"""The verbs of a migration, one per file, in the order in which they run."""

from datamig_pipelines.steps.backup import Backup
from datamig_pipelines.steps.base import Context, Place, Step, StepDone, TableLoaded
from datamig_pipelines.steps.constraints import Constraints
from datamig_pipelines.steps.load import Load
from datamig_pipelines.steps.report import Report
from datamig_pipelines.steps.schema import Schema
from datamig_pipelines.steps.validate import Validate

STEPS: dict[str, Step] = {
    "backup": Backup(),
    "schema": Schema(),
    "load": Load(),
    "constraints": Constraints(),
    "validate": Validate(),
    "report": Report(),
}

__all__ = ["STEPS", "Context", "Place", "Step", "StepDone", "TableLoaded"]
