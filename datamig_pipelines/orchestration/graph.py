"""What the asset graph of one migration is made of; no database is asked."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import dagster as dg

from datamig_pipelines.errors import LineCycleError, SpecError
from datamig_pipelines.orchestration.metadata import source_facts, table_facts
from datamig_pipelines.orchestration.names import Keys
from datamig_pipelines.planning.artefact import Known, KnownTable, recall_tables
from datamig_pipelines.spec import Connection, Migration, line_of


@dataclass(frozen=True)
class Graph:
    """One migration as assets.

    The tables are those of the last plan (``catalog.json``, written by every plan) and those that
    the spec names. Before the first plan the others are not known; then one asset,
    ``<name>/tables``, stands for them, until the definitions are loaded again (`datamig run` plans
    before it loads them; in the UI: "Reload definitions").
    """

    migration: Migration
    known: Known | None

    @classmethod
    def of(cls, migration: Migration) -> "Graph":
        """Return the graph for what is on disk now."""
        return cls(migration, recall_tables(migration))

    @cached_property
    def tables(self) -> tuple[KnownTable, ...]:
        """Return the tables that can be shown: the last plan's, then those only the spec names."""
        found = (
            [t for t in self.known.tables if self.migration.wants(t.name, t.short)]
            if self.known
            else []
        )
        there = {n for t in found for n in (t.name, t.short)}
        specs = {s.name: s.rename for s in self.migration.tables}
        suites = {s.table: None for s in self.migration.suites("after") if s.table not in specs}
        for name, rename in {**suites, **specs}.items():
            if name not in there:
                short = name.rpartition(".")[2]
                found.append(KnownTable(name, short, rename or short))
        return tuple(found)

    @property
    def open_ended(self) -> bool:
        """Say whether there may be tables that are not known yet."""
        return self.known is None

    @cached_property
    def keys(self) -> Keys:
        """Return the keys of all assets."""
        return Keys(self.migration.name, self.tables)

    @cached_property
    def table_keys(self) -> dict[dg.AssetKey, KnownTable]:
        """Return asset key → table."""
        keyed = {self.keys.table(t.name): t for t in self.tables}
        return {key: table for key, table in keyed.items() if key is not None}

    @property
    def loaded(self) -> list[dg.AssetKey]:
        """Return the keys of everything that the load makes."""
        return [*self.table_keys, *([self.keys.rest] if self.open_ended else [])]

    def before(self) -> list[dg.AssetKey]:
        """Return the last asset of the migration that this one comes after, if there is one.

        A ring has no arrow: no definition at all would load. A run of it is refused with advice.
        """
        after = self.migration.after
        if not after:
            return []
        try:
            line_of(self.migration)
        except LineCycleError:
            return []
        except SpecError:
            pass  # the graph shows what the file says; a run says what is wrong
        return [dg.AssetKey([after, "report"])]

    def spec(self, key: dg.AssetKey, **more: Any) -> dg.AssetSpec:
        """Return an asset of this migration; what it does not yield, nobody after it waits for."""
        return dg.AssetSpec(
            key,
            group_name=self.migration.name,
            owners=list(self.migration.owners),
            code_version=self.code_version,
            skippable=True,
            **more,
        )

    def table_specs(self) -> list[dg.AssetSpec]:
        """Return one asset per table, and one for those not known yet."""
        kinds = {"table", *self._kind(self.migration.target, "target")}
        after = self.keys.step("schema")
        specs = [
            self.spec(
                key,
                deps=[after, self.keys.source(table.name)],
                description=table.comment
                or f"{table.name} of the source, loaded as {table.target}.",
                metadata=table_facts(table),
                kinds=kinds,
            )
            for key, table in self.table_keys.items()
        ]
        if self.open_ended:
            text = "All tables that are not known yet: plan once, then reload the definitions."
            specs.append(self.spec(self.keys.rest, deps=[after], description=text, kinds=kinds))
        return specs

    def source_specs(self) -> list[dg.AssetSpec]:
        """Return the source's tables; others fill them."""
        return [
            dg.AssetSpec(
                self.keys.source(table.name),
                group_name=self.migration.name,
                owners=list(self.migration.owners),
                description=f"{table.name} in the source.",
                metadata=source_facts(table),
                kinds={"table", *self._kind(self.migration.source, "source")},
            )
            for table in self.tables
        ]

    @cached_property
    def code_version(self) -> str:
        """Return the digest of the spec."""
        return sha256(self.migration.model_dump_json(by_alias=True).encode()).hexdigest()[:16]

    def target_tag(self) -> str:
        """Return what tells this target from others; no environment variable is read."""
        target = self.migration.target
        place = (
            f"env:{target.url_env}"
            if target.url is None
            else str(target.resolve(self.migration.base))
        )
        return sha256(f"{place} {target.schema_name}".encode()).hexdigest()[:16]

    def tags(self) -> dict[str, str]:
        """Return the tags of a job that writes: its runs are found, and wait for each other."""
        return {"datamig/target": self.target_tag(), "datamig/migration": self.migration.name}

    def step_kinds(self) -> set[str]:
        """Return the kinds of an asset that is not a table."""
        return self._kind(self.migration.target, "target")

    def _kind(self, connection: Connection, side: str) -> set[str]:
        if connection.url is not None:
            return {connection.url.partition(":")[0].partition("+")[0]}
        return {getattr(self.known, side)} if self.known else set()
