"""DM4xx: an engine spoke; translated once, in its dialect."""

from datamig_pipelines.errors.base import DatamigError


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


class BrokenFileError(EngineError):
    """A file is not what it should be: cut off, ragged, in another encoding, unlike its parts."""

    code = "DM430"


class FileChangedError(EngineError):
    """A file of the source changed while it was read."""

    code = "DM431"
