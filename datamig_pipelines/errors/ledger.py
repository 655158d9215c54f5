"""DM6xx: memory and world disagree; a person decides."""

from datamig_pipelines.errors.base import DatamigError


class LedgerError(DatamigError):
    """Memory and world disagree; a person decides."""

    code = "DM600"
    exit_code = 8


class RunningElsewhereError(LedgerError):
    """Another run works on the same target at this moment."""

    code = "DM601"


class PlanChangedError(LedgerError):
    """The unfinished run was started with another plan."""

    code = "DM602"


class LedgerOutdatedError(LedgerError):
    """The ledger in the target was made by an older version, which kept other columns."""

    code = "DM610"


class LedgerDamagedError(LedgerError):
    """Tables of the ledger were dropped, or changed, by somebody else."""

    code = "DM630"


class BatchTakenError(LedgerError):
    """The ledger has the batch already: its commit arrived after all, or another process wrote."""

    code = "DM611"
    retryable = True


class SourceChangedError(LedgerError):
    """Loaded rows changed in the source, and they cannot be copied again behind keys."""

    code = "DM612"


class OutOfOrderError(LedgerError):
    """Another migration of the line has to be applied, or taken back, before this one."""

    code = "DM620"


class DriftError(LedgerError):
    """What a migration made was changed in the target since, by somebody else."""

    code = "DM621"


class NotApprovedError(LedgerError):
    """The file asks for an approval, and there is none for this very plan."""

    code = "DM622"


class NotApproverError(LedgerError):
    """The file names who may approve, and this is somebody else."""

    code = "DM623"


class ApprovalEndedError(LedgerError):
    """An approval would have run out before it is given."""

    code = "DM624"
