"""What psycopg's exceptions mean."""

import re
from typing import Any, Final

from datamig_pipelines.errors import (
    ConnectError,
    ConnectionLostError,
    DiskFullError,
    EngineError,
    LockTimeoutError,
    LoginError,
    PermissionDeniedError,
    RefusedError,
    StatementError,
)

_Verdict = tuple[type[EngineError], str]

_REFUSED: Final = "Correct the row in the source, change the column's type, or set the row aside."
_CONNECT: Final = "Check host, port and database name, and that the server is up."
_LOST: Final = "Run again: it goes on after the last committed batch. The server's log says why."
_LOCK: Final = "Run again, or see who holds the lock in pg_locks and pg_stat_activity."
_LOGIN: Final = "Check user and password, and the lines of pg_hba.conf for this host."
_STATES: Final[dict[str, _Verdict]] = {
    "08": (ConnectionLostError, _LOST),
    "22": (RefusedError, _REFUSED),
    "23": (RefusedError, _REFUSED),
    "28": (LoginError, _LOGIN),
    "2200H": (StatementError, "The sequence has reached its maximum: widen the column."),
    "25006": (PermissionDeniedError, "The session is read only, or the server is a standby."),
    "3D000": (ConnectError, "Create the database, or correct its name in the URL."),
    "40001": (LockTimeoutError, _LOCK),
    "40P01": (LockTimeoutError, _LOCK),
    "42501": (PermissionDeniedError, "Grant the right to the user, or connect as the owner."),
    "44000": (RefusedError, _REFUSED),
    "53100": (DiskFullError, "Make room on the disk of the server, then run again."),
    "53300": (ConnectError, "Lower the number of workers, or raise max_connections."),
    "54": (RefusedError, "The row is too large for the table or for one of its indexes."),
    "54001": (StatementError, "The statement is too deep: raise max_stack_depth."),
    "54023": (StatementError, "The statement has too many arguments."),
    "55P03": (LockTimeoutError, _LOCK),
    "57014": (
        StatementError,
        "Somebody cancelled it, or throttle.statement_timeout_s is too short.",
    ),
    "57P01": (ConnectionLostError, _LOST),
    "57P02": (ConnectionLostError, _LOST),
    "57P03": (ConnectError, "The server is starting or stopping: try again in a moment."),
    "57P05": (ConnectionLostError, _LOST),
    "P0001": (
        RefusedError,
        "A trigger or a function of the target refuses the row: see what it says.",
    ),
}
_LOGIN_WORDS: Final = (
    r"authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist"
    r"|not permitted to log in|authentication method"
)
_LOST_WORDS: Final = (
    r"server closed the connection|connection (is|was) (closed|lost|bad)|terminating connection"
    r"|could not (receive|send) data|consuming input failed|SSL SYSCALL|no connection"
    r"|connection not open|error with no message"
)
_SAYINGS: Final[tuple[tuple[str, _Verdict], ...]] = (
    (r"No space left on device", (DiskFullError, "Make room on the disk, then run again.")),
    (_LOGIN_WORDS, _STATES["28"]),
    (r"database .* does not exist", _STATES["3D000"]),
    (r"too many (clients|connections)|connection slots", _STATES["53300"]),
    (r"starting up|shutting down", _STATES["57P03"]),
    (r"^connection failed|failed to resolve host|connection timeout", (ConnectError, _CONNECT)),
    (_LOST_WORDS, _STATES["08"]),
)


def translate(error: BaseException) -> EngineError:
    """Return what an exception of psycopg means; its SQLSTATE decides, else its words."""
    message = _words(error)
    state = getattr(error, "sqlstate", None) or ""
    verdict = _STATES.get(state) or _STATES.get(state[:2]) or _by_words(str(error))
    if verdict is None:
        position = "" if not state else f"SQLSTATE {state}: "
        return StatementError(message, hint=f"{position}read the statement against this message.")
    kind, hint = verdict
    return kind(message, hint=hint)


def _by_words(text: str) -> _Verdict | None:
    for pattern, verdict in _SAYINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return verdict
    return None


def _words(error: BaseException) -> str:
    """Return the server's message, its detail and the place in a COPY; else the driver's words."""
    diag: Any = getattr(error, "diag", None)
    primary = getattr(diag, "message_primary", None)
    if not primary:
        lines = str(error).strip().splitlines()
        return re.sub(r"^connection failed: ", "", lines[0]) if lines else type(error).__name__
    said = str(primary)
    if diag.message_detail:
        said += f" ({str(diag.message_detail).splitlines()[0]})"
    if str(diag.context or "").startswith("COPY"):
        said += f" [{diag.context.splitlines()[0][:200]}]"
    return said
