"""Runs steps: lock, ledger and place around each of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from datamig_pipelines.errors import DatamigError, ProofGateError, RejectsError
from datamig_pipelines.ledger import FINISHED, History, Ledger
from datamig_pipelines.planning import Plan
from datamig_pipelines.running.changes import settled
from datamig_pipelines.running.expecting import Gate, forget_target, judge_target
from datamig_pipelines.running.memory import remember_applied, remember_made
from datamig_pipelines.running.metrics import exported
from datamig_pipelines.running.opening import current_run, opened, target_place
from datamig_pipelines.running.rollback import roll_back
from datamig_pipelines.running.watch import StepFailed, tell
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import STEPS, Context, StepDone
from datamig_pipelines.steps.validate import refuse_differences
from datamig_pipelines.transfer import Event, Said

_ONCE = ("backup",)
_AFTER_ALL_TABLES = ("constraints", "validate", "report")
_AFTER_PROOFS = ("constraints", "report")
_UP_TO_LOAD = ("backup", "schema", "load")
_WRITING = ("schema", "load", "constraints")


@dataclass(frozen=True)
class NothingToDo(Event):
    """The migration counts as applied as it is: by a baseline or an acknowledgement."""

    text: str


@dataclass(frozen=True)
class StepStarted(Event):
    """A step begins."""

    step: str
    does: str


def run(migration: Migration, launch: Launch | None = None) -> Iterator[Event]:
    """Run all steps, going on where an earlier run stopped, and yield what happens.

    Raises:
        DatamigError: With the step as its place. What was done is kept, unless the spec says
            ``rollback: {on_failure: undo}``; a run that was finished once before is kept always.
        RejectsError: Everything else is done, but rows were rejected that the spec does not allow.
    """
    yield from run_steps(migration, launch, tuple(STEPS))


def run_step(migration: Migration, launch: Launch | None, name: str) -> Iterator[Event]:
    """Run one step (for Dagster, where each step is an op of its own) and yield what happens.

    Raises what `run` raises, and takes an unfinished run back likewise where the spec says so.
    """
    yield from run_steps(migration, launch, (name,))


def run_steps(
    migration: Migration, launch: Launch | None, names: tuple[str, ...]
) -> Iterator[Event]:
    """Run some steps in one go. Raises what `run` raises, and SuiteFailedError before the first."""
    began = False
    whole = len(names) > 1 and names[0] in _ONCE
    gate = Gate(wanted=bool({*names} & {*_UP_TO_LOAD}), anew=whole)
    try:
        with (
            opened(migration, launch, check=gate.admit) as (plan, session),
            exported(plan, Ledger(session)) as said,
        ):
            began = True
            for remark in said:
                yield tell(remark)
            if why := settled(History(session), current_run(Ledger(session), migration.name)):
                yield tell(NothingToDo(f"{migration.name}: {why.event} by {why.who}, nothing runs"))
                return
            yield from gate.enter(plan, Ledger(session))
            for name in names:
                yield from _step(name, plan, session, alone=len(names) == 1)
    except DatamigError as error:
        if began:
            yield from _taken_back(migration, error)
        raise


def _taken_back(migration: Migration, why: DatamigError) -> Iterator[Event]:
    """Take the run back if asked; whoever waits for a step's end is not told of its undo so."""
    for event in undo_if_asked(migration, why):
        yield Said(f"taken back: {event.step}") if isinstance(event, StepDone) else event


def undo_if_asked(migration: Migration, why: DatamigError) -> Iterator[Event]:
    """Take the run back after a failure if the spec says so and it was never finished before.

    An error on the way back is noted on ``why``, the error that the caller goes on to raise.
    """
    if migration.rollback.on_failure == "keep":
        return
    try:
        with target_place(migration).open(readonly=True) as session:
            ledger = Ledger(session)
            run = current_run(ledger, migration.name)
            finished = run is None or FINISHED in ledger.steps(run.run_id)
        if not finished:
            fallback = migration.rollback.on_failure == "restore"
            yield from roll_back(migration, fallback=fallback)
    except DatamigError as second:
        why.add_note(f"and it could not be taken back: {second}")


def _step(name: str, plan: Plan, session: Session, *, alone: bool) -> Iterator[Event]:
    if name in _WRITING:
        yield from _kept_first(plan, session)
    try:
        for event in _step_events(name, plan, session, alone=alone):
            yield tell(event)
    except DatamigError as error:
        tell(StepFailed(name, error))
        raise


def _kept_first(plan: Plan, session: Session) -> Iterator[Event]:
    """Make the backup that a step chosen by itself would do without.

    A backup made later would hold what the run made, and would be no way back.
    """
    if Ledger(session).steps(plan.context.run_id).get("backup", ("", ""))[0] == "done":
        return
    yield tell(Said("nothing was kept of the target yet: the step backup comes first"))
    yield from (
        e for e in _step("backup", plan, session, alone=True) if not isinstance(e, StepDone)
    )


