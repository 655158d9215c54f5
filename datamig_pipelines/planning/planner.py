"""Makes the plan."""

import json
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from glob import escape

from datamig_pipelines.backups import Database
from datamig_pipelines.catalog import Catalog, ForeignKey, SchemaObject, Table, TableName, View
from datamig_pipelines.errors import (
    NameCollisionError,
    NotYetError,
    PlanError,
    TableMissingError,
    TargetNotEmptyError,
)
from datamig_pipelines.planning.bare import bare
from datamig_pipelines.planning.casts import unused_casts
from datamig_pipelines.planning.columns import (
    Engines,
    PlannedColumns,
    plan_columns,
)
from datamig_pipelines.planning.fingerprint import digest, plan_facts
from datamig_pipelines.planning.keeping import backup_notes
from datamig_pipelines.planning.keys import choose_key
from datamig_pipelines.planning.naming import Names, styled
from datamig_pipelines.planning.objects import Objects, keeps_names, unmoved
from datamig_pipelines.planning.order import parents_first
from datamig_pipelines.planning.pacing import pace_notes
from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.planning.references import plan_references, settle_references
from datamig_pipelines.planning.rehearsed import Measured
from datamig_pipelines.planning.relations import Relations
from datamig_pipelines.planning.sharding import shards_of
from datamig_pipelines.planning.tables import losses, plan_table
from datamig_pipelines.planning.timeline import timeline
from datamig_pipelines.planning.views import plan_views, relation_of
from datamig_pipelines.planning.wires import choose_wires
from datamig_pipelines.spec import Launch, Migration, TableSpec
from datamig_pipelines.steps import Context, Place
from datamig_pipelines.transfer import Route


@dataclass(frozen=True)
class Inputs:
    """What a plan is made of.

    ``owned`` are the target tables that the ledger says an unfinished or finished run of this
    migration made: they may be there already. ``code`` are digests of the users' functions.
    ``whole`` is what the target holds in all its schemas; None: ``here`` is that.
    """

    migration: Migration
    launch: Launch
    source: Place
    target: Place
    there: Catalog
    here: Catalog
    owned: frozenset[str] = frozenset()
    run_id: str = ""
    code: dict[str, str] = field(default_factory=dict)
    measured: Measured | None = None
    whole: Catalog | None = None


def make_plan(inputs: Inputs) -> Plan:
    """Return the plan of a migration.

    Raises:
        TableMissingError, ColumnMissingError, KeyUnsupportedError, NameCollisionError,
        TypeUnsupportedError, TargetNotEmptyError, NotYetError: See `datamig_pipelines.errors`.
    """
    return _Planner(inputs).plan()


