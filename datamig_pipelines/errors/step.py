"""DM3xx: something ran and stopped."""

from datamig_pipelines.errors.base import DatamigError


class StepError(DatamigError):
    """Something ran and stopped; the message says what is done and what is not."""

    code = "DM300"
    exit_code = 6


class BackupError(StepError):
    """The backup could not be written, read back or restored."""

    code = "DM301"


class BackupStoreError(BackupError):
    """The object store that holds the backups refuses, or does not answer."""

    code = "DM340"


class BackupDamagedError(BackupError):
    """A backup is not what was written: a file, or its manifest, was changed since."""

    code = "DM341"


class BackupMissingError(BackupError):
    """A restore is asked for, and there is no backup that could be restored."""

    code = "DM342"


class RestoreError(BackupError):
    """The restore did not lead back to the state of the backup, or was refused."""

    code = "DM343"


class LossesError(StepError):
    """A rollback would take rows that the run did not bring, and nobody agreed to that."""

    code = "DM354"
    exit_code = 4


class TransformError(StepError):
    """The user's Python function raised, or returned something that does not fit the table."""

    code = "DM302"


class RejectsError(StepError):
    """Rows were rejected: more than the spec allows."""

    code = "DM303"
    exit_code = 2


class StalledError(StepError):
    """A worker stopped answering."""

    code = "DM304"


class RehearsalError(StepError):
    """A rehearsal could not come to its end; the target was not touched."""

    code = "DM350"


class IrreversibleError(RehearsalError):
    """The rehearsed way back does not lead to the state that was there before."""

    code = "DM351"
    exit_code = 3


class AlreadyRunError(RehearsalError):
    """What is to be rehearsed is in the target already, finished or half."""

    code = "DM352"
    exit_code = 5


class SampleError(RehearsalError):
    """The size of a rehearsal's sample cannot be understood."""

    code = "DM353"
    exit_code = 4


class ScratchDeniedError(RehearsalError):
    """The user may not make the scratch database in which a rehearsal takes place."""

    code = "DM365"
    exit_code = 7


class NotRehearsedError(RehearsalError):
    """The file asks for a rehearsal, and there is no green one of this very plan."""

    code = "DM366"
    exit_code = 5


class StreamChangedError(StepError):
    """A table without a key did not come again in the order in which it was loaded so far."""

    code = "DM320"
    retryable = True
