"""The exit codes: what a script may rely on. Those of errors stand on their classes."""

from typing import Any

OK = 0
DIFFERENT = 3
NOT_ALL_PROVEN = 9
INTERRUPTED = 130
WRONG_CALL = 4

MEANINGS: dict[int, str] = {
    OK: "done, and everything that was asked to be proven is proven",
    1: "unexpected: a bug; the traceback is in a file that the last line names",
    2: "everything else is done, but rows were rejected that the file does not allow",
    DIFFERENT: "a proof or an expectation found a difference",
    WRONG_CALL: "the file or the command line is wrong; no database was touched",
    5: "the plan is impossible on these databases; nothing was changed",
    6: "a step stopped; what was committed is kept and a later run goes on",
    7: "an engine refused: connection, login, lock, disk, permission, statement",
    8: "the ledger and the world disagree; a person decides",
    NOT_ALL_PROVEN: "the rows arrived, but not all was taken by the target or could be proven",
    INTERRUPTED: "stopped by you; a later run goes on from there",
}

EPILOG = "Exit codes: " + " · ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items())


def of_proofs(proofs: list[dict[str, Any]]) -> int:
    """Return the exit code of a finished run, from the verdicts in the ledger."""
    verdicts = {p["verdict"] for p in proofs}
    if "different" in verdicts:
        return DIFFERENT
    return OK if verdicts <= {"equal"} else NOT_ALL_PROVEN
