"""Takes a migration back, by the ledger and the target's catalog; the source is not asked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from datamig_pipelines.catalog import Table, View
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.errors import LedgerError
from datamig_pipelines.ledger import Ledger, RunEntry
from datamig_pipelines.planning.order import parents_first
from datamig_pipelines.running.opening import current_run, made_by, open_locked, target_place
from datamig_pipelines.running.watch import tell
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch, Migration
from datamig_pipelines.steps import STEPS, Context, Place, StepDone
from datamig_pipelines.steps.backup import names_of
from datamig_pipelines.transfer import Event, Route


@dataclass(frozen=True)
class Loss:
    """What a rollback would take from one table: the rows it has, and those the load brought."""

    table: str
    rows: int
    loaded: int


def losses(migration: Migration) -> list[Loss]:
    """Return what a rollback would remove. Raises LedgerError if there is nothing to take back."""
    place = target_place(migration)
    with place.open(readonly=True) as session:
        ledger = Ledger(session)
        run = _run(ledger, migration)
        loaded = _loaded(ledger, run)
        found = []
        for table in _made(place, session, ledger, run):
            rows = int(session.query(place.dialect.count(place.dialect.table(table.name)))[0][0])
            found.append(Loss(str(table.name), rows, loaded.get(table.name.name, rows)))
        return found


def roll_back(migration: Migration) -> Iterator[Event]:
    """Undo the last run of a migration, newest step first, prove the original state, and say so.

    Safe to repeat: a rollback that was killed goes on.

    Raises:
        LedgerError: There is nothing to take back, or the original state is not reached.
    """
    place = target_place(migration)
    with open_locked(place) as session:
        ledger = Ledger(session)
        run = _run(ledger, migration)
        ledger.end_run(run.run_id, "rolling_back")
        context = _context(migration, place, session, ledger, run)
        for name in reversed(STEPS):
            if ledger.steps(run.run_id).get(name):
                for event in STEPS[name].undo(context, session):
                    yield tell(event)
                ledger.end_step(run.run_id, name, "undone", ledger.steps(run.run_id)[name][1])
        strangers = _prove(place, session, ledger, run)
        ledger.end_run(run.run_id, "rolled_back")
        proven = "what the run made is gone, what was there before is there"
        yield tell(
            StepDone(
                "rollback", {"run": run.run_id, "proven": proven, "made by others since": strangers}
            )
        )


def _run(ledger: Ledger, migration: Migration) -> RunEntry:
    run = current_run(ledger, migration.name)
    if run is None:
        msg = f"there is no run of {migration.name} to take back"
        raise LedgerError(msg, hint=f"`datamig status {migration.name}` shows its history.")
    return run


def _loaded(ledger: Ledger, run: RunEntry) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in ledger.loaded_tables(run.run_id):
        counts[name.rpartition(".")[2]] = ledger.table_state(run.run_id, name).rows_loaded
    return counts


def _made(place: Place, session: Session, ledger: Ledger, run: RunEntry) -> list[Table]:
    made = made_by(ledger, run)
    return [t for t in _all(place).catalog(session).tables if str(t.name) in made]


def _all(place: Place) -> Place:
    return Place(place.dialect, place.url, "*" if place.dialect.can.schemas else "")


def _context(
    migration: Migration, place: Place, session: Session, ledger: Ledger, run: RunEntry
) -> Context:
    tables = {t.name: t for t in _made(place, session, ledger, run)}
    parents = {name: [k.target for k in t.foreign_keys] for name, t in tables.items()}
    order, _ = parents_first(list(tables), parents)
    made = made_by(ledger, run)
    catalog = _all(place).catalog(session)
    views = [v for v in catalog.views if str(v.name) in made]
    return Context(
        migration,
        Launch(),
        run.run_id,
        place,
        place,
        tuple(_route(tables[n]) for n in order),
        tuple(View(v.name, v.sql, v.materialized) for v in views),
        objects=tuple(o for o in catalog.objects if str(o) in made),
    )


def _route(table: Table) -> Route:
    return Route(table, table, (), Wire.CELLS, Wire.CELLS, (), (), "", 1)


def _prove(place: Place, session: Session, ledger: Ledger, run: RunEntry) -> list[str]:
    """Return what others made since the run began. Raises LedgerError if the way back has a gap."""
    _, detail = ledger.steps(run.run_id).get("backup", ("", ""))
    before = json.loads(detail or "{}").get("catalog")
    if before is None:
        return []
    after = names_of(_all(place).catalog(session))
    made = made_by(ledger, run)
    new = [name for name in after if name not in before]
    left = [name for name in new if {name, name.partition(" ")[2]} & made]
    missing = [name for name in before if name not in after]
    if left or missing:
        msg = f"the target is not as it was before: {', '.join([*left, *missing])}"
        hint = "Somebody else changed it meanwhile, or a drop was refused. Look at these objects."
        raise LedgerError(msg, hint=hint, where="rollback")
    return [name for name in new if name not in left]
