"""Lets somebody in this process see every event of a run, whoever iterates over it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from datamig_pipelines.errors import DatamigError
from datamig_pipelines.transfer import Event

Watcher = Callable[[Event], None]

_watchers: list[Watcher] = []


@dataclass(frozen=True)
class StepFailed(Event):
    """A step stopped; the error is the very object that was raised."""

    step: str
    error: DatamigError


@contextmanager
def watch(callback: Watcher) -> Iterator[None]:
    """Call ``callback`` with every event that is told in this process while the block runs."""
    _watchers.append(callback)
    try:
        yield
    finally:
        _watchers.remove(callback)


def tell(event: Event) -> Event:
    """Show an event to all watchers, and hand it back to be yielded."""
    for watcher in tuple(_watchers):
        watcher(event)
    return event
