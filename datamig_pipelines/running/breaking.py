"""Plants faults in a scratch copy of a migration's target and asks the proofs about them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from datamig_pipelines.backups.places import scratch_url
from datamig_pipelines.catalog import Catalog
from datamig_pipelines.errors import TableMissingError
from datamig_pipelines.faults import FAULTS, CannotPlantError, Scene, planted
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.sampling import Sample, sampled
from datamig_pipelines.proofs import ProofResult, Verdict
from datamig_pipelines.running.opening import source_place, target_place
from datamig_pipelines.running.rehearsal import scratched
from datamig_pipelines.running.run import run
from datamig_pipelines.running.scratching import alone, drop_leftovers, scratch_site
from datamig_pipelines.running.validation import Prover, proving
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps.backup import database_of


@dataclass(frozen=True)
class Finding:
    """What became of one fault: where it was planted, and what its proof said.

    Without a ``result`` it was not planted; ``why`` says the reason.
    """

    fault: str
    table: str
    place: str = ""
    result: ProofResult | None = None
    why: str = ""

    @property
    def found(self) -> bool:
        """Say whether the proof found it, and named the place."""
        if self.result is None or self.result.verdict is not Verdict.DIFFERENT:
            return False
        return FAULTS[self.fault].word(self.place) in self.result.detail

    def __str__(self) -> str:
        """Return a sentence for people."""
        where = f"{self.table}.{self.place}" if self.place else self.table
        if self.result is None:
            return f"{self.fault} in {where} was not planted: {self.why}"
        said = f"{self.result.verdict}: {self.result.detail or 'nothing in detail'}"
        return f"{self.fault} in {where}, {self.result.proof} says {said}"


@dataclass(frozen=True)
class Breaker:
    """Plants one fault at a time. Its target is harmed in between: give it a scratch copy."""

    prover: Prover

    @cached_property
    def unharmed(self) -> Catalog:
        """The target's catalog before anything is planted."""
        return self.prover.plan.context.target.catalog(self.prover.target)

    def plant(self, fault: str, table: str) -> Finding:
        """Plant a fault in a table (its name in the source), take its proof, mend the table.

        Raises:
            TableMissingError: The migration does not move the table.
        """
        context = self.prover.plan.context
        chosen = FAULTS[fault]
        route = next((r for r in context.routes if r.name == table), None)
        there = self.unharmed.table(route.target.name) if route else None
        if route is None or there is None:
            msg = f"{table} is not moved by {context.migration.name}"
            raise TableMissingError(msg, hint="Write the tests again: datamig tests --force.")
        if chosen.proof not in context.migration.validation.proofs:
            return Finding(fault, table, why=f"{chosen.proof} is not among its proofs")
        try:
            with planted(chosen, Scene(route, there, self.prover.target)) as place:
                return Finding(fault, table, place, self.prover.prove(chosen.proof, table))
        except CannotPlantError as error:
            return Finding(fault, table, why=str(error))


def fitting_faults(plan: Plan) -> list[tuple[str, str]]:
    """Return the faults that the tables of a plan may have, as (fault, table in the source)."""
    proofs, kept = plan.context.migration.validation.proofs, plan.context.target.dialect.kept
    return [
        (fault.name, route.name)
        for fault in FAULTS.values()
        if fault.proof in proofs
        for route in plan.context.routes
        if any(True for _ in fault.places(route, kept(route.target)))
    ]


@contextmanager
def breaking(migration: Migration, sample: str = "") -> Iterator[Breaker]:
    """Load the source into a scratch database beside the target, and yield who harms that.

    The target itself is not touched. ``sample`` (``5%``, ``1000``) takes a part of the source.

    Raises:
        SampleError: ``sample`` is none.
        DatamigError: What stopped the load.
    """
    part = Sample.parsed(sample) if sample else None
    target = database_of(target_place(migration))
    beside = scratch_url(migration, target)
    with alone(migration):
        list(drop_leftovers(migration, target, beside))
        with scratch_site(migration, target, beside) as site:
            chosen = _without_suites(scratched(migration, site))
            if part:
                source = source_place(chosen)
                chosen = sampled(chosen, source.catalog(), source.dialect, part).migration
            list(run(chosen))
            with proving(chosen) as prover:
                yield Breaker(prover)


def _without_suites(migration: Migration) -> Migration:
    """Return the migration with its proofs alone: only these are asked about faults."""
    said = migration.validation.model_copy(update={"before": (), "suites": ()})
    return migration.model_copy(update={"validation": said})
