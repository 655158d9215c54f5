"""What arrived and what was proven: the end of every run, from the ledger alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from datamig_pipelines.cli import exits
from datamig_pipelines.cli.failures import as_dict, print_error
from datamig_pipelines.cli.output import document, remark, say, show_table
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.ledger.entry import SOURCE_SUITE, TARGET_SUITE
from datamig_pipelines.spec import Migration

_COUNTS = ("read", "loaded", "rejected", "filtered")
_SUITES = (SOURCE_SUITE, TARGET_SUITE)
_MARKS = {"equal": "equal", "different": "DIFFERENT", "not comparable": "not comparable"}


@dataclass(frozen=True)
class SuiteVerdict:
    """How one Great Expectations suite ended."""

    suite: str
    table: str
    passed: bool
    blocking: bool
    message: str
    judged_on: str = "target"
    page: str = ""


def conclude(
    migration: Migration,
    error: DatamigError | None,
    *,
    as_json: bool,
    suites: Sequence[SuiteVerdict] = (),
    more: dict[str, Any] | None = None,
) -> int:
    """Print what the ledger knows now and the error if there was one; return the exit code."""
    figures = {**_figures(migration, error), "suites": [asdict(s) for s in suites]}
    figures |= more or {}
    code = error.exit_code if error else _code(figures, suites)
    from datamig_pipelines.expectations import docs_index

    if as_json:
        told = as_dict(error) if error else None
        document({**figures, "exit_code": code, "meaning": exits.MEANINGS[code], "error": told})
    else:
        show_figures(figures)
        for suite in suites:
            word = "holds" if suite.passed else "DOES NOT HOLD"
            say(f"{word}: {suite.table} in the {suite.judged_on}: {suite.message}")
        if any(s.page for s in suites):
            remark(f"Data Docs: {docs_index(migration)}")
    if error:
        print_error(error)
    elif not as_json:
        say(_sentence(code))
    return code


def _code(figures: dict[str, Any], suites: Sequence[SuiteVerdict]) -> int:
    broken = [s for s in suites if not s.passed]
    code = exits.of_proofs(figures.get("proofs", []))
    if any(s.blocking for s in broken):
        return exits.DIFFERENT
    lacking = broken or figures.get("left_out")
    return exits.NOT_ALL_PROVEN if lacking and code == exits.OK else code


def _figures(migration: Migration, error: DatamigError | None) -> dict[str, Any]:
    from datamig_pipelines import running

    try:
        return running.status(migration)
    except DatamigError:
        if error is None:
            raise
        # The error says why there is nothing to show.
        return {"migration": migration.name, "runs": []}


def show_figures(figures: dict[str, Any]) -> None:
    """Print rows and proofs of the last run, table by table."""
    proofs = [p for p in figures.get("proofs", []) if not p["proof"].startswith(_SUITES)]
    kinds = sorted({p["proof"] for p in proofs})
    verdicts = {(p["table"], p["proof"]): _MARKS.get(p["verdict"], p["verdict"]) for p in proofs}
    tables = figures.get("tables", {})
    rows = [
        (name, *(state[c] for c in _COUNTS), *(verdicts.get((name, k), "-") for k in kinds))
        for name, state in tables.items()
    ]
    if rows:
        show_table(figures["migration"], ("table", *_COUNTS, *kinds), rows, _COUNTS)
    for proof in proofs:
        if proof["verdict"] != "equal":
            say(f"{proof['verdict']}: {proof['table']}, {proof['proof']}: {_why(proof)}")
    for cause in figures.get("causes", []):
        if cause["mend"]:
            place = f"{cause['table']}.{cause['column']}"
            say(f"against {cause['cause']} in {place}: {cause['mend']}")
    for what in figures.get("left_out", []):
        say(f"left out, for the target refused it: {what}")
    if rejects := len(figures.get("rejects", [])):
        remark(f"{rejects:,} rows were rejected; they are in the ledger and in the report")


def _why(proof: dict[str, Any]) -> str:
    figures = {
        k: v for k, v in proof.items() if k in ("source", "target", "source_value", "target_value")
    }
    return proof["detail"] or ", ".join(f"{k} {v}" for k, v in figures.items())


def _sentence(code: int) -> str:
    return exits.MEANINGS[code] if code == exits.OK else f"exit {code}: {exits.MEANINGS[code]}"
