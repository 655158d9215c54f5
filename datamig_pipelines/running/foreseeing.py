"""Says what a rollback will do and take away, before it begins; refuses what nobody agreed to."""

import json
from dataclasses import dataclass
from typing import Any

from datamig_pipelines.catalog import Kind, Table, Type
from datamig_pipelines.dialects.reading import Compared
from datamig_pipelines.errors import LedgerError, LossesError
from datamig_pipelines.ledger import History, Ledger, RunEntry
from datamig_pipelines.planning.differences import Facts
from datamig_pipelines.proofs import Verdict
from datamig_pipelines.running.opening import everything, made_by
from datamig_pipelines.running.overwriting import Overwritten
from datamig_pipelines.running.restoring import (
    overwritten,
    restore_is_begun,
    restore_is_needed,
)
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import Place
from datamig_pipelines.transfer import Event

_PROOF = "fingerprint"
_TABLE = "table "
_VALUES = "values of "


@dataclass(frozen=True)
class Loss:
    """What a rollback would take from one table: the rows it has, and those the load brought.

    ``changed`` says that its values are not those that were proven after the load, ``unknown`` that
    the ledger was damaged and nobody knows what came with the load.
    """

    table: str
    rows: int
    loaded: int
    changed: bool = False
    unknown: bool = False

    @property
    def foreign(self) -> bool:
        """Say whether something goes that the run did not bring, as far as anybody knows."""
        return self.rows > self.loaded or self.changed or (self.unknown and self.rows > 0)

    @property
    def told(self) -> str:
        """Return in words what goes."""
        since = self.rows - self.loaded
        rows = f"{self.rows:,} rows"
        if self.unknown:
            return f"{rows}  !! THE LEDGER IS DAMAGED: NOBODY KNOWS WHICH CAME WITH THE LOAD"
        if since > 0:
            return f"{rows}  !! {since:,} OF THEM WERE WRITTEN SINCE THE LOAD AND ARE NOWHERE ELSE"
        if since < 0:
            rows += f" ({-since:,} of {self.loaded:,} were deleted since the load)"
        return rows + ("  !! VALUES WERE CHANGED SINCE THE LOAD" if self.changed else "")


@dataclass(frozen=True)
class Prospect:
    """What a rollback will do: undo or restore, why so, and what goes."""

    how: str
    why: str
    taken: tuple[Loss | Overwritten, ...]

    @property
    def foreign(self) -> tuple[Loss | Overwritten, ...]:
        """Return what goes although the run did not bring it."""
        return tuple(t for t in self.taken if t.foreign)


@dataclass(frozen=True)
class Foreseen(Event):
    """What a rollback is about to do was looked at."""

    found: Prospect


def made_tables(place: Place, session: Session, ledger: Ledger, run: RunEntry) -> list[Table]:
    """Return the tables that a run made and that are there."""
    made = made_by(ledger, run)
    return [t for t in everything(place).catalog(session).tables if str(t.name) in made]


def losses_of(place: Place, session: Session, run: RunEntry, *, values: bool) -> list[Loss]:
    """Return what an undo would remove; with ``values`` every row is read, else only counted."""
    ledger = History(session)
    facts = _facts(ledger, run)
    try:
        loaded, unknown = _loaded(ledger, run, facts), False
        proven = _proven(ledger, run, facts) if values else {}
    except LedgerError:  # that must not bar the way back: what was made is known by its steps
        loaded, proven, unknown = {}, {}, True
    found = []
    for table in made_tables(place, session, ledger, run):
        rows = int(session.query(place.dialect.count(place.dialect.table(table.name)))[0][0])
        brought = loaded.get(str(table.name), loaded.get(table.name.name, rows))
        changed = rows <= brought and _is_changed(session, table, proven.get(str(table.name)))
        found.append(Loss(str(table.name), rows, brought, changed, unknown))
    return found


def prospect_of(
    migration: Migration, place: Place, session: Session, run: RunEntry, *, by_restore: bool = False
) -> Prospect:
    """Return what a rollback of a run will do.

    Raises:
        BackupError: A restore is needed, and there is no whole backup.
    """
    ledger = Ledger(session)
    if not (by_restore or restore_is_needed(ledger, run)):
        lost = losses_of(place, session, run, values=True)
        return Prospect("undo", "the run wrote only to tables that it made", tuple(lost))
    why = "it is asked for" if by_restore else "rows went into tables that were there before"
    if restore_is_begun(ledger, run):
        why = "a restore was begun"
    own = {x.table: x for x in losses_of(place, session, run, values=True)}
    gone = overwritten(migration, place, session, ledger, run)
    return Prospect("restore", why, tuple(_judged(one, own) for one in gone))


