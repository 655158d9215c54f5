"""Opens both databases of a migration and makes the plan for what is there."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from datamig_pipelines.catalog import Catalog
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.dialects.base import RUN_LOCK
from datamig_pipelines.errors import (
    ConnectError,
    LockTimeoutError,
    NotYetError,
    RunningElsewhereError,
)
from datamig_pipelines.ledger import History, Ledger, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.ledger.entry import now
from datamig_pipelines.planning import Inputs, Plan, make_plan
from datamig_pipelines.planning.drift import catalog_facts
from datamig_pipelines.planning.rehearsed import last_measured
from datamig_pipelines.running.changes import entry_of, note_edit, refuse_changed, settled
from datamig_pipelines.running.code import code_of
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Connection, Launch, Migration
from datamig_pipelines.spec.connection import address
from datamig_pipelines.steps import Context, Place
from datamig_pipelines.transfer.pace import control_of

THERE = "run:there"
"""Mark of the ledger: what the target held as a run began. None of it came with the run."""


def places(migration: Migration) -> tuple[Place, Place]:
    """Return the source and the target of a migration. Raises SpecError."""
    return source_place(migration), target_place(migration)


def source_place(migration: Migration) -> Place:
    """Return the source of a migration. Raises SpecError."""
    url = migration.source_url()
    return _place(url, migration.source)


def target_place(migration: Migration) -> Place:
    """Return the target of a migration; all schemas go into schemas of the same names.

    Raises:
        SpecError: See `datamig_pipelines.errors`.
        NotYetError: The engine is no target yet.
    """
    url = migration.target_url()
    place = replace(_place(url, migration.target), throttle=migration.throttle)
    if not place.dialect.can.takes:
        msg = f"{place.dialect.label} cannot be a target yet"
        raise NotYetError(msg, hint="docs/engines.md lists the pairs that work.")
    every = migration.source.schema_name == "*" and not migration.target.schema_name
    return replace(place, schema="*") if every and place.dialect.can.schemas else place


def _address(place: Place) -> tuple[object, ...]:
    """Return what makes two places the same, whatever driver or options the URLs name."""
    return *address(place.url), place.schema


def _place(url: object, connection: Connection) -> Place:
    dialect = get_dialect(url)  # type: ignore[arg-type]
    return Place(dialect, url, connection.schema_name or dialect.default_schema(url))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Situation:
    """What a run would find: its plan, what the target holds, the ledger and the run that counts.

    Without a ledger the target is a file that does not exist yet.
    """

    plan: Plan
    here: Catalog
    ledger: History | None = None
    run: RunEntry | None = None

    @property
    def settled(self) -> bool:
        """Say whether the migration counts as applied as it is, so that nothing is run."""
        return self.ledger is not None and settled(self.ledger, self.run) is not None


def look(migration: Migration, launch: Launch | None = None) -> Plan:
    """Return the plan for the databases as they are now; only reads.

    A file that a target does not have yet counts as empty and is not made.

    Raises:
        SpecError, PlanError, EngineError: See `datamig_pipelines.errors`.
    """
    with looked(migration, launch) as situation:
        return situation.plan


@contextmanager
def looked(
    migration: Migration, launch: Launch | None = None, *, adopt: bool = False
) -> Iterator[Situation]:
    """Yield what a run would find; only reads. Raises what `look` raises.

    ``adopt`` plans as if the tables that are there were the migration's own.
    """
    source, target = places(migration)
    ends, there = (source, target), source.catalog()
    if _missing(target):
        yield _found(migration, launch, ends, there, None)
        return
    with target.open(readonly=True) as session:
        yield _found(migration, launch, ends, there, History(session), adopt=adopt)


def _missing(place: Place) -> bool:
    """Say whether a target is a file that is not there yet."""
    try:
        return place.dialect.file_missing(place.url)
    except FileNotFoundError:
        return False  # it names no file at all: opening it says so


def _found(
    migration: Migration,
    launch: Launch | None,
    ends: tuple[Place, Place],
    there: Catalog,
    ledger: History | None,
    *,
    adopt: bool = False,
) -> Situation:
    if ledger is None:
        empty = Catalog(ends[1].dialect.label, "")
        return Situation(_planned(migration, launch, ends, (there, empty), _Owned()), empty)
    here, whole = _catalogs(ends[1], ledger.session)
    run = current_run(ledger, migration.name)
    names = made_by(ledger, run) if run else frozenset()
    if adopt or settled(ledger, run):
        names = frozenset(
            str(n) for n in [*(t.name for t in here.tables), *(v.name for v in here.views)]
        )
    owned = _Owned(names, run.run_id if run else "", whole)
    plan = _planned(migration, launch, ends, (there, here), owned)
    return Situation(plan, here, ledger, run)


def everything(place: Place) -> Place:
    """Return the place with all its schemas."""
    return Place(place.dialect, place.url, "*" if place.dialect.can.schemas else "")


def _catalogs(place: Place, session: Session) -> tuple[Catalog, Catalog | None]:
    """Return what a place holds, and what all its schemas hold where that may be more."""
    if not place.dialect.can.schemas or place.schema == "*":
        return place.catalog(session), None
    here, whole = place.dialect.read_catalogs(session, place.schema, everything(place).schema)
    return here, whole


@contextmanager
def opened(
    migration: Migration,
    launch: Launch | None = None,
    check: Callable[[Situation], None] | None = None,
) -> Iterator[tuple[Plan, Session]]:
    """Open the target for writing, take its lock, and yield the plan of a new or unfinished run.

    ``check`` may refuse before anything is touched.

    Raises:
        RunningElsewhereError: Another run has the target.
        PlanChangedError: The unfinished or finished run was made from another plan.
        LedgerError: The run is half taken back.
    """
    source, target = places(migration)
    if _address(source) == _address(target):
        msg = "source and target are the same database"
        raise ConnectError(msg, hint="Name another database or another schema as the target.")
    ends, there = (source, target), source.catalog()
    if check and _missing(target):
        check(_found(migration, launch, ends, there, None))
    with open_locked(target) as session:
        found = _found(migration, launch, ends, there, History(session))
        if found.run is not None:
            refuse_changed(found.plan, History(session), found.run)
        if check:
            check(found)
        History(session).create()
        yield _entered(found, History(session)), session


@contextmanager
def open_locked(target: Place) -> Iterator[Session]:
    """Open the target for writing and hold its lock as long as the session lives.

    Raises:
        RunningElsewhereError: Another process has it: a run, or (SQLite) whoever is committing.
    """
    try:
        session = target.open(readonly=False)
    except LockTimeoutError as error:
        raise _elsewhere(target) from error
    with session:
        if not session.lock_run(RUN_LOCK):
            raise _elsewhere(target)
        yield session


def _elsewhere(target: Place) -> RunningElsewhereError:
    msg = f"another process is working on {target}"
    hint = "Wait for it, or stop it; `datamig status` shows what it does."
    return RunningElsewhereError(msg, hint=hint)


@dataclass(frozen=True)
class _Owned:
    """What of the target is the migration's own already, and the run that made it."""

    names: frozenset[str] = frozenset()
    run_id: str = ""
    whole: Catalog | None = None
    """All that the target holds, where that is more than was asked for."""


