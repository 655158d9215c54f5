"""Finds out which rows of a loaded migration differ, and what would mend them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datamig_pipelines.dialects import Statement
from datamig_pipelines.differences import (
    RowDiff,
    entries,
    find_differences,
    mend,
    pair_of,
    repairs,
)
from datamig_pipelines.differences.rejected import NotLeftOutError, without_rejected
from datamig_pipelines.differences.replayed import NotReplayedError, replayed_pair
from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.planning import Plan
from datamig_pipelines.running.opening import current_run, opened
from datamig_pipelines.session import Session, open_readers
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps.validate import evidence
from datamig_pipelines.transfer import Event, Route


@dataclass(frozen=True)
class TableDiff(Event):
    """What differs in one table; ``diff`` is None where rows cannot be compared, for ``reason``."""

    table: str
    diff: RowDiff | None
    reason: str = ""
    left_out: tuple[str, ...] = ()
    repairs: Sequence[Statement] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON-compatible words."""
        if self.diff is None:
            return {"table": self.table, "verdict": "not comparable", "reason": self.reason}
        causes = [
            {
                "cause": c.cause,
                "column": c.column,
                "count": c.count,
                "mend": mend(c.cause, self.table, c.column),
            }
            for c in self.diff.causes
        ]
        return {
            "table": self.table,
            "verdict": self.verdict,
            "complete": self.diff.complete,
            "left_out": list(self.left_out),
            "how": self.diff.how,
            "rows_fetched": self.diff.effort.rows_fetched,
            "scans": self.diff.effort.scans,
            "rows_scanned": self.diff.effort.rows_scanned,
            "sums_fetched": self.diff.effort.sums_fetched,
            "causes": causes,
            "differences": [
                {
                    "key": d.key,
                    "column": d.column,
                    "source": d.source,
                    "target": d.target,
                    "cause": d.cause,
                }
                for d in self.diff.differences
            ],
            "repairs": [s.sql for s in self.repairs],
        }

    @property
    def verdict(self) -> str:
        """Return the word for what was found."""
        if self.diff is None:
            return "not comparable"
        if self.diff.causes:
            return "not comparable" if self.diff.unread else "different"
        return "not comparable" if self.left_out else "equal"


def diff(
    migration: Migration, launch: Launch | None = None, limit: int = 1000
) -> Iterator[TableDiff]:
    """Compare source and target row by row as they are now, and write what differs to the ledger.

    The source is read in a snapshot of its own, the target under the run's lock.

    Raises:
        LedgerError: A table that was asked for was never loaded.
    """
    with opened(migration, launch) as (plan, session):
        ledger = Ledger(session)
        run = current_run(ledger, migration.name)
        names = [r.name for r in plan.context.chosen()]
        states = ledger.table_states(plan.context.run_id, names)
        missing = [name for name, state in states.items() if not state.done]
        if run is None or missing:
            msg = f"not loaded, so there is nothing to compare: {', '.join(missing)}"
            raise LedgerError(msg, hint=f"datamig run {migration.name}")
        source = plan.context.source
        readers, _ = open_readers(source.dialect, source.url, 1)
        try:
            for route in plan.context.chosen():
                yield _of_table(plan, route, readers[0], session, limit)
        finally:
            for reader in readers:
                reader.close()


def _of_table(plan: Plan, route: Route, source: Session, target: Session, limit: int) -> TableDiff:
    context, ledger = plan.context, Ledger(target)
    state = ledger.table_state(context.run_id, route.name)
    seen = evidence(context, route, source, target, state)
    arrived = route.columns if route.transform else (*route.columns, *route.computed)
    left_out = [c.name for c in arrived if c.compare is None]
    if len(left_out) == len(arrived):
        return TableDiff(route.name, None, "no column has a common form")
    try:
        if route.transform:
            pair = replayed_pair(route, source, target, state, context.migration.base)
        else:
            where = without_rejected(route, source, state, seen.rejected)
            pair = pair_of(route, source, target, state, where)
        found = find_differences(pair, limit)
    except (NotLeftOutError, NotReplayedError) as why:
        return TableDiff(route.name, None, str(why))
    if route.transform:
        found = replace(found, how=f"{found.how} of what {route.transform} returns now")
    with target.transaction():
        ledger.set_differences(context.run_id, route.name, entries(found))
    return TableDiff(route.name, found, "", tuple(left_out), repairs(pair, found))
