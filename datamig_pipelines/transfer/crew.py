"""Several workers with sessions of their own, who take jobs until there are none."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from datamig_pipelines.errors import DatamigError
from datamig_pipelines.session import Session
from datamig_pipelines.transfer.events import Event


@dataclass(frozen=True)
class Job:
    """Something to do with a source session and a target session; ``place`` is for errors."""

    place: str
    events: Callable[[Session, Session], Iterator[Event]]


class Crew:
    """The workers of one load; each has a source session in the snapshot and a target session."""

    def __init__(self, sessions: Sequence[tuple[Session, Session]]) -> None:
        """Hire a worker per pair of sessions. Who made the sessions closes them."""
        self.stop = threading.Event()
        self._sessions = sessions
        self._told: queue.Queue[Event | BaseException | None] = queue.Queue()

    def __len__(self) -> int:
        """Return the number of workers."""
        return len(self._sessions)

    def tell(self, event: Event) -> None:
        """Have an event yielded by `work`, from any thread."""
        self._told.put(event)

    def work(self, jobs: Sequence[Job]) -> Iterator[Event]:
        """Have all jobs done, the first ones first, and yield what they tell.

        Raises the first error after all workers have stopped; one that is not worth a retry goes
        before others. Closed early, it stops the workers and waits for them.
        """
        todo: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            todo.put(job)
        threads = [
            threading.Thread(target=self._work, args=(*pair, todo), name=f"datamig-load-{number}")
            for number, pair in enumerate(self._sessions)
        ]
        for thread in threads:
            thread.start()
        try:
            yield from self._events(len(threads))
        except BaseException:
            self.stop.set()
            raise
        finally:
            for thread in threads:
                thread.join()

    def _events(self, left: int) -> Iterator[Event]:
        errors: list[BaseException] = []
        while left:
            told = self._told.get()
            if told is None:
                left -= 1
            elif isinstance(told, Event):
                yield told
            else:
                errors.append(told)
                self.stop.set()
        for error in errors:
            if not getattr(error, "retryable", False):
                raise error
        if errors:
            raise errors[0]

    def _work(self, source: Session, target: Session, todo: "queue.SimpleQueue[Job]") -> None:
        try:
            while not self.stop.is_set():
                try:
                    job = todo.get_nowait()
                except queue.Empty:
                    break
                try:
                    for event in job.events(source, target):
                        self._told.put(event)
                except DatamigError as error:
                    raise error.at(job.place)  # noqa: B904 (the same error)
        except BaseException as error:  # noqa: BLE001 (raised again where the events are read)
            self._told.put(error)
        finally:
            self._told.put(None)
