"""What the error numbers of MySQL, MariaDB and pymysql mean."""

import re
from typing import Final

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

_MEANING: Final[dict[type[EngineError], tuple[str, tuple[int, ...]]]] = {
    LoginError: (
        "check user and password in the URL's variable, and the hosts that the account allows.",
        (1045, 1130, 1251, 1275, 1698, 1820, 1862, 2054, 2059, 2061, 3118, 4151),
    ),
    ConnectError: (
        "check host, port and database in the URL, and that the server runs.",
        (1040, 1042, 1043, 1049, 1129, 1203, 2000, 2001, 2002, 2003, 2004, 2005, 2007, 2012, 2026),
    ),
    ConnectionLostError: (
        "the batch is repeated on a new connection; if it goes on, read the server's error log.",
        (0, 1053, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 4031),
    ),
    LockTimeoutError: (
        "another session holds the lock: SHOW PROCESSLIST shows which; run again when it is done.",
        (1099, 1205, 1213, 1223, 1614, 3058, 3132, 3572),
    ),
    DiskFullError: (
        "make room in datadir and tmpdir of the server, or for its tablespace.",
        (3, 28, 1021, 1026, 1041, 1114, 1135),
    ),
    PermissionDeniedError: (
        "GRANT what the message names to the user of the URL.",
        (
            1044, 1095, 1132, 1142, 1143, 1211, 1227, 1290, 1345, 1356, 1370, 1410, 1419, 1792,
            1836, 3159,
        ),
    ),
    RefusedError: (
        "the value does not fit the column: change the value, the type of the column or the cast.",
        (
            1048, 1062, 1169, 1216, 1217, 1264, 1265, 1292, 1300, 1364, 1366, 1367, 1369, 1406,
            1411, 1416, 1451, 1452, 1525, 1526, 1557, 1569, 1586, 1748, 1761, 1762, 1859, 3140,
            3141, 3156, 3819, 3903, 4025, 4038, 4162,
        ),
    ),
}  # fmt: skip

_KIND: Final[dict[int, tuple[type[EngineError], str]]] = {
    code: (kind, hint) for kind, (hint, codes) in _MEANING.items() for code in codes
}

_HINTS: Final[dict[int, str]] = {
    1040: "the server has no connection left: lower `workers`, or raise max_connections.",
    1044: "the database is not there or the user may not see it: check its name, then GRANT.",
    1049: "the server answers, but has no such database: check the end of the URL.",
    1153: "raise max_allowed_packet of the server (SET GLOBAL, up to 1073741824).",
    1301: "raise max_allowed_packet of the server (SET GLOBAL, up to 1073741824).",
    1148: "allow LOAD DATA LOCAL on the server: SET GLOBAL local_infile = 1.",
    3948: "allow LOAD DATA LOCAL on the server: SET GLOBAL local_infile = 1.",
    1267: "wrap one side in CONVERT(... USING utf8mb4).",
    1690: "a number leaves its range in an expression; in a fingerprint a row is longer than the "
    "server's max_allowed_packet: raise it (SET GLOBAL, up to 1073741824).",
    1792: "the session is read only, as a source's sessions are.",
    1317: "somebody stopped the statement (KILL QUERY); run again.",
    1969: "raise throttle.statement_timeout_s, or max_statement_time of the server for the user.",
    3024: "raise throttle.statement_timeout_s, or max_execution_time of the server.",
    2026: "TLS failed: check ssl_ca, ssl_cert and ssl_key in the URL, or say ssl_disabled=true.",
}

_DATA_TRUNCATED: Final = 1265
_DEFAULT_HINT: Final = "run the statement by hand to see what it needs."


_AT_ROW: Final = re.compile(r" at row \d+$|^Row \d+ ")


def refusal(code: int, message: str) -> RefusedError:
    """Return the refusal that a warning of LOAD DATA stands for; ``code`` 0 is our own."""
    _, hint = _KIND[_DATA_TRUNCATED]
    said = _AT_ROW.sub(lambda m: "the row " if m[0].startswith("Row") else "", message)
    return RefusedError(f"{said} ({code})" if code else said, hint=hint)


def translate(error: BaseException) -> EngineError:
    """Return what an exception of pymysql means; its number stands in the message."""
    first = error.args[0] if error.args else None
    code = first if isinstance(first, int) else -1
    words = str(error.args[1]) if code >= 0 and len(error.args) > 1 else str(error)
    message = " ".join(words.splitlines()[:2]) or "the connection is closed"
    kind, hint = _KIND.get(code, (StatementError, _DEFAULT_HINT))
    said = f"{message} ({code})" if code > 0 else message
    return kind(said, hint=_HINTS.get(code, hint))
