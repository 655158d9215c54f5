"""Makes the target's shape: schemas, types, routines, tables, without keys that can follow."""

from collections.abc import Iterator
from dataclasses import replace

from typing_extensions import override

from datamig_pipelines.catalog import Phase
from datamig_pipelines.dialects import Statement
from datamig_pipelines.session import Session
from datamig_pipelines.steps.base import (
    Context,
    Step,
    StepDone,
    Unit,
    made_in_any_order,
    propose,
    removed_in_any_order,
    run_units,
    units_of,
)
from datamig_pipelines.transfer import Event, Said


class Schema(Step):
    """Creates every table of the plan."""

    name = "schema"
    does = "creates the tables; keys and indexes follow after the load where the engine can"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return the CREATE statements."""
        early, late = units_of(context, Phase.BEFORE), units_of(context, Phase.TABLES)
        tables = self._units(context)
        units = [*_schemas(context), *early, *tables, *late]
        return [s for unit in units for s in unit.statements]

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Create what is missing; an early object that needs a table is tried again at the end."""
        left_out = []
        list(run_units(context, session, _schemas(context)))
        made_in_any_order(context, session, units_of(context, Phase.BEFORE))
        for unit, plain in zip(
            self._units(context), self._units(context, checks=False), strict=True
        ):
            refusal = propose(context, session, unit, plain)
            if refusal:
                left_out.append(f"checks of {unit.name.removeprefix('schema:')}: {refusal}")
                yield Said(f"left out {left_out[-1]}")
        list(run_units(context, session, units_of(context, Phase.TABLES)))
        yield StepDone(self.name, {"tables": len(context.routes), "left out": left_out})

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Drop the tables that the plan made, references first."""
        dialect = context.target.dialect
        statements: list[Statement] = []
        if dialect.can.add_foreign_keys:
            for route in context.routes:
                statements += [
                    s
                    for k in route.target.foreign_keys
                    for s in dialect.drop_foreign_key(route.target, k)
                ]
        session.run(*statements)
        groups = [dialect.drop_view(v) for v in reversed(context.views)]
        groups += [dialect.drop_object(o) for o in reversed(context.objects)]
        groups += [dialect.drop_table(r.target) for r in reversed(context.routes)]
        removed_in_any_order(session, groups)
        yield StepDone(self.name, {"dropped": [str(r.target.name) for r in context.routes]})

    def _units(self, context: Context, *, checks: bool = True) -> list[Unit]:
        dialect = context.target.dialect
        units = []
        for route in context.routes:
            create = dialect.create_table(
                route.target if checks else replace(route.target, checks=()),
                keys=not dialect.can.add_keys,
                foreign_keys=not (dialect.can.add_foreign_keys or dialect.can.rebuild_foreign_keys),
            )
            types = dialect.create_types(route.target)
            units.append(Unit(f"schema:{route.target.name}", (*types, create)))
        return units


def _schemas(context: Context) -> list[Unit]:
    dialect = context.target.dialect
    names = {r.target.name.schema for r in context.routes}
    names |= {o.name.schema for o in context.objects}
    if not dialect.can.schemas:
        return []
    return [Unit("schema:", tuple(dialect.create_schema(s) for s in sorted(names - {""})))]
