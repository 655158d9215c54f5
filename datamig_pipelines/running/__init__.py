"""The one door: plan, run, resume, validate, take back."""

from datamig_pipelines.running.approval import approve
from datamig_pipelines.running.breaking import Breaker, Finding, breaking, fitting_faults
from datamig_pipelines.running.diff import TableDiff, diff
from datamig_pipelines.running.expecting import (
    SuiteJudged,
    forget_source,
    has_begun,
    judge_alone,
    judge_source,
    refuse_failed,
)
from datamig_pipelines.running.foreseeing import Foreseen, Loss, Prospect
from datamig_pipelines.running.history import acknowledge, acknowledge_drift, history
from datamig_pipelines.running.keeping import list_backups, unreadable_backups, verify_again
from datamig_pipelines.running.line import (
    Move,
    Version,
    baseline,
    moves,
    refuse_edited,
    refuse_elsewhere,
    standing,
    way,
)
from datamig_pipelines.running.opening import look
from datamig_pipelines.running.overwriting import Overwritten
from datamig_pipelines.running.pause import pause, resume
from datamig_pipelines.running.readiness import Outlook, outlook
from datamig_pipelines.running.rehearsal import Rehearsed, rehearse
from datamig_pipelines.running.rejects import rejects, replay
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
    run,
    run_step,
    undo_if_asked,
)
from datamig_pipelines.running.spread import begin_spread, end_spread, take_share
from datamig_pipelines.running.status import status
from datamig_pipelines.running.validation import Prover, proving, validate

__all__ = [
    "Breaker",
    "Finding",
    "Foreseen",
    "Loss",
    "Move",
    "NothingToDo",
    "Outlook",
    "Overwritten",
    "Prospect",
    "Prover",
    "Rehearsed",
    "StepStarted",
    "SuiteJudged",
    "TableDiff",
    "Version",
    "acknowledge",
    "acknowledge_drift",
    "approve",
    "baseline",
    "begin_spread",
    "breaking",
    "diff",
    "end_spread",
    "fitting_faults",
    "foresee",
    "forget_source",
    "has_begun",
    "history",
    "judge_alone",
    "judge_source",
    "list_backups",
    "look",
    "losses",
    "moves",
    "needs_restore",
    "outlook",
    "overwrites",
    "pause",
    "proving",
    "refuse_edited",
    "refuse_elsewhere",
    "refuse_failed",
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
    "unreadable_backups",
    "validate",
    "verify_again",
    "way",
]
