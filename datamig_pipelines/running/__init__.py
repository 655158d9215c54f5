"""The one door: plan, run, resume, validate, take back."""

from datamig_pipelines.running.approval import approve
from datamig_pipelines.running.diff import TableDiff, diff
from datamig_pipelines.running.foreseeing import Foreseen, Loss, Prospect
from datamig_pipelines.running.history import acknowledge, acknowledge_drift, history
from datamig_pipelines.running.keeping import list_backups, verify_again
from datamig_pipelines.running.line import Version, baseline, moves, refuse_elsewhere, standing
from datamig_pipelines.running.opening import look
from datamig_pipelines.running.pause import pause, resume
from datamig_pipelines.running.readiness import Outlook, outlook
from datamig_pipelines.running.rehearsal import Rehearsed, rehearse
from datamig_pipelines.running.rejects import rejects, replay
from datamig_pipelines.running.restoring import Overwritten
from datamig_pipelines.running.rollback import (
    foresee,
    losses,
    needs_restore,
    overwrites,
    roll_back,
)
from datamig_pipelines.running.run import (
    NothingToDo,
    StepStarted,
    fail_run,
    run,
    run_step,
    undo_if_asked,
)
from datamig_pipelines.running.spread import begin_spread, end_spread, take_share
from datamig_pipelines.running.status import status
from datamig_pipelines.running.validation import Prover, proving, validate

__all__ = [
    "Foreseen",
    "Loss",
    "NothingToDo",
    "Outlook",
    "Overwritten",
    "Prospect",
    "Prover",
    "Rehearsed",
    "StepStarted",
    "TableDiff",
    "Version",
    "acknowledge",
    "acknowledge_drift",
    "approve",
    "baseline",
    "begin_spread",
    "diff",
    "end_spread",
    "fail_run",
    "foresee",
    "history",
    "list_backups",
    "look",
    "losses",
    "moves",
    "needs_restore",
    "outlook",
    "overwrites",
    "pause",
    "proving",
    "refuse_elsewhere",
    "rehearse",
    "rejects",
    "replay",
    "resume",
    "roll_back",
    "run",
    "run_step",
    "standing",
    "status",
    "take_share",
    "undo_if_asked",
    "validate",
    "verify_again",
]
