"""Judges the suites of a migration where a run needs their verdicts, and remembers these.

What the source's suites say is remembered with the run that they let in; what the target's say,
until its tables are loaded again. Steps ask the memory, so no way around a verdict is left: a step
that finds none has the suite judged.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from datamig_pipelines.errors import PlanError, SuiteFailedError
from datamig_pipelines.expectations import SuiteResult, check_suite, verdicts
from datamig_pipelines.expectations.subject import digest_of
from datamig_pipelines.expectations.suite import read_suite
from datamig_pipelines.ledger import Ledger, ProofEntry
from datamig_pipelines.ledger.entry import SOURCE_SUITE, TARGET_SUITE
from datamig_pipelines.planning import Plan
from datamig_pipelines.proofs import Verdict
from datamig_pipelines.running.opening import Situation, current_run, look, target_place
from datamig_pipelines.running.readiness import admit
from datamig_pipelines.running.watch import tell
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, Side, Suite
from datamig_pipelines.transfer import Event, Route

_FRESH_S = 3600
"""So long a verdict about the source lets a run in that was not entered into the ledger yet."""
_MARKS: dict[Side, str] = {"before": SOURCE_SUITE, "after": TARGET_SUITE}


@dataclass(frozen=True)
class SuiteJudged(Event):
    """A suite was judged."""

    result: SuiteResult


@dataclass
class Gate:
    """Lets a run in if the plan and the suites of the source do; judges each of these once.

    ``anew`` judges them whatever is remembered. ``wanted`` False lets in without asking them: for
    steps behind the load.
    """

    wanted: bool
    anew: bool
    results: list[SuiteResult] = field(default_factory=list)
    _asked: bool = False
    _taken: Collection[str] = ()

    def admit(self, found: Situation) -> None:
        """Raise why a run may not begin or go on; nothing was touched.

        Raises:
            SuiteFailedError: A suite does not hold on the source.
            DatamigError: As `readiness.admit`.
        """
        admit(found)
        if found.settled or self._asked or not self.wanted:
            return
        self._asked = True
        held = () if self.anew else _held(found)
        fresh = {} if self.anew else _fresh(found.plan.context.migration)
        self.results, self._taken = judge_source(found.plan, held, fresh), fresh.keys()
        refuse_failed(self.results, begun=found.run is not None)

    def enter(self, plan: Plan, ledger: Ledger) -> Iterator[Event]:
        """Remember the verdicts with the run, forget those of suites that nobody asks any more."""
        forget_gone(plan, ledger)
        for result in self.results:
            ledger.add_proof(_entry(plan.context.run_id, result))
            if result.digest not in self._taken:
                yield SuiteJudged(result)


def judge_source(
    plan: Plan, held: Collection[str] = (), fresh: Mapping[str, SuiteResult] | None = None
) -> list[SuiteResult]:
    """Judge the suites of the source whose tables this launch asks for; only reads.

    Suites whose digest is ``held`` are left out; ``fresh`` verdicts are taken as they are.

    Raises:
        SpecError: A suite's file cannot be read, also one of the target: before hours of load.
    """
    migration, results = plan.context.migration, []
    for suite in (s for side in _MARKS for s in migration.suites(side)):
        read_suite(migration, suite)
    for suite in migration.suites("before"):
        route = _route(plan, suite.table)
        if route is not None and route not in plan.context.chosen():
            continue
        digest = digest_of(migration, suite, route)
        if fresh and digest in fresh:
            results.append(_called(fresh[digest], route))
        elif digest not in held:
            result = _called(check_suite(migration, suite, "before", route), route)
            tell(SuiteJudged(result))
            results.append(result)
    return results


def rehearsed_suites(migration: Migration, *, sampled: bool) -> Migration:
    """Return the migration as a rehearsal walks it, which has judged the source before.

    The target's suites are judged on the scratch copy; of a sample they are only told, for what
    holds of all rows need not hold of some.
    """
    after = migration.validation.suites
    if sampled:
        after = tuple(s.model_copy(update={"blocking": False}) for s in after)
    said = migration.validation.model_copy(update={"before": (), "suites": after})
    return migration.model_copy(update={"validation": said})


def refuse_failed(results: Sequence[SuiteResult], *, begun: bool) -> None:
    """Raise SuiteFailedError if a decisive suite of the source does not hold.

    ``begun`` says that a run has touched the target already, and would have gone on.
    """
    failed = [r for r in results if r.decisive]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        msg = f"the source does not hold what is expected of {failed[0].table}: {failed[0].message}"
        page = failed[0].page
        hint = "Mend the rows or the suite and run again"
        hint += (
            ": it goes on with what the run has done before; this attempt touched nothing."
            if begun
            else "; nothing was touched."
        )
        hint += f" What failed: {page}" if page else ""
        raise SuiteFailedError(msg + more, hint=hint, where="validate.before")


def has_begun(migration: Migration) -> bool:
    """Say whether the target holds a run of the migration that was not taken back."""
    place = target_place(migration)
    if place.dialect.file_missing(place.url):
        return False
    with place.open(readonly=True) as session:
        return current_run(Ledger(session), migration.name) is not None


def forget_source(migration: Migration) -> None:
    """Forget that suites let the current run in: the next step has them judged again."""
    place = target_place(migration)
    if place.dialect.file_missing(place.url):
        return
    with place.open(readonly=True) as session:
        known = _entries(Ledger(session), migration, "before")
    if known:
        with place.open(readonly=False) as session:
            for entry in known:
                Ledger(session).forget_proof(entry)


def judge_target(
    plan: Plan, session: Session, *, anew: bool, blocking: bool = False
) -> Iterator[SuiteJudged]:
    """Judge the suites of the target, or those without a verdict; the ledger remembers.

    ``blocking`` asks no others: in Dagster these are judged by their own op, before or after.
    """
    ledger, context = Ledger(session), plan.context
    known = set() if anew else {(e.table, e.proof) for e in ledger.proofs(context.run_id)}
    shared = None if context.target.dialect.can.concurrent_writers else session
    for suite in context.migration.suites("after"):
        route = _route(plan, suite.table)
        if blocking and not suite.blocking:
            continue
        if (route.name if route else suite.table, _MARKS["after"] + suite.file) in known:
            continue
        result = _called(check_suite(context.migration, suite, "after", route, shared), route)
        ledger.add_proof(_entry(context.run_id, result))
        yield SuiteJudged(result)


def judge_alone(migration: Migration, suite: Suite) -> SuiteResult:
    """Judge one suite of the target (for Dagster, where each is an op) and remember the verdict."""
    try:
        route = _route(look(migration), suite.table)
    except PlanError:
        route = None  # the source changed; the target can be judged all the same
    result = _called(check_suite(migration, suite, "after", route), route)
    with target_place(migration).open(readonly=False) as session:
        ledger = Ledger(session)
        run = current_run(ledger, migration.name)
        if run is not None:
            ledger.add_proof(_entry(run.run_id, result))
            if result.decisive and run.status == "running":
                ledger.end_run(run.run_id, "failed", result.message)
    return result


def forget_target(plan: Plan, ledger: Ledger) -> None:
    """Forget the verdicts about tables that are about to be loaded."""
    chosen = {r.name for r in plan.context.chosen()}
    for entry in ledger.proofs(plan.context.run_id):
        if entry.proof.startswith(_MARKS["after"]) and entry.table in chosen:
            ledger.forget_proof(entry)


def forget_gone(plan: Plan, ledger: Ledger) -> None:
    """Forget the verdicts of suites that the spec does not name any more."""
    migration = plan.context.migration
    named = {
        (route.name if (route := _route(plan, s.table)) else s.table, mark + s.file)
        for side, mark in _MARKS.items()
        for s in migration.suites(side)
    }
    for entry in ledger.proofs(plan.context.run_id):
        if entry.of_suite and (entry.table, entry.proof) not in named:
            ledger.forget_proof(entry)


def _called(result: SuiteResult, route: Route | None) -> SuiteResult:
    """Return a result under the name that the ledger has for its table."""
    return replace(result, table=route.name) if route else result


def _route(plan: Plan, table: str) -> Route | None:
    routes = plan.context.routes
    return next((r for r in routes if r.name == table), None) or next(
        (r for r in routes if r.source.name.name == table), None
    )


def _held(found: Situation) -> list[str]:
    """Return the digests of suites that let the run in, by the ledger."""
    if found.ledger is None or found.run is None:
        return []
    entries = _entries(found.ledger, found.plan.context.migration, "before")
    return [e.target for e in entries]


def _fresh(migration: Migration) -> dict[str, SuiteResult]:
    """Return verdicts about the source that let in and were found just now on this machine."""
    now = datetime.now(UTC)
    return {
        r.digest: r
        for r in verdicts(migration)
        if r.side == "before"
        and not r.decisive
        and (now - datetime.fromisoformat(r.judged_at)).total_seconds() < _FRESH_S
    }


def _entries(ledger: Ledger, migration: Migration, side: Side) -> list[ProofEntry]:
    run = current_run(ledger, migration.name)
    found = ledger.proofs(run.run_id) if run else []
    return [e for e in found if e.proof.startswith(_MARKS[side])]


def _entry(run_id: str, result: SuiteResult) -> ProofEntry:
    verdict = Verdict.EQUAL if result.passed else Verdict.NOT_COMPARABLE
    if result.decisive:
        verdict = Verdict.DIFFERENT
    held = f"{result.evaluated - len(result.failed)} of {result.evaluated} hold"
    name = _MARKS[result.side] + result.file
    return ProofEntry(run_id, result.table, name, str(verdict), held, result.digest, result.message)
