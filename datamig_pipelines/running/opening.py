"""Opens both databases of a migration and makes the plan for what is there."""

import getpass
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from datamig_pipelines.catalog import Catalog
from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.errors import (
    ConnectError,
    LedgerError,
    LockTimeoutError,
    NotYetError,
    PlanChangedError,
    RunningElsewhereError,
)
from datamig_pipelines.ledger import Ledger, RunEntry
from datamig_pipelines.ledger.entry import now
from datamig_pipelines.planning import Inputs, Plan, make_plan
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Connection, Launch, Migration
from datamig_pipelines.steps import Context, Place
from datamig_pipelines.transfer.transforms import find_function


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
    place = _place(url, migration.target)
    if not place.dialect.can.takes:
        msg = f"{place.dialect.label} cannot be a target yet"
        raise NotYetError(msg, hint="docs/engines.md lists the pairs that work.")
    every = migration.source.schema_name == "*" and not migration.target.schema_name
    return replace(place, schema="*") if every and place.dialect.can.schemas else place


def _address(place: Place) -> tuple[object, ...]:
    """Return what makes two places the same, whatever driver or options the URLs name."""
    url = place.url
    return url.get_backend_name(), url.host, url.port, url.database, place.schema


def _place(url: object, connection: Connection) -> Place:
    dialect = get_dialect(url)  # type: ignore[arg-type]
    return Place(dialect, url, connection.schema_name or dialect.default_schema(url))  # type: ignore[arg-type]


def look(migration: Migration, launch: Launch | None = None) -> Plan:
    """Return the plan for the databases as they are now; only reads.

    A file that a target does not have yet counts as empty and is not made.

    Raises:
        SpecError, PlanError, EngineError: See `datamig_pipelines.errors`.
    """
    source, target = places(migration)
    there = source.catalog()
    if target.dialect.file_missing(target.url):
        return _planned(
            migration, launch, (source, target), (there, Catalog(target.dialect.label, "")), None
        )
    with target.open(readonly=True) as session:
        here = target.catalog(session)
        return _planned(migration, launch, (source, target), (there, here), Ledger(session))


@contextmanager
def opened(migration: Migration, launch: Launch | None = None) -> Iterator[tuple[Plan, Session]]:
    """Open the target for writing, take its lock, and yield the plan of a new or unfinished run.

    Raises:
        RunningElsewhereError: Another run has the target.
        PlanChangedError: The unfinished or finished run was made from another plan.
        LedgerError: The run is half taken back.
    """
    source, target = places(migration)
    if _address(source) == _address(target):
        msg = "source and target are the same database"
        raise ConnectError(msg, hint="Name another database or another schema as the target.")
    there = source.catalog()
    with open_locked(target) as session:
        ledger = Ledger(session)
        plan = _planned(
            migration, launch, (source, target), (there, target.catalog(session)), ledger
        )
        ledger.create()
        yield _entered(plan, ledger), session


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
        if not session.lock_run("datamig"):
            raise _elsewhere(target)
        yield session


def _elsewhere(target: Place) -> RunningElsewhereError:
    msg = f"another process is working on {target}"
    hint = "Wait for it, or stop it; `datamig status` shows what it does."
    return RunningElsewhereError(msg, hint=hint)


def _planned(
    migration: Migration,
    launch: Launch | None,
    ends: tuple[Place, Place],
    catalogs: tuple[Catalog, Catalog],
    ledger: Ledger | None,
) -> Plan:
    run = current_run(ledger, migration.name) if ledger else None
    owned = made_by(ledger, run) if ledger and run else frozenset()
    inputs = Inputs(
        migration,
        launch or Launch(),
        *ends,
        *catalogs,
        owned=owned,
        run_id=run.run_id if run else "",
    )
    plan = make_plan(inputs)
    for route in plan.context.routes:
        if route.transform:
            find_function(route.transform, migration.base)
    return plan


def current_run(ledger: Ledger, migration: str) -> RunEntry | None:
    """Return the run that counts: the last one, unless it was taken back."""
    run = ledger.last_run(migration)
    return None if run is None or run.status == "rolled_back" else run


def made_by(ledger: Ledger, run: RunEntry) -> frozenset[str]:
    """Return the names of the target's tables, views and objects that a run made."""
    marks = ("schema:", "constraints:view ", "objects:")
    units = [name for name, (status, _) in ledger.steps(run.run_id).items() if status == "done"]
    return frozenset(u.removeprefix(m) for u in units for m in marks if u.startswith(m)) - {""}


def _entered(plan: Plan, ledger: Ledger) -> Plan:
    """Enter the run into the ledger, or go on with the one that is there."""
    name = plan.context.migration.name
    run = current_run(ledger, name)
    if run is None:
        run_id = uuid.uuid4().hex[:12]
        who = f"{getpass.getuser()}@{socket.gethostname()}"
        ledger.start_run(RunEntry(run_id, name, plan.fingerprint, "running", now(), who=who))
    elif run.status == "rolling_back":
        msg = f"a rollback of {name} was begun and did not come to its end"
        raise LedgerError(msg, hint=f"`datamig rollback {name}` finishes it; then run again.")
    elif run.fingerprint == plan.fingerprint:
        run_id = run.run_id
        if run.status == "failed":
            ledger.end_run(run_id, "running")
    else:
        msg = (
            f"{name} was {'applied' if run.status == 'done' else 'begun'} on {run.started_at} "
            f"with plan {run.fingerprint}; the plan is {plan.fingerprint} now"
        )
        hint = (
            f"The file or the source's schema was changed. `datamig rollback {name}` first, "
            "then run again."
        )
        raise PlanChangedError(msg, hint=hint)
    context: Context = replace(plan.context, run_id=run_id)
    return replace(plan, context=context)
