"""A run or a rollback that is killed at any word of its end counts wholly, or goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pytest

from datamig_pipelines.ledger import History
from datamig_pipelines.running import history, moves, roll_back, run, standing
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration
from datamig_pipelines_tests.running.lines import Defs

_MODULES = {
    "finish_run": "datamig_pipelines.running.run",
    "remember_rolled_back": "datamig_pipelines.running.rollback",
}


class KilledError(BaseException):
    """Nobody catches it, as nobody catches SIGKILL; the open transaction is taken back."""


@contextmanager
def killed_at(number: int, patch: pytest.MonkeyPatch, where: str) -> Iterator[list[str]]:
    """Kill at the writing statement of that number, counted since ``where`` was entered."""
    words: list[str] = []
    begun: list[bool] = []
    module = import_module(_MODULES[where])
    entered: Callable[..., Any] = getattr(module, where)
    query = Session.query

    def enter(*arguments: Any) -> Any:
        begun.append(True)
        return entered(*arguments)

    def asked(self: Session, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        if begun and not sql.lstrip().upper().startswith(("SELECT", "PRAGMA", "ROLLBACK", "WITH")):
            words.append(sql)
            if len(words) == number:
                raise KilledError
        return query(self, sql, parameters)

    with patch.context() as held:
        held.setattr(module, where, enter)
        held.setattr(Session, "query", asked)
        yield words


def test_walk_goes_on_behind_a_run_that_was_killed_at_its_end(small, monkeypatch):
    """The run is applied with all that belongs to it, or under way: never done by half."""
    one, two = small.write("one", "p"), small.write("two", "r", after="one")
    three = small.write("three", "q", after="two")
    list(run(one))
    number, dead = 0, True
    while dead:
        number, dead = number + 1, False
        with killed_at(number, monkeypatch, "finish_run"):
            try:
                list(run(two))
            except KilledError:
                dead = True
        for move in moves(two, "latest"):
            list(run(move.migration))
        _told_once(two, ["started", "applied"])
        list(roll_back(three))
        list(roll_back(two))

    assert number > 3
    assert small.tables(one) >= {"p"}


def test_walk_goes_on_behind_a_rollback_that_was_killed_at_its_end(small, monkeypatch):
    """The same command goes on, and the history says once that it was taken back."""
    one, two = small.write("one", "p"), small.write("two", "r", after="one")
    list(run(one))
    number, dead = 0, True
    while dead:
        number, dead = number + 1, False
        list(run(two))
        with killed_at(number, monkeypatch, "remember_rolled_back"):
            try:
                list(roll_back(two))
            except KilledError:
                dead = True
        for move in moves(one, "one"):
            list(roll_back(move.migration))
        assert [v.state for v in standing(one)] == ["applied", "pending"]
        _told_once(two, ["started", "applied", "rolled back"])

    assert number > 3


def _told_once(migration: Migration, events: list[str]) -> None:
    assert [e["event"] for e in history(migration)["runs"][-1]["events"]] == events


def test_clock_that_went_back_hides_no_run(small: Defs, monkeypatch):
    """Another machine's clock may be behind: the newest run is the one that was entered last."""
    one = small.write("one", "p")
    list(run(one))
    list(roll_back(one))
    with monkeypatch.context() as held:
        for module in ("running.opening", "ledger.ledger"):
            held.setattr(f"datamig_pipelines.{module}.now", lambda: "2020-01-01T00:00:00.000+00:00")
        list(run(one))
        states = [v.state for v in standing(one)]
        list(roll_back(one))
        after = [v.state for v in standing(one)]

    assert (states, after) == (["applied"], ["pending"])


def test_clock_that_went_back_hides_no_acknowledgement(small: Defs, monkeypatch):
    """What was entered into the history last is what a run stands for."""
    one = small.write("one", "p")
    list(run(one))
    [entry, *_] = _entries(small, one)
    old = "2020-01-01T00:00:00.000000+00:00"
    with small_ledger(small, one) as ledger:
        ledger.add_entry(type(entry)(**{**vars(entry), "happened_at": old, "plan_sum": "new"}))
        [newest] = ledger.runs("one")
        accepted = ledger.accepted(newest)

    assert accepted is not None
    assert accepted.plan_sum == "new"


def _entries(defs: Defs, migration: Migration) -> list[Any]:
    with small_ledger(defs, migration) as ledger:
        return ledger.entries(migration.name)


@contextmanager
def small_ledger(_defs: Defs, migration: Migration) -> Iterator[History]:
    """Open the target's ledger for writing."""
    from datamig_pipelines.running.opening import target_place

    with target_place(migration).open(readonly=False) as session:
        yield History(session)
