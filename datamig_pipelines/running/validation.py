"""Proves a loaded migration again, under a new snapshot of the source."""

from collections.abc import Iterator

from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import History
from datamig_pipelines.running.changes import settled
from datamig_pipelines.running.opening import current_run, opened
from datamig_pipelines.running.watch import tell
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import StepDone
from datamig_pipelines.steps.validate import judge, prove
from datamig_pipelines.transfer import Event


def validate(migration: Migration, launch: Launch | None = None) -> Iterator[Event]:
    """Run all proofs of the spec on databases as they are now and yield the results.

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
        for result in prove(plan.context, session, after_load=True):
            yield tell(result)
        for result in prove(plan.context, session, after_load=False):
            yield tell(result)
        yield tell(StepDone("validate", judge(ledger, plan.context.run_id)))
