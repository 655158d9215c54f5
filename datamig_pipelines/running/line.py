"""Where a target stands on its line of migrations, and the moves from there to elsewhere."""

from dataclasses import dataclass

from datamig_pipelines.errors import (
    BaselineError,
    LedgerError,
    OutOfOrderError,
    UnknownVersionError,
)
from datamig_pipelines.ledger import History, RunEntry
from datamig_pipelines.ledger.control import whoami
from datamig_pipelines.ledger.entry import now
from datamig_pipelines.running.changes import entry_of, settled
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
from datamig_pipelines.spec import Direction, Migration, line_of


@dataclass(frozen=True)
class Version:
    """One migration of a line and its state in the target.

    ``state``: applied · baseline · acknowledged · running · failed · rolling back · pending.
    ``here`` marks the last one that is applied.
    """

    version: str
    state: str
    since: str = ""
    run_id: str = ""
    here: bool = False

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
    names = line_of(migration).names
    place = target_place(migration)
    if place.dialect.file_missing(place.url):
        return [Version(name, "pending") for name in names]
    with place.open(readonly=True) as session:
        ledger = History(session)
        found = [_version(name, ledger) for name in names]
    last = max((i for i, v in enumerate(found) if v.applied), default=-1)
    return [Version(**{**v.__dict__, "here": i == last}) for i, v in enumerate(found)]


def _version(name: str, ledger: History) -> Version:
    run = current_run(ledger, name)
    if run is None:
        return Version(name, "pending")
    stands = settled(ledger, run)
    state = {"done": stands.event if stands else "applied"}.get(run.status, run.status)
    return Version(name, state.replace("_", " "), run.finished_at or run.started_at, run.run_id)


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


def refuse_elsewhere(migration: Migration, direction: str) -> None:
    """Raise if a direction means another migration of the line: a job moves its own one only.

    Raises:
        SpecError: The line is broken.
        UnknownVersionError: The line has no such version.
        OutOfOrderError: With the jobs to run instead.
    """
    line_of(migration)
    if direction in (*Direction, migration.name):
        return
    todo = moves(migration, direction)
    jobs = [m.migration.name if m.forward else f"{m.migration.name}_rollback" for m in todo]
    msg = f"this job moves {migration.name} only, and {direction} is another version"
    hint = (
        f"Run the jobs {', '.join(jobs)}, "
        f"or `datamig run {migration.name} --direction {direction}`."
        if jobs
        else f"The target stands at {direction} already; there is nothing to do."
    )
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
