"""Assesses a migration: the plan, judged object by object, with the values that will not fit."""

from datamig_pipelines.dialects.fitting import Misfit, any_of
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.assessment import Assessment, assess_plan, misfits
from datamig_pipelines.running.opening import look
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.transfer import Route


def assess(
    migration: Migration, launch: Launch | None = None, *, counting: bool = True
) -> Assessment:
    """Return what becomes of each object; only reads.

    ``counting`` reads every table once that has columns whose values may not fit: on the source,
    one statement per table.

    Raises:
        SpecError, PlanError, EngineError: See `datamig_pipelines.errors`.
    """
    plan = look(migration, launch)
    with plan.context.source.open(readonly=True) as session:
        there = plan.context.source.catalog(session)
        counts = _counts(plan, session) if counting else None
    return assess_plan(plan, there, counts)


def _counts(plan: Plan, session: Session) -> dict[tuple[str, str], list[tuple[Misfit, int]]]:
    found: dict[tuple[str, str], list[tuple[Misfit, int]]] = {}
    for route in plan.context.chosen():
        for column, counted in _of_table(route, plan, session).items():
            found[route.name, column] = counted
    return found


def _of_table(route: Route, plan: Plan, session: Session) -> dict[str, list[tuple[Misfit, int]]]:
    asked = misfits(route, plan)
    for those in asked.values():
        if len(those) > 1:  # a value may not fit in several ways, and is one value
            those.append(any_of(those))
    predicates = [m.sql for those in asked.values() for m in those]
    if not predicates:
        return {}
    sql = session.dialect.count_misfits(route.source.name, predicates, route.where)
    numbers = iter(session.query(sql)[0])
    return {name: [(m, int(next(numbers) or 0)) for m in those] for name, those in asked.items()}
