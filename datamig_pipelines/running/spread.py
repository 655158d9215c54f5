"""A load on several machines: cut into shards, taken by workers, brought to its end by one."""

from collections.abc import Iterator

from datamig_pipelines.errors import DatamigError, NotYetError
from datamig_pipelines.running.opening import look, opened
from datamig_pipelines.running.readiness import admit
from datamig_pipelines.running.run import run_steps
from datamig_pipelines.running.share import cut, share
from datamig_pipelines.running.watch import StepFailed, tell
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import Context, StepDone
from datamig_pipelines.transfer import Event

_BEFORE, _AFTER = ("backup", "schema"), ("load", "constraints", "validate", "report")


def begin_spread(migration: Migration, launch: Launch) -> Iterator[Event]:
    """Do all steps before the load and cut it; the last event tells how many shards are open.

    Raises:
        NotYetError: The target has one writer, so nothing could be shared.
        DatamigError: As `run`.
    """
    _refuse_single_writers(migration, launch)
    yield from run_steps(migration, launch, _BEFORE)
    with opened(migration, launch, check=admit) as (plan, session):
        yield StepDone("shards", {"open": cut(plan.context, session)})


def take_share(migration: Migration, launch: Launch) -> Iterator[Event]:
    """Load shards that are free until there are none; any number of processes may do this."""
    context = look(migration, launch).context
    try:
        for event in share(context):
            yield tell(event)
    except DatamigError as error:
        tell(StepFailed("load", error))
        raise error.at("load") from error.__cause__


def end_spread(migration: Migration, launch: Launch) -> Iterator[Event]:
    """Prove what the workers loaded against one moment of the source, load what they left, go on.

    The ledger's shards are the manifest: a shard that no worker took is loaded here.
    """
    yield from run_steps(migration, launch, _AFTER)


def _refuse_single_writers(migration: Migration, launch: Launch) -> None:
    context: Context = look(migration, launch).context
    if not context.target.dialect.can.concurrent_writers:
        msg = f"{context.target.dialect.label} has one writer: a load into it cannot be shared"
        raise NotYetError(msg, hint=f"Run the job {migration.name} instead, or drop `spread`.")
