"""Where a target stands on its line of migrations, and the moves from there to elsewhere."""

from dataclasses import dataclass, replace

from datamig_pipelines.errors import (
    BaselineError,
    EngineError,
    LedgerError,
    OutOfOrderError,
    UnknownVersionError,
)
from datamig_pipelines.ledger import History, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.ledger.entry import now
from datamig_pipelines.running.changes import entry_of, refuse_changed, settled
from datamig_pipelines.running.memory import keep_catalog
from datamig_pipelines.running.opening import (
    Situation,
    current_run,
    looked,
    new_run_id,
    open_locked,
    target_place,
)
from datamig_pipelines.running.readiness import refuse_order
from datamig_pipelines.spec import Direction, Migration, is_there, line_of
from datamig_pipelines.spec.text import spec_text


@dataclass(frozen=True)
class Version:
    """One migration of a line and its state in the target.

    ``state``: applied · baseline · acknowledged · running · failed · rolling back · pending.
    ``here`` marks the last one that is applied, ``edited`` one whose file says something else now.
    """

    version: str
    state: str
    since: str = ""
    run_id: str = ""
    here: bool = False
    edited: bool = False

    @property
    def applied(self) -> bool:
        """Say whether the next one may be run."""
        return self.state in ("applied", "baseline", "acknowledged")


@dataclass(frozen=True)
class Move:
    """A migration to run (forward) or to take back."""

    migration: Migration
    forward: bool


def standing(migration: Migration) -> list[Version]:
    """Return the versions of a migration's line, first to last; only reads the target.

    Raises:
        UnknownPredecessorError, LineCycleError, TwoHeadsError, LineTargetsError: Of the files.
    """
    members = line_of(migration).migrations
    place = target_place(migration)
    if place.dialect.file_missing(place.url):
        return [Version(m.name, "pending") for m in members]
    with place.open(readonly=True) as session:
        ledger = History(session)
        found = [_version(member, ledger) for member in members]
    last = max((i for i, v in enumerate(found) if v.applied), default=-1)
    return [replace(v, here=i == last) for i, v in enumerate(found)]


def without_file(migration: Migration, ledger: History) -> list[Version]:
    """Return what is in the target though no file beside this one describes it.

    It was deleted, renamed after it was applied, or belongs to another project.
    """
    known = dict.fromkeys(run.migration for run in ledger.all_runs())
    gone = [name for name in known if not is_there(migration, name)]
    found = [_state(name, ledger) for name in gone]
    return [version for version in found if version.state != "pending"]


def _version(migration: Migration, ledger: History) -> Version:
    version = _state(migration.name, ledger)
    run = current_run(ledger, migration.name)
    entry = ledger.accepted(run) if run else None
    edited = entry is not None and entry.spec != spec_text(migration)
    return replace(version, edited=edited)


def _state(name: str, ledger: History) -> Version:
    run = current_run(ledger, name)
    if run is None:
        return Version(name, "pending")
    stands = settled(ledger, run)
    state = {"done": stands.event if stands else "applied"}.get(run.status, run.status)
    since = run.finished_at or run.started_at
    return Version(name, state.replace("_", " "), since, run.run_id)


def moves(migration: Migration, direction: str) -> list[Move]:
    """Return what has to be done, in order, to go in a direction from where the target stands.

    ``up`` is the next one, ``latest`` all to the end, ``down`` the last one back; the name of a
    migration goes there, forward or back.

    Raises:
        UnknownVersionError: The line has no such version.
        SpecError: The line is broken.
    """
    line = line_of(migration)
    known = {m.name: m for m in line.migrations}
    there = standing(migration)
    ahead = [v for v in there if not v.applied]
    begun = [v for v in there if v.state != "pending"]
    if direction == Direction.up:
        ahead, begun = ahead[:1], []
    elif direction == Direction.latest:
        begun = []
    elif direction == Direction.down:
        ahead, begun = [], begun[-1:]
    else:
        place = _place(direction, line.names)
        ahead = [v for v in ahead if line.names.index(v.version) <= place]
        begun = [v for v in begun if line.names.index(v.version) > place]
    return [Move(known[v.version], forward=False) for v in reversed(begun)] + [
        Move(known[v.version], forward=True) for v in ahead
    ]


