"""mariadb-dump (mysqldump), the client that reads it back, and scratch databases."""

import gzip
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName, is_ledger
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.dialects.mysql import driver, failures
from datamig_pipelines.dialects.mysql.names import quote
from datamig_pipelines.errors import (
    BackupError,
    DiskFullError,
    DriverMissingError,
    without_secrets,
)

LEDGER_FILE: Final = "ledger.sql.gz"
"""The ledger's tables, empty: views may look at them. Sorted before the other file."""
_DUMP_FILE: Final = "mysql.sql.gz"
_DUMP: Final = ("mariadb-dump", "mysqldump")
_CLIENT: Final = ("mariadb", "mysql")
_OPTIONS: Final = (
    "--single-transaction",
    "--routines",
    "--triggers",
    "--events",
    "--hex-blob",
    "--no-tablespaces",
    "--default-character-set=utf8mb4",
)
_LEVEL: Final = 1
_BLOCK_BYTES: Final = 1024 * 1024
_END_BYTES: Final = 200
_URL_OPTIONS: Final = {
    "unix_socket": "socket",
    "ssl_ca": "ssl-ca",
    "ssl_cert": "ssl-cert",
    "ssl_key": "ssl-key",
}
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def dump(url: URL, folder: Path, order: DumpOrder) -> list[Path]:
    """Write the database, the tables of our ledger excepted, as one compressed SQL script.

    Raises:
        BackupError: The program failed; DiskFullError where it found no room.
        DriverMissingError: There is no such program.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own, database = ledger_tables(url), str(url.database)
    written = []
    if own and order.only is None:
        written.append(_script(folder / LEDGER_FILE, ["--no-data", database, *own], url))
    ignored = [f"--ignore-table={database}.{name}" for name in own]
    if order.only is not None:
        ignored += [f"--ignore-table={database}.{name.name}" for name in order.others]
    written.append(_script(folder / _DUMP_FILE, [*_OPTIONS, *ignored, database], url))
    return written


def _script(path: Path, options: list[str], url: URL) -> Path:
    """Write what the dump program says through gzip, and see that it came to its end."""
    path.touch(mode=0o600)
    with gzip.open(path, "wb", _LEVEL) as script:
        end = _run(_DUMP, options, url, to=cast("IO[bytes]", script))
    if b"-- Dump completed" not in end:
        msg = "the dump has no end: the program stopped before it was through"
        raise BackupError(msg, hint="Run again; nothing was kept of it.")
    return path


def dump_tool() -> str:
    """Return the version that the dump program tells of itself."""
    done = subprocess.run(
        [_program(_DUMP), "--version"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip().rpartition("/")[2]


def ledger_tables(url: URL) -> list[str]:
    """Return the names of our ledger's tables in a database."""
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    return [name for (name,) in asked(url, sql) if is_ledger(TableName("", name))]


def restore(url: URL, files: Sequence[Path], *, first: str = "") -> None:
    """Run the scripts of a backup in the empty database at ``url``; the first error ends it.

    ``first`` is what each client runs before.
    """
    for path in files:
        options = ["--default-character-set=utf8mb4", str(url.database)]
        with _opened(path) as script:
            _run(_CLIENT, options, url, script=script, first=first)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.open(file) as script:
            yield cast("IO[bytes]", script)


class ScratchDatabase:
    """An empty database beside the one at ``url``, of the same character set and collation."""

    def __init__(self, url: URL, name: str = "") -> None:
        self._url = url
        self.name = name or f"datamig_scratch_{secrets.token_hex(6)}"

    def __enter__(self) -> URL:
        """Create it and return its URL."""
        charset, collation = asked(
            self._url, "SELECT @@character_set_database, @@collation_database"
        )[0]
        words = f"CHARACTER SET {charset} COLLATE {collation}"
        asked(self._url, f"CREATE DATABASE {quote(self.name)} {words}")
        return self._url.set(database=self.name)

    def __exit__(self, *exc: object) -> None:
        """Drop it."""
        asked(self._url, f"DROP DATABASE IF EXISTS {quote(self.name)}")


def asked(url: URL, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own."""
    import pymysql

    try:
        with driver.connect(url, readonly=False) as connection:
            return driver.query(connection, sql, ())
    except pymysql.err.Error as error:
        raise failures.translate(error) from error


def client() -> str:
    """Return the path of the client that runs scripts. Raises DriverMissingError."""
    return _program(_CLIENT)


def _program(names: Sequence[str]) -> str:
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise DriverMissingError(
        f"{names[0]} is not installed",
        hint="Install MariaDB's client programs (Debian: apt install mariadb-client).",
    )


@contextmanager
def _login(url: URL) -> Iterator[str]:
    """Yield the path of an option file that only its owner may read: no password on any argv."""
    arguments = driver.options(url)
    wanted = {
        "host": arguments["host"],
        "port": arguments["port"],
        "user": arguments["user"],
        "password": arguments["password"].decode(),
        "max_allowed_packet": driver.PACKET_BYTES,
    }
    wanted |= {word: arguments[name] for name, word in _URL_OPTIONS.items() if name in arguments}
    lines = ["[client]", *(f'{name}="{_escaped(str(value))}"' for name, value in wanted.items())]
    if arguments.get("ssl_disabled"):
        lines.append("skip-ssl")
    handle, path = tempfile.mkstemp(prefix="datamig-", suffix=".cnf")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        yield path
    finally:
        Path(path).unlink()


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in value)


def _run(
    names: Sequence[str],
    options: list[str],
    url: URL,
    *,
    script: IO[bytes] | None = None,
    first: str = "",
    to: IO[bytes] | None = None,
) -> bytes:
    """Run a program, its input and output passed on in blocks. Returns the end of its output."""
    program = _program(names)
    end = b""
    with _login(url) as login, tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [program, f"--defaults-file={login}", *options],
            stdin=subprocess.DEVNULL if script is None else subprocess.PIPE,
            stdout=subprocess.DEVNULL if to is None else subprocess.PIPE,
            stderr=complaints,
        )
        try:
            if script is not None and process.stdin is not None:
                _feed(first, script, process.stdin)
            while process.stdout is not None and (block := process.stdout.read(_BLOCK_BYTES)):
                end = (end + block)[-_END_BYTES:]
                cast("IO[bytes]", to).write(block)
        except BaseException:
            process.kill()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
            code = process.wait()
        complaints.seek(0)
        said = complaints.read(20_000).decode(errors="replace")
    if code:
        raise _failed(Path(program).name, code, said, url)
    return end


def _feed(first: str, script: IO[bytes], target: IO[bytes]) -> None:
    with suppress(BrokenPipeError), target:  # the program has ended, and its code says how
        target.write(first.encode())
        while block := script.read(_BLOCK_BYTES):
            target.write(block)


def _failed(name: str, code: int, text: str, url: URL) -> BackupError | DiskFullError:
    said = without_secrets(text.strip())
    if url.password:
        said = said.replace(str(url.password), "***")
    first = said[:500]
    if code < 0:
        return BackupError(
            f"{name} was killed (signal {-code})",
            hint="Was it the kernel, short of memory? Run again; nothing was kept of it.",
        )
    if "Errcode: 28" in said or "No space left on device" in said:
        return DiskFullError(
            f"{name} found no room: {first}",
            hint="Make room where the backup is written, then run again.",
        )
    return BackupError(
        f"{name} ended with {code}: {first}",
        hint="Read the message; run the same program by hand to see more.",
    )