class _Planner:
    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        types = frozenset(inputs.here.types)
        if types and inputs.source.dialect.name == inputs.target.dialect.name:
            types |= frozenset(inputs.there.types)  # those of the source are made before the tables
        self.engines = Engines(inputs.source.dialect, inputs.target.dialect, types)
        self.names = Names(inputs.target.dialect, inputs.migration.names)
        self.notes: list[str] = []

    def plan(self) -> Plan:
        if not self.engines.source.can.sends or not self.engines.target.can.takes:
            side = self.engines.target if self.engines.source.can.sends else self.engines.source
            msg = f"{self.engines.source.label} → {self.engines.target.label} does not work yet"
            raise NotYetError(
                msg,
                hint=f"{side.label} cannot stand on that side; docs/engines.md lists the pairs.",
            )
        tables = self._wanted()
        targets = self._targets(tables)
        named = self._named_views()
        planned = [self._route(t, n) for t, n in targets]
        routes = self._ordered(self._referenced(planned))
        views = self._views(named, planned, routes)
        self._check_empty(routes)
        unmoved(self.inputs.there.others, self.notes.append)
        objects = self._objects(routes)
        policy, whole = self.inputs.migration.backup, self.inputs.whole or self.inputs.here
        target = Database(self.inputs.target.dialect, self.inputs.target.url)
        self.notes += backup_notes(policy, whole, self.inputs.owned, target)
        self.notes += pace_notes(self.inputs.migration, self.engines.target)
        facts = plan_facts(
            routes, (views, objects), (self.engines.source, self.engines.target), self.inputs.code
        )
        context = Context(
            self.inputs.migration,
            self.inputs.launch,
            self.inputs.run_id,
            self.inputs.source,
            self.inputs.target,
            tuple(routes),
            tuple(views),
            tuple(self.notes),
            digest(facts),
            objects,
            self.inputs.there.version,
        )
        measured = self.inputs.measured
        context = replace(context, timing=str(timeline(context.chosen(), measured)))
        return Plan(context, self.inputs.there.version, self.inputs.here.version, facts, measured)

    # ---- which tables

    def _wanted(self) -> list[Table]:
        migration, tables = self.inputs.migration, self.inputs.there.tables
        wanted = [t for t in tables if migration.wants(*_names(t))]
        self._check_named(wanted)
        self.notes += [
            f"{t.name} is not moved, as the spec says" for t in tables if t not in wanted
        ]
        for which in ("include", "exclude"):
            for pattern in getattr(migration, which):
                if not any(fnmatchcase(n, pattern) for t in tables for n in _names(t)):
                    self.notes.append(f"{which}: no table is called {pattern}")
        for cast in unused_casts(wanted, migration):
            said = cast.when.model_dump(exclude_unset=True)
            rule = ", ".join(f"{name}: {value}" for name, value in said.items())
            self.notes.append(f"casts: no column is meant by {rule}")
        if not wanted:
            raise PlanError(
                "there is no table to move",
                hint="Check the source's URL and schema, include and exclude.",
            )
        return wanted

    def _check_named(self, wanted: list[Table]) -> None:
        """Refuse names that mean no table, or one that is not moved; and two that mean the same."""
        migration = self.inputs.migration
        asked = [(s.name, "tables") for s in migration.tables]
        asked += [(n, "tables of this run") for n in self.inputs.launch.tables]
        asked += [(s.table, "validate.suites") for s in migration.suites("after")]
        asked += [(s.table, "validate.before") for s in migration.suites("before")]
        known = {n for t in self.inputs.there.tables for n in _names(t)}
        moved = {n for t in wanted for n in _names(t)}
        for name, where in asked:
            if name not in known:
                there = ", ".join(sorted(str(t.name) for t in self.inputs.there.tables))
                raise TableMissingError(
                    f"the source has no table {name!r}, named in {where}",
                    hint=f"It has {there or 'none'}.",
                )
            if name not in moved:
                raise TableMissingError(
                    f"{name!r}, named in {where}, is not moved",
                    hint="It is left out by include or exclude.",
                )
        for table in wanted:
            meant = [s.name for s in migration.tables if s.name in _names(table)]
            if len(meant) > 1:
                raise PlanError(
                    f"tables: {' and '.join(meant)} are the same table",
                    hint="Say everything about a table in one place.",
                )

    def _targets(self, tables: list[Table]) -> list[tuple[Table, TableName]]:
        """Return where each table goes; tables get their names before anything else does."""
        called: dict[str, TableName] = {}
        for table in tables:
            if called.setdefault(str(table.name), table.name) != table.name:
                raise NameCollisionError(
                    f"two tables of the source are both written {table.name}",
                    hint="Move them in two migrations, or rename one in the source.",
                )
        return [(t, self.names.table(self._target_name(t), str(t.name))) for t in tables]

    def _nothing_to_load(self) -> PlanError:
        """Return the error for all tables without a column to load, with the line that helps."""
        migration = self.inputs.migration
        empty = []
        for table in self._wanted():
            noted: list[str] = []
            spec = self._spec(table)
            planned = plan_columns(table, spec, migration, self.engines, noted.append)
            empty += [] if planned.loaded else [str(table.name)]
        line = json.dumps([*migration.exclude, *map(escape, empty)], ensure_ascii=False)
        return PlanError(
            f"no column to load (none at all, or only generated ones): {', '.join(empty)}",
            hint=f"Leave such tables out: `exclude: {line}`. All else is moved; if they are needed "
            "in the target, make them there yourself.",
        )

    # ---- one table

    def _route(self, table: Table, name: TableName) -> tuple[Route, PlannedColumns]:
        migration = self.inputs.migration
        spec = self._spec(table)
        planned = plan_columns(table, spec, migration, self.engines, self.notes.append)
        if not planned.loaded:
            raise self._nothing_to_load()
        self.names.columns(str(table.name), [c.name for c in planned.columns])
        target = plan_table(table, name, planned, self.engines, self.names, self.notes.append)
        if self.engines.target.can.only_rows:
            target = bare(target, self.engines.target.label, self.notes.append)
        if not keeps_names(migration):  # partitions are made as they are, or not at all
            target = replace(target, partition_by="")
        key = choose_key(table, spec.key if spec else (), self.engines.source)
        transform = (spec.transform or "") if spec else ""
        where = _ended(spec.where or "") if spec else ""
        chosen = choose_wires(
            self.engines, planned.loaded, key, transformed=bool(transform), where=where
        )
        if not chosen.key.parts:
            self.notes.append(
                f"{table.name} is read in the engine's own order; interrupted, it starts over "
                f"unless the rows already loaded come again as they were: {chosen.key.reason}"
            )
        batch_size = (
            self.inputs.launch.batch_size or (spec and spec.batch_size) or migration.batch_size
        )
        route = Route(
            source=table,
            target=target,
            columns=planned.loaded,
            computed=planned.computed,
            sends=chosen.sends,
            takes=chosen.takes,
            key=chosen.key.parts,
            key_names=chosen.key.names,
            key_reason=chosen.key.reason,
            batch_size=batch_size,
            where=where,
            transform=transform,
            shards=shards_of(table.rows, batch_size, migration, spec, self.engines),
        )
        if table.unlogged:
            self.notes.append(f"{table.name} is unlogged there; here it outlives a crash")
        if table.kind != "table" and not target.partition_by:
            self.notes.append(f"{table.name} is {table.kind}; in the target it is one plain table")
        return route, planned

    def _spec(self, table: Table) -> TableSpec | None:
        return self.inputs.migration.table_spec(*_names(table))

    def _target_name(self, table: Table) -> TableName:
        spec = self._spec(table)
        renamed = spec.rename if spec else None
        name = renamed or styled(table.name.name, self.inputs.migration.names)
        return TableName(self._schema(table.name.schema), name)

    def _schema(self, own: str) -> str:
        """Return the target schema of what stands in ``own``: the target's, the same for ``*``."""
        if not self.engines.target.can.schemas:
            return ""
        wanted = self.inputs.target.schema
        return (
            wanted
            if wanted != "*"
            else own or self.engines.target.default_schema(self.inputs.target.url)
        )

    # ---- all tables together

    def _referenced(self, planned: list[tuple[Route, PlannedColumns]]) -> list[Route]:
        moved = {r.source.name: (r.target, p.renamed) for r, p in planned}
        routes = []
        for route, _ in planned:
            if self.engines.target.can.only_rows:
                self._note_references(route)
                routes.append(route)
                continue
            keys = plan_references(route.source, route.target, moved, self.names, self.notes.append)
            routes.append(replace(route, target=replace(route.target, foreign_keys=keys)))
        targets = settle_references(
            [r.target for r in routes], self.engines.target, self.notes.append
        )
        for route, target in zip(routes, targets, strict=True):
            if not self.engines.target.can.only_rows:
                self.notes += losses(route.name, target, self.engines.target)
        return [replace(r, target=t) for r, t in zip(routes, targets, strict=True)]

    def _note_references(self, route: Route) -> None:
        if route.source.foreign_keys:
            count, label = len(route.source.foreign_keys), self.engines.target.label
            self.notes.append(f"{route.name}: {label} do not keep {count} foreign keys")

    def _ordered(self, routes: list[Route]) -> list[Route]:
        by_name = {r.target.name: r for r in routes}
        parents = {r.target.name: [k.target for k in r.target.foreign_keys] for r in routes}
        order, broken = parents_first(list(by_name), parents)
        if self.engines.target.can.cyclic_foreign_keys:
            rings = [f"{child} → {parent}" for child, parent in broken if child != parent]
            if rings:
                self.notes.append(
                    f"references in a ring ({', '.join(rings)}): added after the load"
                )
            return [by_name[n] for n in order]
        return [self._without_rings(by_name[n], set(broken)) for n in order]

    def _without_rings(self, route: Route, broken: set[tuple[TableName, TableName]]) -> Route:
        kept: list[ForeignKey] = []
        for key in route.target.foreign_keys:
            if (route.target.name, key.target) in broken:
                self.notes.append(
                    f"{route.name}: foreign key ({', '.join(key.columns)}) to {key.target} is "
                    f"left behind: {self.engines.target.label} cannot have a ring of references"
                )
            else:
                kept.append(key)
        return replace(route, target=replace(route.target, foreign_keys=tuple(kept)))

    def _check_empty(self, routes: list[Route]) -> None:
        fold = str.lower if self.engines.target.can.names_ignore_case else str
        there = {fold(str(t.name)) for t in self.inputs.here.tables}
        there |= {fold(str(v.name)) for v in self.inputs.here.views}
        taken = [
            str(r.target.name)
            for r in routes
            if fold(str(r.target.name)) in there and str(r.target.name) not in self.inputs.owned
        ]
        if taken:
            shown = ", ".join(taken[:8]) + (" …" if len(taken) > 8 else "")
            msg = f"the target already has {shown}"
            hint = "Name another target or schema, exclude these tables, or drop them yourself."
            raise TargetNotEmptyError(msg, hint=hint)

    def _objects(self, routes: list[Route]) -> tuple[SchemaObject, ...]:
        there, here = self.inputs.there, self.inputs.here
        planned = Objects(self.inputs.migration, self.engines, self._schema, self.inputs.owned)
        return planned.plan(there, here, routes, self.notes.append)

    def _named_views(self) -> list[tuple[View, TableName]]:
        """Return the views that move and their names, which they get before any index."""
        named, style = [], self.inputs.migration.names
        whole = self.inputs.migration.include == ("*",) and not self.inputs.migration.exclude
        taken = {str(v.name) for v in self.inputs.here.views} - self.inputs.owned
        for view in self.inputs.there.views:
            if self.engines.target.can.only_rows:
                label = self.engines.target.label
                self.notes.append(f"view {view.name} is left behind: {label} have no views")
                continue
            schema = self._schema(view.name.schema)
            if not whole:
                self.notes.append(
                    f"view {view.name} is left behind: not the whole database is moved"
                )
            elif str(TableName(schema, styled(view.name.name, style))) in taken:
                self.notes.append(
                    f"view {view.name} is left behind: the target has one of that name"
                )
            else:
                wanted = styled(view.name.name, style)
                name = self.names.relation(schema, wanted, wanted)
                named.append((view, TableName(schema, name)))
        return named

    def _views(
        self,
        named: list[tuple[View, TableName]],
        planned: list[tuple[Route, PlannedColumns]],
        routes: list[Route],
    ) -> list[View]:
        final = {r.name: r.target for r in routes}
        relations = Relations()
        for route, columns in planned:
            target = final[route.name]
            relations.add(route.source.name, relation_of(route.source, target, columns.renamed))
        as_it_is = self.engines.same and keeps_names(self.inputs.migration)
        return plan_views(named, relations, self.engines, self.notes.append, as_it_is=as_it_is)


def _names(table: Table) -> tuple[str, str]:
    """Return both names that a user may call a table by."""
    return str(table.name), table.name.name


def _ended(where: str) -> str:
    """Return a condition that may be put into parentheses, even if a comment ends it."""
    return f"{where}\n" if "--" in where else where
