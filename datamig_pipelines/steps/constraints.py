"""Adds what the load did not need: keys, indexes, foreign keys, counters, views, triggers."""

from collections.abc import Iterator
from dataclasses import replace

from typing_extensions import override

from datamig_pipelines.catalog import Phase, Table
from datamig_pipelines.dialects import Statement
from datamig_pipelines.errors import RefusedError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.proofs.schema import rendered
from datamig_pipelines.session import Session
from datamig_pipelines.steps.base import (
    MARK,
    Context,
    Step,
    StepDone,
    Unit,
    made_in_any_order,
    propose,
    removed_in_any_order,
    units_of,
)
from datamig_pipelines.transfer import Event, Route, Said


class Constraints(Step):
    """Adds keys and indexes table by table, then foreign keys, counters, views and triggers."""

    name = "constraints"
    does = "adds keys, indexes, foreign keys, counters, views and triggers to the loaded tables"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return the statements in the order in which they run."""
        units = self._units(context) + self._views(context) + units_of(context, Phase.AFTER)
        return [s for unit in units for s in unit.statements]

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Add what is missing; a view or trigger that the target refuses is left out."""
        made = 0
        for unit, plain in zip(
            self._units(context), self._units(context, checks=False), strict=True
        ):
            try:
                propose(context, session, unit, plain)
            except RefusedError as error:
                raise _explained(error, Ledger(session), context.run_id)  # noqa: B904 (the same error)
            made += 1
            yield Said(f"added {unit.name.removeprefix('constraints:')}")
        rest = self._views(context) + units_of(context, Phase.BEFORE, Phase.AFTER)
        refused = made_in_any_order(context, session, rest)
        _remember(context, session)
        sources = {f"constraints:view {v.name}": v.original for v in context.views}
        left_out = [
            f"{_called(unit)}: {why}"
            + (f"; in the source it is {sources[unit.name]}" if sources.get(unit.name) else "")
            for unit, why in refused.items()
        ]
        for sentence in left_out:
            yield Said(f"left out {sentence}")
        made += len(rest) - len(refused)
        yield StepDone(self.name, {"units": made, "left out": left_out})

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Drop triggers and views; keys and indexes go with their tables."""
        dialect = context.target.dialect
        groups = [
            dialect.drop_object(o) for o in reversed(context.objects) if o.phase is Phase.AFTER
        ]
        groups += [dialect.drop_view(v) for v in reversed(context.views)]
        removed_in_any_order(session, groups, all_of_them=False)  # a function may need a view
        yield StepDone(self.name, {"dropped views": len(context.views)})

    def _units(self, context: Context, *, checks: bool = True) -> list[Unit]:
        can = context.target.dialect.can
        units = [self._keys(context, r) for r in context.routes]
        if can.rebuild_foreign_keys:
            units += [
                Unit(f"constraints:rebuild {t.name}", tuple(context.target.dialect.rebuild(t)))
                for t in (
                    r.target if checks else replace(r.target, checks=()) for r in context.routes
                )
                if _is_rebuilt(context, t)
            ]
        units += [self._indexes(context, r) for r in context.routes]
        if can.add_foreign_keys:
            units += [
                self._foreign_keys(context, r) for r in context.routes if r.target.foreign_keys
            ]
        return [u for u in units if u.statements]

    def _keys(self, context: Context, route: Route) -> Unit:
        dialect, table = context.target.dialect, route.target
        statements: list[Statement] = []
        # A table that is rebuilt later gets its keys there.
        later = dialect.can.rebuild_foreign_keys and _is_rebuilt(context, table)
        if dialect.can.add_keys and not later:
            if table.primary_key:
                statements += dialect.add_primary_key(table, table.primary_key)
            for unique in table.uniques:
                statements += dialect.add_unique(table, unique)
        return Unit(f"constraints:keys of {table.name}", tuple(statements))

    def _indexes(self, context: Context, route: Route) -> Unit:
        dialect, table = context.target.dialect, route.target
        statements = [s for i in table.indexes for s in dialect.create_index(table, i)]
        for column, value in table.counters:
            statements += dialect.set_counter(table, column, value)
        statements += dialect.analyze(table.name)
        return Unit(f"constraints:indexes of {table.name}", tuple(statements))

    def _foreign_keys(self, context: Context, route: Route) -> Unit:
        dialect, table = context.target.dialect, route.target
        statements = [
            s for k in table.foreign_keys if k.valid for s in dialect.add_foreign_key(table, k)
        ]
        return Unit(f"constraints:foreign keys of {table.name}", tuple(statements))

    def _views(self, context: Context) -> list[Unit]:
        dialect = context.target.dialect
        return [
            Unit(f"constraints:view {v.name}", tuple(dialect.create_view(v))) for v in context.views
        ]


def _is_rebuilt(context: Context, table: Table) -> bool:
    """Say whether a table refers to others, or others to a unique constraint of it.

    An engine that cannot add a foreign key cannot add a unique constraint either, only an index.
    """
    key = set(table.primary_key.columns) if table.primary_key else set()
    referred = (k for r in context.routes for k in r.target.foreign_keys if k.target == table.name)
    return bool(table.foreign_keys) or any(set(k.target_columns) != key for k in referred)


def _remember(context: Context, session: Session) -> None:
    """Enter into the ledger how the target renders what was made: a proof looks for changes."""
    units = {f"constraints:view {v.name}": f"view {v.name}" for v in context.views}
    units |= {f"{MARK}{o}": str(o) for o in context.objects}
    if not units:
        return
    ledger = Ledger(session)
    digests = rendered(context.target.catalog(session))
    for unit, (status, _) in ledger.steps(context.run_id).items():
        if unit in units and status == "done":
            ledger.end_step(context.run_id, unit, "done", digests.get(units[unit], ""))


def _called(unit: Unit) -> str:
    return unit.name.removeprefix("constraints:").removeprefix(MARK)


def _explained(error: RefusedError, ledger: Ledger, run_id: str) -> RefusedError:
    """Return the refusal of a key; if rows were rejected, the hint says that these are missing."""
    rejected = sorted({reject.table for _, reject in ledger.rejects(run_id)})
    if rejected:
        error.hint = (
            f"Rows of {', '.join(rejected)} were rejected and others need them: "
            "see `datamig status`, "
            "mend or filter both, roll back and run again."
        )
    return error