def _planned(
    migration: Migration,
    launch: Launch | None,
    ends: tuple[Place, Place],
    catalogs: tuple[Catalog, Catalog],
    owned: _Owned,
) -> Plan:
    inputs = Inputs(
        migration,
        launch or Launch(),
        *ends,
        *catalogs,
        owned=owned.names,
        run_id=owned.run_id,
        whole=owned.whole,
        code={
            t.transform: code_of(t.transform, migration) for t in migration.tables if t.transform
        },
        measured=last_measured(migration, ends[0].dialect.name, ends[1].dialect.name),
    )
    return make_plan(inputs)


def current_run(ledger: Ledger, migration: str) -> RunEntry | None:
    """Return the run that counts: the last one, unless it was taken back."""
    run = ledger.last_run(migration)
    return None if run is None or run.status == "rolled_back" else run


def made_by(ledger: Ledger, run: RunEntry) -> frozenset[str]:
    """Return the names of the target's tables, views and objects that a run made."""
    marks = ("schema:", "constraints:view ", "objects:")
    units = [name for name, (status, _) in ledger.steps(run.run_id).items() if status == "done"]
    return frozenset(u.removeprefix(m) for u in units for m in marks if u.startswith(m)) - {""}


def new_run_id() -> str:
    """Return a name for a run that no other has."""
    return uuid.uuid4().hex[:12]


def _entered(found: Situation, ledger: History) -> Plan:
    """Enter the run into the ledger, or go on with the one that is there."""
    plan, run = found.plan, found.run
    if run is None:
        run_id = new_run_id()
        name = plan.context.migration.name
        with ledger.session.transaction():
            ledger.start_run(
                RunEntry(run_id, name, plan.fingerprint, "running", now(), who=whoami())
            )
            ledger.add_entry(entry_of(plan, run_id, "started"))
            ledger.begin_step(run_id, THERE)
            ledger.end_step(run_id, THERE, "done", json.dumps(list(catalog_facts(found.here))))
        # A pause is of one run: nobody remembers that an earlier one was paused.
        control_of(plan.context.migration, ledger.dialect, ledger.session).say(None)
    else:
        run_id = run.run_id
        note_edit(plan, ledger, run)
        if run.status == "failed":
            ledger.end_run(run_id, "running")
    context: Context = replace(plan.context, run_id=run_id)
    return replace(plan, context=context)
