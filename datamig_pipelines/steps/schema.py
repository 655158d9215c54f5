"""Makes the target's shape: schemas, types, tables, without keys that can follow the load."""

from collections.abc import Iterator
from dataclasses import replace

from typing_extensions import override

from datamig_pipelines.dialects import Statement
from datamig_pipelines.session import Session
from datamig_pipelines.steps.base import Context, Step, StepDone, Unit, propose
from datamig_pipelines.transfer import Event, Said


class Schema(Step):
    """Creates every table of the plan."""

    name = "schema"
    does = "creates the tables; keys and indexes follow after the load where the engine can"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return the CREATE statements."""
        return [s for unit in self._units(context) for s in unit.statements]

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Create what is missing."""
        left_out = []
        for unit, plain in zip(
            self._units(context), self._units(context, checks=False), strict=True
        ):
            refusal = propose(context, session, unit, plain)
            if refusal:
                left_out.append(f"checks of {unit.name.removeprefix('schema:')}: {refusal}")
                yield Said(f"left out {left_out[-1]}")
        yield StepDone(self.name, {"tables": len(context.routes), "left out": left_out})

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Drop the tables that the plan made, references first."""
        dialect = context.target.dialect
        statements = [s for v in reversed(context.views) for s in dialect.drop_view(v)]
        if dialect.can.add_foreign_keys:
            for route in context.routes:
                statements += [
                    s
                    for k in route.target.foreign_keys
                    for s in dialect.drop_foreign_key(route.target, k)
                ]
        for route in reversed(context.routes):
            statements += dialect.drop_table(route.target)
        session.run(*statements)
        yield StepDone(self.name, {"dropped": [str(r.target.name) for r in context.routes]})

    def _units(self, context: Context, *, checks: bool = True) -> list[Unit]:
        dialect = context.target.dialect
        units = []
        schemas = sorted({r.target.name.schema for r in context.routes} - {""})
        if dialect.can.schemas:
            units.append(Unit("schema:", tuple(dialect.create_schema(s) for s in schemas)))
        for route in context.routes:
            create = dialect.create_table(
                route.target if checks else replace(route.target, checks=()),
                keys=not dialect.can.add_keys,
                foreign_keys=not (dialect.can.add_foreign_keys or dialect.can.rebuild_foreign_keys),
            )
            types = dialect.create_types(route.target)
            units.append(Unit(f"schema:{route.target.name}", (*types, create)))
        return units
