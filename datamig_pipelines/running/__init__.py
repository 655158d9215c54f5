"""The one door: plan, run, resume, validate, take back."""

from datamig_pipelines.running.keeping import list_backups, verify_again
from datamig_pipelines.running.opening import look
from datamig_pipelines.running.restoring import Overwritten
from datamig_pipelines.running.rollback import Loss, losses, needs_restore, overwrites, roll_back
from datamig_pipelines.running.run import StepStarted, fail_run, run, run_step, undo_if_asked
from datamig_pipelines.running.status import status
from datamig_pipelines.running.validation import validate

__all__ = [
    "Loss",
    "Overwritten",
    "StepStarted",
    "fail_run",
    "list_backups",
    "look",
    "losses",
    "needs_restore",
    "overwrites",
    "roll_back",
    "run",
    "run_step",
    "status",
    "undo_if_asked",
    "validate",
    "verify_again",
]
