"""The load as one op with one asset per table; each appears at the moment when it is complete."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from datamig_pipelines.dialects import Dialect, get_dialect
from datamig_pipelines.errors import ProofFailedError, TableMissingError
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.metadata import loaded_facts
from datamig_pipelines.orchestration.results import (
    check_result,
    check_specs,
    is_selected,
    key_of,
    prove_again,
    together,
)
from datamig_pipelines.orchestration.rollback import take_back_if_asked
from datamig_pipelines.orchestration.settings import Settings, settings_key, settings_of
from datamig_pipelines.planning.artefact import known_table
from datamig_pipelines.proofs import ProofResult, Verdict
from datamig_pipelines.running import NothingToDo, run_step
from datamig_pipelines.spec import Direction
from datamig_pipelines.steps import TableLoaded

Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


def load_asset(graph: Graph) -> dg.AssetsDefinition:
    """Return the op. With checks only (the job ``<name>_validate``) it proves and loads nothing."""
    name = graph.migration.name

    @dg.multi_asset(
        name=f"{name}__load",
        specs=graph.table_specs(),
        check_specs=check_specs(graph, graph.loaded, after_load=True),
        can_subset=True,
        required_resource_keys={settings_key(name)},
    )
    def load(context: dg.AssetExecutionContext) -> Results:
        settings = settings_of(context, name)
        keys = context.selected_asset_keys or {
            k.asset_key for k in context.selected_asset_check_keys
        }
        tables = chosen(graph, keys, settings)
        if tables is None:
            context.log.info("none of the selected tables is among those of the configuration")
        if tables is None or stands_still(context, settings):
            return
        with explained():
            if not context.selected_asset_keys:
                yield from prove_again(context, graph, settings.launch(tables))
                return
            work = _Load(context, graph, get_dialect(graph.migration.source_url()))
            yield from work.run(settings, tables)
            if work.different:  # shown by a check or not
                take_back_if_asked(context, graph)
                raise different(graph, work.different)
            work.settle(tables)

    return load


def stands_still(context: Any, settings: Settings) -> bool:
    """Say whether this run writes nothing; then no asset is yielded and none follows."""
    if settings.dry_run:
        context.log.info("dry run: nothing is done here")
    elif settings.direction == Direction.down:
        context.log.info("direction is down: nothing is done here")
    return settings.dry_run or settings.direction == Direction.down


def chosen(graph: Graph, keys: set[dg.AssetKey], settings: Settings) -> tuple[str, ...] | None:
    """Return the tables to load: () for all, None for none of them."""
    asked = set(settings.tables)
    if graph.keys.rest in keys or keys >= set(graph.loaded):
        return tuple(settings.tables)
    tables = [graph.table_keys[k] for k in graph.loaded if k in keys]
    return tuple(t.name for t in tables if not asked or asked & {t.name, t.short}) or None


def different(graph: Graph, found: Sequence[ProofResult]) -> ProofFailedError:
    """Return the first difference as the error that ends the load, with how many more there are."""
    first, more = found[0], len(found) - 1
    msg = f"{first.table}, {first.proof}: {first.detail or 'different'}"
    hint = f"All are in the checks; `datamig diff {graph.migration.name}` names the rows."
    return ProofFailedError(f"{msg} (and {more} more)" if more else msg, hint=hint, where="load")


class _Load:
    """One load, translated: what is yielded where, and what is still owed at the end."""

    def __init__(self, context: Any, graph: Graph, source: Dialect) -> None:
        self.context = context
        self.graph = graph
        self.source = source
        self.rest: list[TableLoaded] = []
        self.seen: set[dg.AssetKey] = set()
        self.different: list[ProofResult] = []
        self.idle = False

    def run(self, settings: Settings, tables: tuple[str, ...]) -> Results:
        events = run_step(self.graph.migration, settings.launch(tables), "load")
        for event in heard(self.context, self.graph, events):
            if isinstance(event, NothingToDo):
                self.context.log.info("%s", event.text)
                self.idle = True
                return
            if isinstance(event, TableLoaded):
                self.different += [p for p in event.proofs if p.verdict is Verdict.DIFFERENT]
                yield from self._loaded(event)
        if self.graph.open_ended and self.graph.keys.rest in self.context.selected_asset_keys:
            yield self._rest()

    def _loaded(self, event: TableLoaded) -> Results:
        key = key_of(self.graph, event.route.name)
        known = known_table(event.route, self.source)
        facts = loaded_facts(event, known, self.graph.keys)
        if key is None or key not in self.context.selected_asset_keys:
            self.rest.append(event)
            new = self.graph.keys.new_table(known.short)
            self.context.log_event(dg.AssetMaterialization(key or new, metadata=facts))
            return
        self.seen.add(key)
        shown = [p for p in event.proofs if is_selected(self.context, key, p.proof)]
        checks = [check_result(key, p) for p in shown]
        yield dg.MaterializeResult(asset_key=key, metadata=facts, check_results=checks)

    def _rest(self) -> dg.MaterializeResult[Any]:
        key = self.graph.keys.rest
        self.seen.add(key)
        proofs = [p for e in self.rest for p in e.proofs]
        shown = [p for p in proofs if is_selected(self.context, key, p.proof)]
        facts = {"tables": len(self.rest), "rows": sum(e.rows_loaded for e in self.rest)}
        return dg.MaterializeResult(
            asset_key=key, metadata=facts, check_results=together(key, shown)
        )

    def settle(self, tables: tuple[str, ...]) -> None:
        """Fail for tables that the asset graph has and that did not come."""
        asked = self.graph.table_keys.items()
        owed = [t.name for k, t in asked if k in self.context.selected_asset_keys - self.seen]
        if owed and not tables and not self.idle:
            msg = f"{', '.join(owed)} of the asset graph is not in the plan any more"
            raise TableMissingError(msg, hint="Reload the definitions and run again.")
