"""mariadb-dump (mysqldump), the client that reads it back, and scratch databases."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.mysql import driver, failures
from datamig_pipelines.dialects.mysql.names import quote
from datamig_pipelines.errors import (
    BackupError,
    DiskFullError,
    DriverMissingError,
    without_secrets,
)

_DUMP_FILE: Final = "mysql.sql"
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
_URL_OPTIONS: Final = {
    "unix_socket": "socket",
    "ssl_ca": "ssl-ca",
    "ssl_cert": "ssl-cert",
    "ssl_key": "ssl-key",
}
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def dump(url: URL, folder: Path) -> list[Path]:
    """Write the whole database, the tables of our ledger excepted, as one SQL script.

    Raises:
        BackupError: The program failed; DiskFullError where it found no room.
        DriverMissingError: There is no such program.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _DUMP_FILE
    path.touch(mode=0o600)
    own = _asked(
        url,
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND LEFT(table_name, 8) = 'datamig_'",
    )
    ignored = [f"--ignore-table={url.database}.{name}" for (name,) in own]
    _run(_DUMP, [*_OPTIONS, *ignored, f"--result-file={path}", str(url.database)], url, None)
    return [path]


def restore(url: URL, files: Sequence[Path]) -> None:
    """Run the scripts of a backup in the empty database at ``url``; the first error ends it."""
    for path in files:
        _run(_CLIENT, ["--default-character-set=utf8mb4", str(url.database)], url, path)


class ScratchDatabase:
    """An empty database beside the one at ``url``, of the same character set and collation."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self.name = f"datamig_scratch_{secrets.token_hex(6)}"

    def __enter__(self) -> URL:
        """Create it and return its URL."""
        charset, collation = _asked(
            self._url, "SELECT @@character_set_database, @@collation_database"
        )[0]
        words = f"CHARACTER SET {charset} COLLATE {collation}"
        _asked(self._url, f"CREATE DATABASE {quote(self.name)} {words}")
        return self._url.set(database=self.name)

    def __exit__(self, *exc: object) -> None:
        """Drop it."""
        _asked(self._url, f"DROP DATABASE IF EXISTS {quote(self.name)}")


def _asked(url: URL, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own."""
    import pymysql

    try:
        with driver.connect(url, readonly=False) as connection:
            return driver.query(connection, sql, ())
    except pymysql.err.Error as error:
        raise failures.translate(error) from error


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


def _run(names: Sequence[str], options: list[str], url: URL, script: Path | None) -> None:
    program = _program(names)
    with _login(url) as login, _opened(script) as lines:
        done = subprocess.run(
            [program, f"--defaults-file={login}", *options],
            check=False,
            stdin=lines,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    if done.returncode == 0:
        return
    said = without_secrets(done.stderr.decode(errors="replace").strip())
    if url.password:
        said = said.replace(str(url.password), "***")
    name, first = Path(program).name, said[:500]
    if "Errcode: 28" in said or "No space left on device" in said:
        raise DiskFullError(
            f"{name} found no room: {first}",
            hint="Make room where the backup is written, then run again.",
        )
    raise BackupError(
        f"{name} ended with {done.returncode}: {first}",
        hint="Read the message; run the same program by hand to see more.",
    )


@contextmanager
def _opened(script: Path | None) -> Iterator[Any]:
    if script is None:
        yield subprocess.DEVNULL
        return
    with script.open("rb") as lines:
        yield lines
