"""Throwaway servers: a private PostgreSQL and MariaDB, in a temporary folder, on a free port.

A server belongs to the process that made it and ends with it. ``crash`` is ``kill -9``; ``start``
after ``stop`` or ``crash`` comes back on the same port with the same data. A committed row survives
a crash (nothing waits for the disk, but the kernel has it).
"""

import atexit
import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pymysql

USER = "datamig"
PASSWORD = "datamig-test-pw"
START_TIMEOUT_S = 240
STOP_TIMEOUT_S = 60
_ENGINE_VARIABLES = ("PG", "MYSQL", "MARIADB")


def find_program(name: str) -> Path | None:
    """Return where ``name`` is: Debian's PostgreSQL folders (newest first), PATH, sbin."""
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    path = [*map(str, reversed(newest)), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]
    found = shutil.which(name, path=os.pathsep.join(path))
    return Path(found) if found else None


def free_port() -> int:
    """Return a port that nobody listens on, below the range the kernel gives to clients."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process; nothing where there is no /proc."""
    children = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        if parent == pid:
            children.append(int(stat.parent.name))
    return children


class Server(ABC):
    """One private server; make it, ``start`` it, ``remove`` it."""

    scheme: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    accounts: ClassVar[tuple[str, ...]]  # who runs the server when we are root, first that exists
    stop_signal: ClassVar[signal.Signals]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"datamig-{self.scheme}-"))
        self.data = self.folder / "data"
        self.port = 0
        self._log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_ENGINE_VARIABLES)
        } | {"HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._account = {**self._find_account(), "extra_groups": []}
        atexit.register(self.remove)

    @classmethod
    def missing(cls) -> str:
        """Return why this engine cannot be had here; empty if it can."""
        gone = [name for name in cls.programs if find_program(name) is None]
        return f"{cls.__name__}: no {', '.join(gone)} (scripts/install_servers.sh)" if gone else ""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process and running else None

    def url(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"{self.scheme}://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, or do nothing if it runs; return when it answers."""
        if self.pid:
            return
        if not self.data.exists():
            self._own(self.folder)
            self.initialise()
        for _ in range(
            5
        ):  # the port may be taken meanwhile; a crashed server's children may linger
            port = self.port or free_port()
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*self._die_with_us(), *self.command(port)],
                    cwd=self.folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for pytest
                    **self._account,
                )
            if self._answers(port):
                self.port = port
                return
            self._end(signal.SIGKILL)
            time.sleep(0.5)
        message = f"{type(self).__name__} does not start:\n{self._log.read_text()[-2000:]}"
        raise RuntimeError(message)

    def stop(self) -> None:
        """Stop the server in good order; its data stay."""
        self._end(self.stop_signal)

    def crash(self) -> None:
        """Kill the server and its children with SIGKILL, as a power cut would."""
        if self.pid:
            children = children_of(self.pid)
            self._end(signal.SIGKILL)
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        if os.getpid() == self._owner:  # not in a forked child that inherited the exit handler
            self.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
            atexit.unregister(self.remove)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of a fresh, empty database and drop it afterwards."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.start()
        self.create_database(name)
        try:
            yield self.url(name)
        finally:
            self.start()  # a test may have killed it
            self.drop_database(name)

    @abstractmethod
    def initialise(self) -> None:
        """Make the data folder."""

    @abstractmethod
    def command(self, port: int) -> list[str]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def create_database(self, name: str) -> None:
        """Create an empty database."""

    @abstractmethod
    def drop_database(self, name: str) -> None:
        """Drop a database, sessions in it included."""

    @abstractmethod
    def query(self, database: str, statement: str, *, port: int = 0) -> list[tuple[Any, ...]]:
        """Run one statement, committed at once, and return its rows."""

    @abstractmethod
    def run_script(self, database: str, path: Path, *, stop_on_error: bool = True) -> None:
        """Run a .sql file with the engine's own client."""

    @abstractmethod
    def data_folder(self, port: int) -> str:
        """Ask the server at ``port`` where its data are."""

    def _find_account(self) -> dict[str, int]:
        for name in self.accounts:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return {"user": entry.pw_uid, "group": entry.pw_gid}
        message = f"{type(self).__name__} refuses root and none of {self.accounts} exists"
        raise RuntimeError(message)

    def _own(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account["user"], self._account["group"])

    def _die_with_us(self) -> list[str]:
        """Have the kernel end the server when even our exit handler did not run."""
        setpriv = find_program("setpriv")
        if setpriv is None or threading.current_thread() is not threading.main_thread():
            return []  # the kernel would send the signal when the starting thread ends
        return [str(setpriv), "--pdeathsig", self.stop_signal.name.removeprefix("SIG")]

    def _run(self, command: list[str], *, as_server: bool = False, **options: Any) -> None:
        account = {**self._account, "cwd": self.folder} if as_server else {}
        done = subprocess.run(
            command,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **{"env": self._environment, **account, **options},
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace")[-2000:]
            message = f"{Path(command[0]).name} ended with {done.returncode}:\n{said}"
            raise RuntimeError(message)

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.pid and time.monotonic() < deadline:
            try:
                return Path(self.data_folder(port)).resolve() == self.data.resolve()
            except (psycopg.OperationalError, pymysql.OperationalError):
                time.sleep(0.05)
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class PostgresServer(Server):
    """A private PostgreSQL; ``datamig`` is its superuser, dumps find a role ``postgres``."""

    scheme = "postgresql"
    programs = ("initdb", "postgres", "psql")
    accounts = ("postgres", "nobody")
    stop_signal = signal.SIGINT  # fast shutdown

    def initialise(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self._own(secret)
        command = [str(find_program("initdb")), "-D", str(self.data), "-U", USER, "--no-sync"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        self._run([*command, "--encoding=UTF8", "--locale=C.UTF-8"], as_server=True)

    def command(self, port: int) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "full_page_writes": "off",
            "autovacuum": "off",  # once a minute it would change estimates and plans of queries
            "max_connections": 200,
            "max_wal_size": "1GB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(find_program("postgres")), "-D", str(self.data), "-p", str(port), *options]

    def start(self) -> None:
        first = not self.data.exists()
        super().start()
        if first:
            self.query("postgres", "CREATE ROLE postgres SUPERUSER")

    def create_database(self, name: str) -> None:
        self.query("postgres", f'CREATE DATABASE "{name}"')

    def drop_database(self, name: str) -> None:
        self.query("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def query(self, database: str, statement: str, *, port: int = 0) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host="127.0.0.1",
            port=port or self.port,
            user=USER,
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def run_script(self, database: str, path: Path, *, stop_on_error: bool = True) -> None:
        command = [str(find_program("psql")), "-X", "-q", "-v", f"ON_ERROR_STOP={stop_on_error:d}"]
        command += ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        self._run([*command, "-f", str(path)], env={**self._environment, "PGPASSWORD": PASSWORD})

    def data_folder(self, port: int) -> str:
        return str(self.query("postgres", "SHOW data_directory", port=port)[0][0])


class MariadbServer(Server):
    """A private MariaDB; ``datamig`` may do everything."""

    scheme = "mysql"
    programs = ("mariadb-install-db", "mariadbd", "mariadb")
    accounts = ("mysql", "nobody")
    stop_signal = signal.SIGTERM

    def initialise(self) -> None:
        users = self.folder / "users.sql"
        users.write_text(
            f"CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL PRIVILEGES ON *.* TO {USER}@'%' WITH GRANT OPTION;\n"
        )
        self._own(users)
        # Its own tmpdir: two that start at once would take each other's files in /tmp.
        command = [str(find_program("mariadb-install-db")), "--no-defaults", "--skip-test-db"]
        command += [f"--tmpdir={self.folder}"]
        command += [f"--datadir={self.data}", "--auth-root-authentication-method=normal"]
        self._run(command, as_server=True)

    def command(self, port: int) -> list[str]:
        settings = {
            "datadir": self.data,
            "port": port,
            "socket": self.folder / "server.sock",
            "pid-file": self.folder / "server.pid",
            "tmpdir": self.folder,
            "init-file": self.folder / "users.sql",
            "bind-address": "127.0.0.1",
            "skip-networking": 0,
            "skip-name-resolve": 1,
            "local-infile": 1,
            "character-set-server": "utf8mb4",
            "innodb-flush-log-at-trx-commit": 2,
            "innodb-buffer-pool-size": "128M",
            "innodb-stats-auto-recalc": 0,  # a thread of its own would change estimates meanwhile
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(find_program("mariadbd")), "--no-defaults", *options]

    def create_database(self, name: str) -> None:
        self.query("mysql", f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")

    def drop_database(self, name: str) -> None:
        sessions = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
        for (session,) in self.query("mysql", sessions):
            with contextlib.suppress(pymysql.err.OperationalError):  # it may have ended meanwhile
                self.query("mysql", f"KILL CONNECTION {session}")
        self.query("mysql", f"DROP DATABASE IF EXISTS `{name}`")

    def query(self, database: str, statement: str, *, port: int = 0) -> list[tuple[Any, ...]]:
        connection = pymysql.connect(
            host="127.0.0.1",
            port=port or self.port,
            user=USER,
            password=PASSWORD,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            ssl_disabled=True,  # else pymysql reads every CA certificate, which takes 20 ms
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def run_script(self, database: str, path: Path, *, stop_on_error: bool = True) -> None:
        command = [str(find_program("mariadb")), "--no-defaults", "--local-infile=1"]
        command += ["-h", "127.0.0.1", "-P", str(self.port), "-u", USER]
        command += ["--default-character-set=utf8mb4", *([] if stop_on_error else ["--force"])]
        with path.open("rb") as script:
            environment = {**self._environment, "MYSQL_PWD": PASSWORD}
            self._run([*command, database], env=environment, stdin=script)

    def data_folder(self, port: int) -> str:
        return str(self.query("mysql", "SELECT @@datadir", port=port)[0][0])


SERVERS: dict[str, type[Server]] = {"postgres": PostgresServer, "mariadb": MariadbServer}
