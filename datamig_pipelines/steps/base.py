"""What a step is and what it works with."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import Catalog, Phase, SchemaObject, View
from datamig_pipelines.dialects import Dialect, Statement
from datamig_pipelines.errors import DatamigError, EngineError, StatementError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch, Migration, Throttle
from datamig_pipelines.transfer import Event, Route

MARK = "objects:"
"""Begins the name of every unit that makes a `SchemaObject`."""


@dataclass(frozen=True)
class Place:
    """A database: who speaks to it, where it is, and which schema is meant ('' for none).

    ``throttle`` limits the sessions that write to it.
    """

    dialect: Dialect
    url: URL
    schema: str = ""
    throttle: Throttle | None = None

    def open(self, *, readonly: bool) -> Session:
        """Open a session. Raises ConnectError, LoginError, DriverMissingError."""
        session = Session(self.dialect, self.url, readonly=readonly)
        if self.throttle and not readonly:
            said = self.throttle
            try:
                self.dialect.set_limits(session, said.lock_timeout_s, said.statement_timeout_s)
            except DatamigError:
                session.close()
                raise
        return session

    def catalog(self, session: Session | None = None) -> Catalog:
        """Read what is there now."""
        if session is not None:
            return self.dialect.read_catalog(session, self.schema)
        with self.open(readonly=True) as own:
            return self.dialect.read_catalog(own, self.schema)

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)


@dataclass(frozen=True)
class Context:
    """Everything that a step needs; the same for all steps of a run.

    ``timing`` is how long the plan expects the run to take, in words.
    """

    migration: Migration
    launch: Launch
    run_id: str
    source: Place
    target: Place
    routes: tuple[Route, ...]
    views: tuple[View, ...] = ()
    notes: tuple[str, ...] = ()
    fingerprint: str = ""
    objects: tuple[SchemaObject, ...] = ()
    source_version: str = ""
    timing: str = ""

    @property
    def folder(self) -> Path:
        """Return where this migration keeps its files: plan, report."""
        return self.migration.home

    def chosen(self) -> tuple[Route, ...]:
        """Return the routes that this launch asked for."""
        names = set(self.launch.tables)
        return tuple(r for r in self.routes if not names or {r.name, r.source.name.name} & names)


@dataclass(frozen=True)
class TableLoaded(Event):
    """A table is complete; its proofs were taken under the snapshot of its load."""

    route: Route
    rows_loaded: int
    rows_rejected: int
    bytes: int
    seconds: float
    proofs: tuple[ProofResult, ...] = ()


@dataclass(frozen=True)
class StepDone(Event):
    """A step is complete; ``detail`` holds its figures and files, JSON-compatible."""

    step: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Unit:
    """Statements that belong together: one transaction, remembered under one name."""

    name: str
    statements: tuple[Statement, ...]


class Step(ABC):
    """One verb of a migration, with its way back."""

    name: ClassVar[str]
    does: ClassVar[str]
    """What it does, in one sentence."""

    @abstractmethod
    def preview(self, context: Context) -> list[Statement]:
        """Return the very statements that `run` would send to the target, without touching it."""

    @abstractmethod
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Do it, going on from the ledger, and yield what happens; the last event is StepDone."""

    @abstractmethod
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Put back what `run` did. Idempotent."""


def run_units(
    context: Context, session: Session, units: Sequence[Unit], *, lacks: str = ""
) -> Iterator[str]:
    """Run units that the ledger does not call done, each with its entry in one transaction.

    Yields the name of every unit that was run; an error gets the unit as its place. The entry
    keeps why the units ``lack`` something, for whoever goes on after this process.
    """
    ledger = Ledger(session)
    done = {name for name, (status, _) in ledger.steps(context.run_id).items() if status == "done"}
    for unit in units:
        if unit.name in done:
            continue
        try:
            with session.transaction():
                session.run(*unit.statements)
                ledger.begin_step(context.run_id, unit.name)
                ledger.end_step(context.run_id, unit.name, "done", lacks)
        except DatamigError as error:
            raise error.at(unit.name.replace(":", "/", 1))  # noqa: B904 (the same error)
        yield unit.name


def propose(context: Context, session: Session, unit: Unit, plain: Unit) -> str:
    """Run a unit; where the target refuses its translated parts, run the plain one.

    Returns why the target refused, now or when the unit was run; '' if it did not. Between equal
    engines nothing was translated, so a refusal is an error there.
    """
    try:
        if list(run_units(context, session, [unit])):
            return ""
    except StatementError as error:
        if unit == plain or context.source.dialect.name == context.target.dialect.name:
            raise
        list(run_units(context, session, [plain], lacks=error.message))
        return error.message
    return Ledger(session).steps(context.run_id)[unit.name][1]


# ---- objects whose order nobody knows: what others need comes first by trying


def units_of(context: Context, *phases: Phase) -> list[Unit]:
    """Return one unit per object of these phases."""
    dialect = context.target.dialect
    return [
        Unit(f"{MARK}{o}", tuple(dialect.create_object(o)))
        for o in context.objects
        if o.phase in phases
    ]


def made_in_any_order(context: Context, session: Session, units: Sequence[Unit]) -> dict[Unit, str]:
    """Make units, those that need others again after them; return who was refused, and why."""
    waiting = list(units)
    while waiting:
        refused: dict[Unit, str] = {}
        for unit in waiting:
            try:
                list(run_units(context, session, [unit]))
            except EngineError as error:
                if error.retryable:
                    raise
                refused[unit] = error.message
                session.run(*context.target.dialect.calm())
        if len(refused) == len(waiting):
            return refused
        waiting = list(refused)
    return {}


def removed_in_any_order(
    session: Session, groups: Iterable[Sequence[Statement]], *, all_of_them: bool = True
) -> None:
    """Run groups of DROP statements, those of what others need after them.

    Raises:
        EngineError: One cannot go, and ``all_of_them`` must.
    """
    waiting = [g for g in groups if g]
    while waiting:
        refused: list[Sequence[Statement]] = []
        last: EngineError | None = None
        for group in waiting:
            try:
                session.run(*group)
            except EngineError as error:
                if error.retryable:
                    raise
                refused.append(group)
                last = error
        if last and len(refused) == len(waiting):
            if all_of_them:
                raise last
            return
        waiting = refused
