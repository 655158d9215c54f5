"""Proves a loaded migration again, under a new snapshot of the source."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import History, Ledger
from datamig_pipelines.planning import Plan
from datamig_pipelines.proofs import PROOFS, ProofResult
from datamig_pipelines.proofs.schema import prove_objects
from datamig_pipelines.running.changes import settled
from datamig_pipelines.running.expecting import forget_gone, judge_target
from datamig_pipelines.running.opening import current_run, opened
from datamig_pipelines.running.watch import tell
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import StepDone
from datamig_pipelines.steps.validate import completed, evidence, judge, made_objects, prove, proven
from datamig_pipelines.transfer import Event


def validate(
    migration: Migration, launch: Launch | None = None, *, suites: bool = True
) -> Iterator[Event]:
    """Run all proofs of the spec on databases as they are now and yield the results.

    ``suites`` False leaves the suites of the target to others (in Dagster each is an op).

    Raises:
        LedgerError: The migration was never loaded.
        ProofFailedError: A proof found a difference; all proofs were run.
    """
    with opened(migration, launch) as (plan, session):
        ledger = History(session)
        run = current_run(ledger, migration.name)
        stands = settled(ledger, run) is not None
        if run is None or not (
            stands or any(ledger.table_state(run.run_id, r.name).done for r in plan.context.routes)
        ):
            msg = f"{migration.name} is not loaded, so there is nothing to prove"
            raise LedgerError(msg, hint=f"datamig run {migration.name}")
        forget_gone(plan, ledger)
        for result in prove(plan.context, session, after_load=True):
            yield tell(result)
        for result in prove(plan.context, session, after_load=False):
            yield tell(result)
        if suites:
            for judged in judge_target(plan, session, anew=True):
                yield tell(judged)
        yield tell(StepDone("validate", judge(ledger, plan.context.run_id, suites=suites)))


@dataclass(frozen=True)
class Prover:
    """Takes single proofs of a loaded migration, under one snapshot, and remembers none."""

    plan: Plan
    source: Session
    target: Session

    def prove(self, proof: str, table: str) -> ProofResult:
        """Return what a proof says of a table (its name in the source).

        Raises:
            LedgerError: The table was never loaded, or is not in the plan.
        """
        context = self.plan.context
        route = next((r for r in context.routes if r.name == table), None)
        state = Ledger(self.target).table_state(context.run_id, table)
        if route is None or not state.done:
            msg = f"{table} of {context.migration.name} is not loaded"
            raise LedgerError(msg, hint=f"datamig run {context.migration.name}")
        seen = evidence(context, route, self.source, self.target, state)
        catalog = context.target.catalog(self.target)
        steps = Ledger(self.target).steps(context.run_id)
        return proven(PROOFS[proof], completed(seen, context, catalog, steps))

    def prove_others(self) -> ProofResult | None:
        """Return what is said of views and other objects; None where none was made."""
        context = self.plan.context
        made = made_objects(context, Ledger(self.target).steps(context.run_id))
        return prove_objects(made, context.target.catalog(self.target)) if made else None


@contextmanager
def proving(migration: Migration) -> Iterator[Prover]:
    """Open both sides and yield who proves; for test suites that want one proof per test."""
    with opened(migration) as (plan, session):
        source = plan.context.source
        (reader, *_), _ = open_readers(source.dialect, source.url, 1)
        with reader:
            yield Prover(plan, reader, session)
