"""What can go wrong.

DatamigError
  SpecError
    UnknownEngineError
    MissingSecretError
    TransformNotFoundError
  PlanError
    TableMissingError
    ColumnMissingError
    KeyUnsupportedError
    NameCollisionError
    TypeUnsupportedError
    TargetNotEmptyError
    NotYetError
    ScriptError
  StepError
    BackupError
    TransformError
    RejectsError
    StalledError
    StreamChangedError
  EngineError
    DriverMissingError
    ConnectError
    LoginError
    ConnectionLostError
    LockTimeoutError
    DiskFullError
    PermissionDeniedError
    RefusedError
    StatementError
  ProofFailedError
  LedgerError
    RunningElsewhereError
    PlanChangedError
    LedgerOutdatedError
    BatchTakenError
    SourceChangedError

The first digit of a code says how worried to be: 1-2 nothing happened, 3 something ran and
stopped, 4 an engine spoke, 5 the data differs, 6 memory and world disagree.
"""

import re
from typing import ClassVar

_IN_URL = re.compile(r"(://[^:/@\s]*:)[^/\s]*@")
_NAMED = re.compile(r"""((?:password|passwd|pwd)['"]?\s*[=:]\s*['"]?)[^\s&;,'")]+""", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """Return ``text`` with every password in a URL or behind ``password=`` replaced by ``***``."""
    return _NAMED.sub(r"\1***", _IN_URL.sub(r"\1***@", text))


class DatamigError(Exception):
    """Something this project can explain: a code, a message, a place and a next move."""

    code: ClassVar[str] = "DM000"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str, where: str = "") -> None:
        """Keep the message without secrets, the next move and the place (may come later)."""
        super().__init__(without_secrets(message))
        self.message = without_secrets(message)
        self.hint = without_secrets(hint)
        self.where = where

    def at(self, where: str) -> "DatamigError":
        """Return the same error, with its place filled in if it had none."""
        if not self.where:
            self.where = where
        return self

    def __str__(self) -> str:
        """Return ``DM310 at load/orders: message`` and the hint on a second line."""
        place = f" at {self.where}" if self.where else ""
        return f"{self.code}{place}: {self.message}\n  hint: {self.hint}"


class SpecError(DatamigError):
    """The YAML is wrong; no database was touched."""

    code = "DM100"
    exit_code = 4


class UnknownEngineError(SpecError):
    """The URL names an engine that nobody here speaks."""

    code = "DM101"


class MissingSecretError(SpecError):
    """An environment variable that the YAML names is not set, or a password stands in the YAML."""

    code = "DM102"


class TransformNotFoundError(SpecError):
    """The Python function that a table names cannot be imported or has the wrong signature."""

    code = "DM103"


class PlanError(DatamigError):
    """The YAML is fine, the databases make it impossible; nothing was changed."""

    code = "DM200"
    exit_code = 5


class TableMissingError(PlanError):
    """The spec names a table that the source does not have."""

    code = "DM201"


class ColumnMissingError(PlanError):
    """The spec names a column that the table does not have."""

    code = "DM202"


class KeyUnsupportedError(PlanError):
    """The key asked for cannot be read in order."""

    code = "DM203"


class NameCollisionError(PlanError):
    """Two things would get the same name in the target."""

    code = "DM204"


class TypeUnsupportedError(PlanError):
    """A type of the source has no home in the target."""

    code = "DM205"


class TargetNotEmptyError(PlanError):
    """The target already has a table that this migration would create."""

    code = "DM206"


class NotYetError(PlanError):
    """A thing that this version does not do."""

    code = "DM207"


class ScriptError(PlanError):
    """The plan cannot be written as a script that anybody can run."""

    code = "DM250"


class StepError(DatamigError):
    """Something ran and stopped; the message says what is done and what is not."""

    code = "DM300"
    exit_code = 6


class BackupError(StepError):
    """The backup could not be written, read back or restored."""

    code = "DM301"


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


class StreamChangedError(StepError):
    """A table without a key did not come again in the order in which it was loaded so far."""

    code = "DM320"
    retryable = True


class EngineError(DatamigError):
    """A driver spoke; its words were translated once, in the dialect."""

    code = "DM400"
    exit_code = 7


class DriverMissingError(EngineError):
    """The Python driver or command line tool of an engine is not installed."""

    code = "DM401"


class ConnectError(EngineError):
    """The server does not answer, or the file cannot be opened."""

    code = "DM402"


class LoginError(EngineError):
    """The server refuses the user or the password."""

    code = "DM403"


class ConnectionLostError(EngineError):
    """The connection broke while it was in use."""

    code = "DM404"
    retryable = True


class LockTimeoutError(EngineError):
    """Waited for a lock, or lost a deadlock."""

    code = "DM405"
    retryable = True


class DiskFullError(EngineError):
    """There is no room left where the engine or the backup writes."""

    code = "DM406"


class PermissionDeniedError(EngineError):
    """The user may not do this, or the file may not be written."""

    code = "DM407"


class RefusedError(EngineError):
    """The engine refuses a row: constraint, type, encoding. The row can be set aside."""

    code = "DM408"


class StatementError(EngineError):
    """Any other refusal of a statement."""

    code = "DM409"


class ProofFailedError(DatamigError):
    """Source and target differ."""

    code = "DM500"
    exit_code = 3


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


class BatchTakenError(LedgerError):
    """The ledger has the batch already: its commit arrived after all, or another process wrote."""

    code = "DM611"
    retryable = True


class SourceChangedError(LedgerError):
    """Loaded rows changed in the source, and they cannot be copied again behind keys."""

    code = "DM612"
