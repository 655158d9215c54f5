"""What the scenarios share: a migration under test, its processes, its ledger, its rows."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datamig_pipelines import running
from datamig_pipelines.catalog import Catalog, TableName
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.ledger import BatchEntry, Ledger, Reject
from datamig_pipelines.ledger.tables import ledger_name
from datamig_pipelines.running.opening import current_run, source_place, target_place
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import Place
from datamig_pipelines.transfer import Event
from datamig_pipelines_tests.scenarios.process import Process, Task

Batches = dict[tuple[str, int, int], BatchEntry]


@dataclass
class Journey:
    """One migration between two URLs, with everything a test wants to ask about it."""

    folder: Path
    source_url: str
    target_url: str
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def migration(self) -> Migration:
        """The migration as the attributes say now."""
        os.environ["SCENARIO_SOURCE_URL"] = self.source_url
        os.environ["SCENARIO_TARGET_URL"] = self.target_url
        return Migration.model_validate(self.spec()).based(self.folder)

    def spec(self) -> dict[str, Any]:
        """Return the attributes of the file."""
        return {
            "name": "shop",
            "source": {"url_env": "SCENARIO_SOURCE_URL"},
            "target": {"url_env": "SCENARIO_TARGET_URL"},
            **self.attributes,
        }

    def run(self) -> list[Event]:
        """Run the migration in this process."""
        return list(running.run(self.migration))

    def refused(self, verb: Callable[[Migration], Iterable[Event]] = running.run) -> DatamigError:
        """Return the error that a verb ends with."""
        try:
            list(verb(self.migration))
        except DatamigError as error:
            return error
        message = f"{verb} went through"
        raise AssertionError(message)

    # ---- processes

    def start(self, verb: str = "run", file_limit: int = 0) -> Process:
        """Start a process that runs a verb."""
        urls = {"SCENARIO_SOURCE_URL": self.source_url, "SCENARIO_TARGET_URL": self.target_url}
        return Process(Task(self.spec(), self.folder, urls, verb, file_limit))

    # ---- what is there

    def place(self, side: str) -> Place:
        """Return the ``source`` or the ``target``."""
        return source_place(self.migration) if side == "source" else target_place(self.migration)

    def batches(self) -> Batches:
        """Return the ledger's batches of the run that counts."""
        place = self.place("target")
        if place.dialect.file_missing(place.url):
            return {}
        with place.open(readonly=True) as session:
            ledger = Ledger(session)
            run = current_run(ledger, self.migration.name)
            if run is None:
                return {}
            rows = ledger._fetch("batch", ("run_id",), (run.run_id,))
            return {(e.table, e.shard, e.number): e for e in (BatchEntry(*row) for row in rows)}

    def run_ids(self) -> list[str]:
        """Return the runs of the ledger, oldest first."""
        return [run["run_id"] for run in running.status(self.migration)["runs"]]

    def rejects(self) -> list[Reject]:
        """Return the rejects of the last run."""
        with self.place("target").open(readonly=True) as session:
            ledger = Ledger(session)
            runs = ledger.runs(self.migration.name)
            return [reject for _, reject in ledger.rejects(runs[-1].run_id)]

    def catalog(self, side: str = "target") -> Catalog:
        """Return the catalog of one side, all schemas of it."""
        place = self.place(side)
        schema = "*" if place.dialect.can.schemas else ""
        return Place(place.dialect, place.url, schema).catalog()

    def rows(self, table: str, columns: str = "*", side: str = "target") -> list[tuple[Any, ...]]:
        """Return the rows of a table, in no order."""
        return self.ask(f"SELECT {columns} FROM {self.named(table, side)}", side=side)

    def named(self, table: str, side: str = "target") -> str:
        """Return the quoted name of a table."""
        place = self.place(side)
        schema = place.schema if place.dialect.can.schemas else ""
        return place.dialect.table(TableName(schema, table))

    def ask(self, *statements: str, side: str = "target") -> list[tuple[Any, ...]]:
        """Send statements, committed at once, and return the rows of the last."""
        rows: list[tuple[Any, ...]] = []
        with closing(Session(self.place(side).dialect, self.place(side).url, readonly=False)) as at:
            for statement in statements:
                rows = at.query(statement)
        return rows

    def verdicts(self) -> Counter[str]:
        """Return how many proofs of each verdict the ledger holds."""
        return Counter(p["verdict"] for p in running.status(self.migration)["proofs"])

    def ledger_tables(self) -> list[str]:
        """Return which tables of the ledger the target has."""
        place = self.place("target")
        with place.open(readonly=True) as session:
            names = [ledger_name(place.dialect, n) for n in ("run", "step", "batch", "reject")]
            return [str(n) for n in names if place.dialect.has_table(session, n)]


def strikes(seed: str, points: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, float]]:
    """Yield each point with a random delay behind it, the same for one seed."""
    dice = random.Random(seed)
    for mark, most in points:
        yield mark, dice.randint(1, most), dice.choice((0.0, dice.uniform(0, 0.05)))


def lost(before: Batches, after: Batches, again: Iterable[str] = ()) -> list[tuple[str, int, int]]:
    """Return the batches that are gone or were written again, but for tables that start over."""
    free = set(again)
    return [k for k, entry in before.items() if k[0] not in free and after.get(k) != entry]


def gaps(batches: Batches) -> list[str]:
    """Return the tables whose shards' batches are not numbered 1, 2, 3, … or do not add up."""
    numbers: dict[tuple[str, int], list[int]] = {}
    for table, shard, number in batches:
        numbers.setdefault((table, shard), []).append(number)
    wrong = [t for (t, _), n in numbers.items() if sorted(n) != list(range(1, len(n) + 1))]
    return wrong + [
        e.table
        for e in batches.values()
        if e.rows_read != e.rows_loaded + e.rows_rejected + e.rows_filtered
    ]
