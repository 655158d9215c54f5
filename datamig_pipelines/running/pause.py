"""Lets people hold a load up and let it go on, from any process; the run's lock is not asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from datamig_pipelines.errors import LedgerError, LockTimeoutError, RunningElsewhereError
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.ledger.control import GO, PAUSE, Control, Word
from datamig_pipelines.running.opening import current_run, target_place
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import Place
from datamig_pipelines.transfer.pace import control_of

_UNFINISHED = ("running", "failed")


def pause(migration: Migration) -> Word:
    """Have the unfinished run wait between two batches, within two seconds, and return the word.

    A run that starts over or goes on later waits as well, until somebody says `resume`.

    Raises:
        LedgerError: There is no unfinished run.
    """
    with _control(migration) as control:
        word = Word(PAUSE)
        control.say(word)
        return word


def resume(migration: Migration) -> Word | None:
    """Let the run go on and return the pause that ends with it; None: nobody had paused it.

    Raises:
        LedgerError: There is no unfinished run.
    """
    with _control(migration) as control:
        before = control.last()
        if before is None or not before.paused:
            return None
        control.say(Word(GO))
        return before


@contextmanager
def _control(migration: Migration) -> Iterator[Control]:
    place = target_place(migration)
    if place.dialect.file_missing(place.url):
        raise _nothing(migration)
    if not place.dialect.can.concurrent_writers:
        _look(migration, place)
        yield control_of(migration, place.dialect, None)
        return
    with place.open(readonly=False) as session:
        _check(migration, Ledger(session))
        yield control_of(migration, place.dialect, session)


def _look(migration: Migration, place: Place) -> None:
    """Check a file; one that nobody else can open just now is one that a run works on."""
    try:
        with place.open(readonly=True) as session:
            _check(migration, Ledger(session))
    except (LockTimeoutError, RunningElsewhereError):
        return


def _check(migration: Migration, ledger: Ledger) -> None:
    run = current_run(ledger, migration.name)
    if run is None or run.status not in _UNFINISHED:
        raise _nothing(migration, run.status if run else "")


def _nothing(migration: Migration, status: str = "") -> LedgerError:
    state = f" (the last one is {status})" if status else ""
    msg = f"there is no unfinished run of {migration.name} to pause or resume{state}"
    return LedgerError(msg, hint=f"`datamig status {migration.name}` shows its runs.")