def _step_events(name: str, plan: Plan, session: Session, *, alone: bool) -> Iterator[Event]:
    step, context, ledger = STEPS[name], plan.context, Ledger(session)
    yield StepStarted(name, step.does)
    if name in _ONCE and ledger.steps(context.run_id).get(name, ("", ""))[0] == "done":
        detail = ledger.steps(context.run_id)[name][1]
        yield StepDone(
            name, {**json.loads(detail or "{}"), "already": "done by an earlier process"}
        )
        return
    if waits := _waits_for(name, context, ledger):
        yield Said(f"{name} waits until all tables are loaded: {', '.join(waits)}")
        yield StepDone(name, {"waits for": waits})
        return
    yield from _judged(name, plan, session, alone=alone)
    ledger.begin_step(context.run_id, name)
    try:
        for event in step.run(context, session):
            if isinstance(event, StepDone):
                ledger.end_step(context.run_id, name, "done", json.dumps(event.detail))
            yield event
        if name == list(STEPS)[-1]:
            check_rejects(plan, ledger)
            finish_run(plan, History(session))
    except DatamigError as error:
        _remember(ledger, context.run_id, name, error)
        raise error.at(name) from error.__cause__


def _judged(name: str, plan: Plan, session: Session, *, alone: bool) -> Iterator[Event]:
    """Ask the verdicts that a step needs; alone, those of suites that may hold it.

    Raises:
        ProofGateError: One of them holds it.
    """
    ledger = Ledger(session)
    if name == "load":
        forget_target(plan, ledger)
    if name in _AFTER_PROOFS:
        yield from judge_target(plan, session, anew=False, blocking=alone)
        _gate(ledger, plan.context.run_id, name)


def _gate(ledger: Ledger, run_id: str, name: str) -> None:
    """Refuse to begin a step behind proofs that differ. Raises ProofGateError."""
    try:
        refuse_differences(ledger, run_id, name, rows_only=name != list(STEPS)[-1])
    except ProofGateError as error:
        ledger.end_run(run_id, "failed", str(error))
        raise error.at(name)  # noqa: B904 (the same error)


def finish_run(plan: Plan, ledger: History) -> None:
    """Write down that a run is done: from now on people may rely on what it made.

    What the target holds is remembered before, and all else at once: a run that was killed in
    between would count as done, and what it made as somebody else's.
    """
    run_id = plan.context.run_id
    first = FINISHED not in ledger.steps(run_id)
    if first:
        remember_made(plan, ledger)
    with ledger.session.transaction():
        if first:
            remember_applied(plan, ledger)
        ledger.begin_step(run_id, FINISHED)
        ledger.end_step(run_id, FINISHED, "done")
        ledger.end_run(run_id, "done")


def _waits_for(name: str, context: Context, ledger: Ledger) -> list[str]:
    """Return the tables that are not loaded, for steps of a partial run that need them all."""
    if name not in _AFTER_ALL_TABLES or not context.launch.tables:
        return []
    states = ledger.table_states(context.run_id, [r.name for r in context.routes])
    return [name for name, state in states.items() if not state.done]


def check_rejects(plan: Plan, ledger: Ledger) -> None:
    """Raise RejectsError if rows were rejected in tables where the spec does not allow it."""
    from fnmatch import fnmatchcase

    allow = plan.context.migration.rejects.allow
    names = {r.name: (r.name, r.source.name.name) for r in plan.context.routes}
    counts: dict[str, int] = {}
    for _, reject in ledger.rejects(plan.context.run_id):
        called = names.get(reject.table, (reject.table,))
        if not any(fnmatchcase(name, p) for name in called for p in allow):
            counts[reject.table] = counts.get(reject.table, 0) + 1
    if counts:
        shown = ", ".join(f"{table}: {count}" for table, count in counts.items())
        msg = f"all steps are done, but rows were rejected: {shown}"
        hint = (
            f"See them in {plan.context.folder / 'report.md'}; mend them and `datamig rejects "
            f"replay {plan.context.migration.name}`, or allow them: rejects: {{allow: [table]}}."
        )
        raise RejectsError(msg, hint=hint)


def _remember(ledger: Ledger, run_id: str, name: str, error: DatamigError) -> None:
    """Write the failure into the ledger, if the target still answers."""
    try:
        if name != list(STEPS)[-1]:
            ledger.end_step(run_id, name, "failed", json.dumps({"error": str(error)}))
        ledger.end_run(run_id, "failed", str(error))
    except DatamigError as second:
        error.add_note(f"and the ledger could not be written: {second}")
