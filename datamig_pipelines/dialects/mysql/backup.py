"""mariadb-dump (mysqldump), the client that reads it back, and scratch databases."""

import os
import secrets
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from itertools import chain
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Final

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName, is_ledger
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.dialects.mysql import driver, failures
from datamig_pipelines.dialects.mysql.names import quote
from datamig_pipelines.dialects.programs import BLOCK_BYTES, feed, output, program
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
_HISTORY: Final = "--dump-history"
_VERSIONED: Final = (
    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() "
    "AND table_type = 'SYSTEM VERSIONED' LIMIT 1"
)
_LEVEL: Final = 1
_GZIP: Final = 31
"""What zlib calls a gzip file."""
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
    written = []
    for name, blocks in Streamed().dumps(url, order):
        path = folder / name
        path.touch(mode=0o600)
        with path.open("wb") as file, closing(blocks):
            file.writelines(blocks)
        written.append(path)
    return written


class Streamed:
    """Compressed scripts on their way: from the dump program, to the client."""

    names: tuple[str, ...] = (LEDGER_FILE, _DUMP_FILE)
    parallel: bool = False

    def dumps(
        self, url: URL, order: DumpOrder
    ) -> Iterator[tuple[str, Generator[bytes, None, None]]]:
        """Yield the scripts. Raises as `dump` does."""
        own, database = ledger_tables(url), str(url.database)
        if own and order.only is None:
            yield LEDGER_FILE, _script(url, ["--no-data", database, *own])
        ignored = [f"--ignore-table={database}.{name}" for name in own]
        if order.only is not None:
            ignored += [f"--ignore-table={database}.{name.name}" for name in order.others]
        history = [_HISTORY] if keeps_history() and asked(url, _VERSIONED) else []
        yield _DUMP_FILE, _script(url, [*_OPTIONS, *history, *ignored, database])

    def restore(self, url: URL, blocks: Iterator[bytes]) -> None:
        """Run a compressed script. Raises as `restore` does."""
        _run_script(url, _plain(blocks))


def _script(url: URL, options: list[str]) -> Generator[bytes, None, None]:
    """Yield what the dump program says, through gzip, and see that it came to its end."""
    packer, end = zlib.compressobj(_LEVEL, wbits=_GZIP), b""
    with _client(_DUMP, options, url, stdout=PIPE) as process:
        for block in output(process):
            end = (end + block)[-_END_BYTES:]
            yield packer.compress(block)
    if b"-- Dump completed" not in end:
        msg = "the dump has no end: the program stopped before it was through"
        raise BackupError(msg, hint="Run again; nothing was kept of it.")
    yield packer.flush()


def dump_tool() -> str:
    """Return the version that the dump program tells of itself."""
    done = subprocess.run(
        [_program(_DUMP), "--version"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip().rpartition("/")[2]


def keeps_history() -> bool:
    """Say whether the dump program knows how to keep the past of system-versioned tables."""
    return _HISTORY in _help_of(_program(_DUMP))


@cache
def _help_of(path: str) -> str:
    done = subprocess.run([path, "--help"], check=False, capture_output=True, text=True)
    return done.stdout


def ledger_tables(url: URL) -> list[str]:
    """Return the names of our ledger's tables in a database."""
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    return [name for (name,) in asked(url, sql) if is_ledger(TableName("", name))]


def restore(url: URL, files: Sequence[Path], *, first: str = "") -> None:
    """Run the scripts of a backup in the empty database at ``url``; the first error ends it.

    ``first`` is what each client runs before.
    """
    for path in files:
        with path.open("rb") as file:
            blocks = iter(partial(file.read, BLOCK_BYTES), b"")
            script = _plain(blocks) if path.suffix == ".gz" else blocks
            _run_script(url, chain([first.encode()], script))


def _run_script(url: URL, script: Iterable[bytes]) -> None:
    options = ["--default-character-set=utf8mb4", str(url.database)]
    with _client(_CLIENT, options, url, stdin=PIPE) as process:
        feed(process, script)


def _plain(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack a script, block by block. Raises BackupError if it is not whole."""
    unpacker = zlib.decompressobj(wbits=_GZIP)
    try:
        for block in blocks:
            rest = block
            while rest:
                yield unpacker.decompress(rest, BLOCK_BYTES)
                rest = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise _not_whole(str(error)) from error
    if not unpacker.eof:
        raise _not_whole("it ends too early")


def _not_whole(why: str) -> BackupError:
    hint = "Use another backup, or run again."
    return BackupError(f"the script cannot be unpacked: {why}", hint=hint)


class ScratchDatabase:
    """An empty database beside the one at ``url``, of character set and collation of ``like``."""

    def __init__(self, url: URL, name: str = "", like: URL | None = None) -> None:
        self._url = url
        self._like = like or url
        self.name = name or f"datamig_scratch_{secrets.token_hex(6)}"

    def __enter__(self) -> URL:
        """Create it and return its URL."""
        charset, collation = asked(
            self._like, "SELECT @@character_set_database, @@collation_database"
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


@contextmanager
def _client(
    names: Sequence[str],
    options: list[str],
    url: URL,
    *,
    stdin: int = DEVNULL,
    stdout: int = DEVNULL,
) -> "Iterator[Popen[bytes]]":
    path = _program(names)

    def failed(code: int, said: str) -> Exception:
        return _failed(Path(path).name, code, said, url)

    with (
        _login(url) as login,
        program(
            [path, f"--defaults-file={login}", *options], failed, stdin=stdin, stdout=stdout
        ) as process,
    ):
        yield process


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
