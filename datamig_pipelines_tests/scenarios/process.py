"""A migration in a process of its own, to be killed at will.

The process is forked from a server that has loaded everything and opened nothing: a start costs
milliseconds. Every commit is told, not only one in half a second, so that a test can strike at any.
Process and test go in step: who told something waits until the test asks for what comes next. So a
kill behind an event is a kill behind that event, however slow the machine is.
"""

import contextlib
import encodings.idna  # noqa: F401 - as the drivers below
import multiprocessing
import os
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import adbc_driver_sqlite.dbapi  # noqa: F401 - loaded once, in the server
import duckdb  # noqa: F401 - as above
import pandas as pd  # noqa: F401 - DuckDB loads it at the first bound value, which takes a second
import psycopg  # noqa: F401 - as above
import pyarrow.compute  # noqa: F401 - as above
import pymysql  # noqa: F401 - as above

from datamig_pipelines import running
from datamig_pipelines.errors import DatamigError
from datamig_pipelines.running import StepStarted
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import StepDone, load
from datamig_pipelines.transfer import Event, Progress, Said, crew, watch

LIMIT_S = 120
VERBS: dict[str, Callable[[Migration], Iterator[Event]]] = {
    "run": running.run,
    "rollback": running.roll_back,
    "restore": partial(running.roll_back, by_restore=True),
    "validate": running.validate,
    "rehearse": running.rehearse,
}
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Task:
    """What a process does: a verb of a migration, with a limit of bytes per file (0: none)."""

    attributes: Mapping[str, Any]
    folder: Path
    environment: Mapping[str, str]
    verb: str = "run"
    file_limit: int = 0


class Process:
    """A running process of the product."""

    def __init__(self, task: Task) -> None:
        self.events: list[dict[str, str]] = []
        self._errors = task.folder / "stderr.txt"
        self._in_step = True
        self._waits = False
        self._ear, mouth = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_main, args=(task, mouth, self._errors))
        self._process.start()
        mouth.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def complaints(self) -> str:
        """What the process wrote to stderr."""
        return self._errors.read_text(errors="replace")

    def told(self) -> Iterator[dict[str, str]]:
        """Yield the events that the process tells, until it ends; it waits behind each of them."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._nod()
                self.events.append(self._ear.recv())
                self._waits = self._in_step
                yield self.events[-1]

    def _nod(self) -> None:
        if self._waits:
            self._ear.send(self._in_step)
            self._waits = False

    def run_ahead(self) -> None:
        """Let the process go on from here by itself, whatever the test does meanwhile."""
        self._in_step = False
        self._nod()

    def wait_for(self, mark: str, count: int = 1) -> bool:
        """Read until an event, or the start of a step, was told so often; False: it ended."""
        for event in self.told():
            started = event.get("step") if event["event"] == "StepStarted" else None
            count -= mark in (event["event"], started)
            if count == 0:
                return True
        return False

    def kill(self, delay_s: float = 0.0) -> bool:
        """Send SIGKILL, here or after a while; False if the process had ended by itself."""
        if delay_s:
            self.run_ahead()
            time.sleep(delay_s)
        self._process.kill()
        return self.end() == -signal.SIGKILL

    def end(self) -> int:
        """Read to the end and return the exit code."""
        for _ in self.told():
            pass
        self._process.join(LIMIT_S)
        code = self._process.exitcode
        self._ear.close()
        assert code is not None, f"still running after {LIMIT_S} s: {self.events[-3:]}"
        return code

    def finish(self) -> None:
        """Read to the end and insist on success."""
        code = self.end()
        assert code == 0, f"ended with {code}: {self.events[-3:]} {self.complaints[-3000:]}"


def _main(task: Task, mouth: Connection, errors: Path) -> None:
    with errors.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 2)
    os.environ.update(task.environment)
    load._TICK_S = 0.0
    watch._WORD_EVERY_S = 0.1  # a word is heard at the next batch or so
    crew.queue.Queue = _Turns  # type: ignore[misc, assignment]
    if task.file_limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond it fails, nobody is killed
        resource.setrlimit(resource.RLIMIT_FSIZE, (task.file_limit, resource.RLIM_INFINITY))
    sys.exit(_work(task, mouth))


def _work(task: Task, mouth: Connection) -> int:
    try:
        migration = Migration.model_validate(task.attributes).based(task.folder)
        for event in VERBS[task.verb](migration):
            _tell(mouth, _facts(event))
    except DatamigError as error:
        _tell(mouth, {"event": "error", "name": type(error).__name__, "text": str(error)})
        return error.exit_code
    except Exception:  # noqa: BLE001 - a bug, to be shown by the test that waits for this process
        traceback.print_exc()
        return 1
    return 0


def _tell(mouth: Connection, facts: dict[str, str]) -> None:
    mouth.send(facts)
    if not _Turns.ahead:
        _Turns.ahead = not mouth.recv()


class _Turns(queue.Queue[Any]):
    """A crew's queue whose workers wait until what they told was read, and the next is wanted."""

    ahead = False
    _reading = False

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item, block, timeout)
        working = threading.current_thread().name.startswith("datamig-load-")
        if isinstance(item, Event) and working and not _Turns.ahead:
            self.join()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if self._reading:
            self.task_done()
        self._reading = True
        return super().get(block, timeout)


def _facts(event: Event) -> dict[str, str]:
    facts = {"event": type(event).__name__}
    if isinstance(event, StepStarted | StepDone):
        facts["step"] = event.step
    if isinstance(event, Said):
        facts["text"] = event.text
    if isinstance(event, Progress):
        facts |= {"table": event.table, "rows": str(event.rows)}
    return facts
