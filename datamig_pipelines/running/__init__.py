"""The one door: plan, run, resume, validate, take back."""

from datamig_pipelines.running.diff import TableDiff, diff
from datamig_pipelines.running.opening import look
from datamig_pipelines.running.rollback import Loss, losses, roll_back
from datamig_pipelines.running.run import StepStarted, fail_run, run, run_step, undo_if_asked
from datamig_pipelines.running.spread import begin_spread, end_spread, take_share
from datamig_pipelines.running.status import status
from datamig_pipelines.running.validation import Prover, proving, validate

__all__ = [
    "Loss",
    "Prover",
    "StepStarted",
    "TableDiff",
    "begin_spread",
    "diff",
    "end_spread",
    "fail_run",
    "look",
    "losses",
    "proving",
    "roll_back",
    "run",
    "run_step",
    "status",
    "take_share",
    "undo_if_asked",
    "validate",
]
