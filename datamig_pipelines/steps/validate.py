"""Proves what can only be proven at the end, and holds all verdicts together, the load's too."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from typing_extensions import override

from datamig_pipelines.catalog import Catalog
from datamig_pipelines.dialects import Statement
from datamig_pipelines.differences import entries
from datamig_pipelines.differences.rejected import MOST as REJECTED_MOST
from datamig_pipelines.errors import LedgerError, ProofFailedError, ProofGateError, StatementError
from datamig_pipelines.ledger import Ledger, ProofEntry, TableState
from datamig_pipelines.proofs import PROOFS, Evidence, Proof, ProofResult, Verdict
from datamig_pipelines.proofs.schema import prove_objects
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.steps.base import MARK, Context, Step, StepDone
from datamig_pipelines.transfer import Event, Route


class Validate(Step):
    """Runs the proofs that need the finished schema; fails if any proof of the run differs."""

    name = "validate"
    does = "proves schema, references and counters, and fails if any proof found a difference"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return nothing: proofs only read."""
        return []

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Prove the end state and check that every table was loaded and proven.

        Raises:
            LedgerError: A table of the plan was never finished.
            ProofFailedError: A proof found a difference.
        """
        ledger = Ledger(session)
        states = ledger.table_states(context.run_id, [r.name for r in context.routes])
        unfinished = [name for name, state in states.items() if not state.done]
        if unfinished:
            msg = f"not loaded yet: {', '.join(unfinished)}"
            raise LedgerError(msg, hint="Load these tables, too, then validate.", where="validate")
        yield from prove(context, session, after_load=False)
        yield StepDone(self.name, judge(ledger, context.run_id))

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Do nothing: proofs only read."""
        yield StepDone(self.name)


def prove(context: Context, session: Session, *, after_load: bool) -> Iterator[ProofResult]:
    """Run the proofs of the spec that are due then or before, under a new snapshot of the source.

    ``after_load`` True runs those that only need rows; False those that need the finished schema.
    """
    ledger = Ledger(session)
    catalog = context.target.catalog(session)
    steps = ledger.steps(context.run_id)
    readers, _ = open_readers(context.source.dialect, context.source.url, 1)
    try:
        for route in context.chosen():
            state = ledger.table_state(context.run_id, route.name)
            seen = evidence(context, route, readers[0], session, state)
            seen = completed(seen, context, catalog, steps)
            for name in context.migration.validation.proofs:
                if PROOFS[name].after_load is after_load:
                    result = proven(PROOFS[name], seen)
                    remember(ledger, context.run_id, result)
                    yield result
        partial = after_load or context.launch.tables
        if made := {} if partial else made_objects(context, steps):
            result = prove_objects(made, catalog)
            remember(ledger, context.run_id, result)
            yield result
    finally:
        for reader in readers:
            reader.close()


def evidence(
    context: Context, route: Route, source: Session, target: Session, state: TableState
) -> Evidence:
    """Return what the proofs of a loaded table may look at."""
    few = 0 < state.rows_rejected <= REJECTED_MOST
    rejected = Ledger(target).rejected_keys(context.run_id, route.name) if few else []
    shown = context.migration.validation.show_values
    return Evidence(route, source, target, state, rejected=tuple(rejected), show_values=shown)


def remember(ledger: Ledger, run_id: str, result: ProofResult) -> None:
    """Write a proof's outcome into the ledger."""
    ledger.add_proof(
        ProofEntry(
            run_id,
            result.table,
            result.proof,
            result.verdict.value,
            result.source,
            result.target,
            result.detail,
        )
    )
    if result.diff is not None:
        with ledger.session.transaction():
            ledger.set_differences(run_id, result.table, entries(result.diff))


def completed(
    seen: Evidence, context: Context, catalog: Catalog, steps: dict[str, tuple[str, str]]
) -> Evidence:
    """Return the evidence with what the target's catalog, and the ledger's steps, know of it."""
    said = " ".join(detail for name, (_, detail) in steps.items() if ":" not in name)
    target = seen.route.target.name
    return replace(
        seen,
        actual=catalog.table(target),
        alike=_alike(context, catalog),
        checks_refused=f"checks of {target}: " in said,
    )


def _alike(context: Context, catalog: Catalog) -> bool:
    same = context.source.dialect.name == context.target.dialect.name
    return same and context.source_version == catalog.version


def made_objects(context: Context, steps: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Return views and objects that were made, with a digest of what they looked like then."""
    if "schema" not in context.migration.validation.proofs:
        return {}
    names = {f"constraints:view {v.name}": f"view {v.name}" for v in context.views}
    names |= {f"{MARK}{o}": str(o) for o in context.objects}
    return {
        name: steps[unit][1]
        for unit, name in names.items()
        if steps.get(unit, ("", ""))[0] == "done"
    }


def proven(proof: Proof, evidence: Evidence) -> ProofResult:
    """Return a proof's verdict; a table or column that is gone from the target is a difference."""
    planned, actual = evidence.route.target, evidence.actual
    figures = (str(planned.name), "missing")
    if actual is None:
        return proof.result(evidence, Verdict.DIFFERENT, figures, "the target has no such table")
    try:
        return proof.prove(evidence)
    except StatementError:
        gone = [c.name for c in planned.columns if actual.column(c.name) is None]
        if not gone:
            raise
        return proof.result(
            evidence, Verdict.DIFFERENT, figures, f"the target lacks {', '.join(gone)}"
        )


def judge(ledger: Ledger, run_id: str, *, suites: bool = True) -> dict[str, object]:
    """Return how many verdicts of each kind there are, those of suites as well if asked for.

    Raises:
        ProofFailedError: One differs.
    """
    proofs = [p for p in ledger.proofs(run_id) if suites or not p.of_suite]
    failed = [p for p in proofs if p.verdict == Verdict.DIFFERENT]
    if failed:
        msg = _found(failed, len(proofs))
        hint = (
            "See all of them with `datamig status`, the rows with `datamig diff`; take all back "
            "with `datamig rollback`."
        )
        raise ProofFailedError(msg, hint=hint, where="validate")
    return {str(v): sum(p.verdict == v for p in proofs) for v in Verdict}


def refuse_differences(ledger: Ledger, run_id: str, step: str, *, rows_only: bool) -> None:
    """Refuse to begin a step behind proofs that found a difference, as the ledger has them.

    ``rows_only`` asks only those that are taken after the load.

    Raises:
        ProofGateError: There is such a proof.
    """
    proofs = [p for p in ledger.proofs(run_id) if not rows_only or _of_rows(p)]
    failed = [p for p in proofs if p.verdict == Verdict.DIFFERENT]
    if failed:
        msg = f"{step} does not begin: {_found(failed, len(proofs))}"
        hint = (
            "See the rows with `datamig diff`; mend them and prove again with `datamig validate`, "
            "or take all back with `datamig rollback`."
        )
        raise ProofGateError(msg, hint=hint)


def _of_rows(entry: ProofEntry) -> bool:
    proof = PROOFS.get(entry.proof)
    return entry.of_suite or (proof is not None and proof.after_load)


def _found(failed: Sequence[ProofEntry], of: int) -> str:
    first = failed[0]
    why = first.detail or f"source {first.source}, target {first.target}"
    return f"{len(failed)} of {of} proofs found a difference; {first.table}, {first.proof}: {why}"