def way(migration: Migration, direction: str) -> list[Move]:
    """Return what a run with this direction does; '' is this migration alone, forward.

    Where a migration is its whole line, it is moved whatever its state: forward, a run that is done
    is proven again; back, one that is not there is refused.

    Raises what `moves` raises.
    """
    names = line_of(migration).names
    if not direction or (len(names) == 1 and direction in (*Direction, migration.name)):
        return [Move(migration, forward=direction != Direction.down)]
    return moves(migration, direction)


def refuse_edited(migration: Migration, todo: list[Move]) -> list[str]:
    """Refuse a way forward over a migration of the line that was edited since it was applied.

    Only those whose text differs are planned again. Returns a remark for each of them whose source
    does not answer any more.

    Raises:
        PlanChangedError: With the lines that differ.
    """
    back = {m.migration.name for m in todo if not m.forward}
    if len(back) == len(todo):
        return []
    remarks = []
    for version in standing(migration):
        if not version.edited or version.version in back:
            continue
        member = next(m for m in line_of(migration).migrations if m.name == version.version)
        try:
            with looked(member) as found:
                if found.ledger and found.run:
                    refuse_changed(found.plan, found.ledger, found.run)
        except EngineError as error:
            remarks.append(f"{member.name} was edited, and cannot be planned: {error.message}")
    return remarks


def refuse_elsewhere(migration: Migration, direction: str) -> None:
    """Raise if a direction means another migration of the line, where a job moves its own only.

    Raises what `moves` raises, and:
        OutOfOrderError: With the job to run instead.
    """
    if all(move.migration.name == migration.name for move in way(migration, direction)):
        return
    msg = f"this job moves {migration.name} only, and direction {direction} another one, too"
    hint = f"Run the job {migration.name} with this direction."
    raise OutOfOrderError(msg, hint=hint)


def _place(version: str, names: list[str]) -> int:
    if version not in names:
        msg = f"there is no version {version!r} in this line"
        raise UnknownVersionError(msg, hint=f"Say up, down, latest or one of {', '.join(names)}.")
    return names.index(version)


def baseline(migration: Migration) -> RunEntry:
    """Write down that a database holds a migration already, without running it.

    Its tables and their columns have to be there; their rows are not looked at (`validate` does).
    A rollback of it drops nothing and takes the mark away.

    Raises:
        BaselineError: A table or a column is missing.
        LedgerError: It was run or marked before.
        OutOfOrderError: The migration that it comes after is not applied.
    """
    with looked(migration, adopt=True) as found:
        run = found.run
        if run is not None:
            msg = f"{migration.name} is in the ledger already: {run.status} since {run.started_at}"
            raise LedgerError(msg, hint=f"`datamig status {migration.name}` shows it.")
        refuse_order(found)
        _check_there(found)
    names = [str(r.target.name) for r in found.plan.context.routes]
    with open_locked(target_place(migration)) as session:
        ledger = History(session)
        ledger.create()
        entry = RunEntry(
            new_run_id(), migration.name, found.plan.fingerprint, "done", now(), now(), whoami()
        )
        with session.transaction():
            ledger.start_run(entry)
            ledger.add_entry(
                entry_of(found.plan, entry.run_id, "baseline", detail="\n".join(names))
            )
        keep_catalog(found.plan.context.target, ledger, entry.run_id, frozenset(names))
    return entry


def _check_there(found: Situation) -> None:
    fold = str.lower if found.plan.context.target.dialect.can.names_ignore_case else str
    there = {fold(str(t.name)): {fold(c.name) for c in t.columns} for t in found.here.tables}
    missing: list[str] = []
    for route in found.plan.context.routes:
        columns = there.get(fold(str(route.target.name)))
        if columns is None:
            missing.append(f"table {route.target.name}")
        else:
            missing += [
                f"column {route.target.name}.{c.name}"
                for c in route.target.columns
                if fold(c.name) not in columns
            ]
    if missing:
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        msg = f"the target has no {', '.join(missing[:8])}{more}"
        hint = "Nothing was marked. Make them, exclude them in the file, or run the migration."
        raise BaselineError(msg, hint=hint)