def refuse(migration: Migration, found: Prospect) -> None:
    """Raise LossesError if something goes that the run did not bring; nothing was touched."""
    if not found.foreign:
        return
    told = "; ".join(f"{one.table}: {one.told}" for one in found.foreign)
    msg = f"the rollback of {migration.name} ({found.how}) takes what the run did not bring: {told}"
    hint = (
        "Nothing was touched. Save these rows, or say yes: accept_losses: true in the run's "
        f"configuration, `datamig rollback {migration.name} --yes`."
    )
    raise LossesError(msg, hint=hint, where="rollback")


def _judged(one: Overwritten, own: dict[str, Loss]) -> Overwritten:
    """Return an entry with what the ledger knows of a table that the run made."""
    known = own.get(one.table)
    if known is None or not known.foreign:
        return one
    return Overwritten(one.table, one.rows, one.before, one.made, since=known.told)


def _facts(ledger: History, run: RunEntry) -> Facts:
    """Return the facts of the plan that a run stands for."""
    entry = ledger.accepted(run)
    return json.loads(entry.plan) if entry and entry.plan else {}


def _loaded(ledger: Ledger, run: RunEntry, facts: Facts) -> dict[str, int]:
    """Return the rows that the load brought, by the table's name in the target.

    What was made and not loaded yet got none. Of a run whose plan is not kept, the source's names.
    """
    called = {n: str(p[""]["target"]) for n, p in facts.items() if n.startswith(_TABLE)}
    names = {n.removeprefix(_TABLE): target for n, target in called.items()}
    names = names or {n: n.rpartition(".")[2] for n in ledger.loaded_tables(run.run_id)}
    return {t: ledger.table_state(run.run_id, n).rows_loaded for n, t in names.items()}


@dataclass(frozen=True)
class _Proven:
    """The fingerprint that a table had when it was last proven, and what it was taken over."""

    figure: str
    columns: dict[str, tuple[Type, Kind]]


def _proven(ledger: History, run: RunEntry, facts: Facts) -> dict[str, _Proven]:
    """Return what was proven of each table, by its name in the target.

    A proof that found a difference stands for what should be there: the source's figure. Of a
    table that is not loaded whole a proof says nothing about what others changed.
    """
    found, whole = {}, set(ledger.loaded_tables(run.run_id))
    for proof in ledger.proofs(run.run_id):
        parts = facts.get(f"{_TABLE}{proof.table}")
        if proof.proof != _PROOF or not parts or proof.table not in whole:
            continue
        figure = proof.source if proof.verdict == Verdict.DIFFERENT else proof.target
        columns = _columns(parts)
        if figure and columns:
            found[str(parts[""]["target"])] = _Proven(figure, columns)
    return found


def _columns(parts: dict[str, dict[str, Any]]) -> dict[str, tuple[Type, Kind]]:
    """Return the columns of a plan that its proof compares, in their order."""
    transformed = bool(parts[""].get("transform"))
    computed = {n.removeprefix("target column ") for n, a in parts.items() if a.get("generated")}
    columns = {}
    for name, said in parts.items():
        column = name.removeprefix(_VALUES)
        if column == name or said.get("compare") is None:
            continue
        if not (transformed and column in computed):
            columns[column] = (_type(said["into"]), Kind(said["compare"]))
    return columns


def _type(said: dict[str, Any]) -> Type:
    element = _type(said["element"]) if said.get("element") else None
    known = {**said, "kind": Kind(said["kind"]), "values": tuple(said.get("values", ()))}
    return Type(**{**known, "element": element})


def _is_changed(session: Session, table: Table, proven: _Proven | None) -> bool:
    """Say whether a table has other values than were proven; where nothing was, nobody knows."""
    if proven is None:
        return False
    if not proven.columns.keys() <= {c.name for c in table.columns}:
        return True
    quote = session.dialect.quote
    compared = [Compared(quote(n), into, form) for n, (into, form) in proven.columns.items()]
    name = session.dialect.table(table.name)
    return str(session.fingerprint(name, compared)) != proven.figure
