"""Private servers, set up as servers are in real life: every commit waits for the disk."""

import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from typing_extensions import override

from datamig_pipelines_tests.engines import MariadbServer, PostgresServer, Server, find_program

POSTGRES_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",  # would run in some measurements and not in others
}
MARIADB_SETTINGS = {
    "innodb-flush-log-at-trx-commit": "1",
    "innodb-buffer-pool-size": "1G",
    "innodb-log-file-size": "1G",
    "innodb-stats-persistent-sample-pages": "20",
}


class DurablePostgres(PostgresServer):
    """A private PostgreSQL with fsync and a server's usual memory."""

    @override
    def command(self, port: int) -> list[str]:
        settings = [f"{name}={value}" for name, value in POSTGRES_SETTINGS.items()]
        return [*super().command(port), *(part for s in settings for part in ("-c", s))]


class DurableMariadb(MariadbServer):
    """A private MariaDB that flushes its log at every commit."""

    @override
    def command(self, port: int) -> list[str]:
        return [*super().command(port), *(f"--{n}={v}" for n, v in MARIADB_SETTINGS.items())]


@dataclass(frozen=True)
class Engines:
    """The servers of one session, each started when it is first asked for."""

    stack: ExitStack

    @classmethod
    def on(cls, stack: ExitStack) -> Self:
        """Return servers that end with ``stack``."""
        return cls(stack)

    @cached_property
    def source(self) -> Server:
        """The PostgreSQL that is read."""
        return self._started(DurablePostgres())

    @cached_property
    def target(self) -> Server:
        """The PostgreSQL that is written to."""
        return self._started(DurablePostgres())

    @cached_property
    def mariadb(self) -> Server:
        """The MariaDB that is read."""
        return self._started(DurableMariadb())

    def running(self) -> list[int]:
        """Return the process ids of the servers that were started."""
        made = [v for v in vars(self).values() if isinstance(v, Server)]
        return [s.pid for s in made if s.pid]

    def _started(self, server: Server) -> Server:
        self.stack.callback(server.remove)
        server.start()
        return server


def program(name: str) -> str:
    """Return where a command-line client is. Raises FileNotFoundError."""
    found = find_program(name)
    if found is None:
        raise FileNotFoundError(name)
    return str(found)


def has(name: str) -> bool:
    """Say whether a program is installed."""
    return find_program(name) is not None


def version(command: str, *arguments: str) -> str:
    """Return the first line that a program says about itself, '' if it is not there."""
    if not has(command):
        return ""
    done = subprocess.run(
        [program(command), *(arguments or ("--version",))],
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout or done.stderr).strip().partition("\n")[0]
