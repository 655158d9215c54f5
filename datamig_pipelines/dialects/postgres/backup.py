"""pg_dump, pg_restore and scratch databases."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.dumping import DumpOrder
from datamig_pipelines.dialects.postgres import driver, failures
from datamig_pipelines.dialects.postgres.naming import literal, quote
from datamig_pipelines.dialects.programs import feed, output, program
from datamig_pipelines.errors import (
    BackupError,
    DiskFullError,
    DriverMissingError,
    without_secrets,
)

_DUMP_FILE: Final = "postgresql.dump"
_ARCHIVE: Final = "--format=custom"
_SCHEMA: Final = ("--schema-only", "--file=-")
NO_SUBSCRIPTIONS: Final = "--no-subscriptions"
"""They stay where they are: a copy would hold its database open, or feed it."""
ABOUT_US: Final = (
    "SELECT current_setting('server_version_num')::int / 10000, "
    "rolsuper FROM pg_roles WHERE rolname = current_user"
)
"""The server's major version, and whether the user is a superuser."""
_ROLE: Final = re.compile(
    r"^(?:ALTER [^\n]* OWNER TO|(?:GRANT|REVOKE) [^\n]* (?:TO|FROM)"
    r"|ALTER DEFAULT PRIVILEGES FOR ROLE)"
    r' (?:([A-Za-z_][\w$]*)|"((?:[^"]|"")+)")',
    re.MULTILINE,
)
"""Who is named by statements that give something to somebody; too many are no harm."""
_FOLDERS: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin")


@dataclass(frozen=True, order=True)
class _Tool:
    """A program and its major version."""

    major: int
    path: str


def dump(url: URL, folder: Path, order: DumpOrder) -> list[Path]:
    """Write the database as one compressed archive or a folder.

    Our ledger is in it, for what leans on it (a view, an extension) could not be restored alone.

    Raises:
        BackupError: pg_dump is too old or failed; DiskFullError where it found no room.
        DriverMissingError: There is no pg_dump.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _DUMP_FILE
    options = [*_shape(order), f"--file={path}", *_wanted(url, order)]
    _run([tool("pg_dump", _server_major(url)), *options], url)
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _shape(order: DumpOrder) -> list[str]:
    """Return one archive, or a folder of files that several connections write at once."""
    if order.jobs > 1:
        return ["--format=directory", f"--jobs={order.jobs}"]
    return [_ARCHIVE]


def _wanted(url: URL, order: DumpOrder) -> list[str]:
    options = [f"--dbname={conninfo(url)}"]
    if order.snapshot:
        options.append(f"--snapshot={order.snapshot}")
    if order.only is not None:
        options += [f"--exclude-table={_pattern(name)}" for name in order.others]
    return options


def _pattern(name: TableName) -> str:
    """Return a pattern that means one relation: in quotes, no letter is a wildcard."""
    return f"{quote(name.schema)}.{quote(name.name)}"


def dump_tool(url: URL) -> str:
    """Return the version that pg_dump tells of itself."""
    path = tool("pg_dump", _server_major(url))
    done = subprocess.run([path, "--version"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def archive(files: Sequence[Path]) -> Path:
    """Return what pg_restore takes for the files of a backup: the one file, or their folder."""
    return files[0].parent if any(f.name == "toc.dat" for f in files) else files[0]


def restore(url: URL, files: Sequence[Path]) -> None:
    """Restore an archive into the empty database at ``url``; the first error ends it.

    Owners and grants are restored where the user is a superuser and the server has all roles, else
    everything becomes theirs.
    """
    path = _pg_restore(url)
    jobs = [f"--jobs={min(4, len(files))}"] if len(files) > 1 else []
    with tempfile.TemporaryFile() as script:
        with _program([path, *_SCHEMA, str(archive(files))], url, stdout=script.fileno()):
            pass
        owners = _owners(url, script)
    _run([path, *_into(url), *owners, *jobs, str(archive(files))], url)


def _pg_restore(url: URL) -> str:
    return tool("pg_restore", _server_major(url))


def _into(url: URL) -> list[str]:
    return [NO_SUBSCRIPTIONS, "--exit-on-error", f"--dbname={conninfo(url)}"]


def _owners(url: URL, script: BinaryIO) -> list[str]:
    """Return what `restore` says of owners and grants, by the definitions in an archive."""
    script.seek(0)
    named = (
        a or b.replace('""', '"') for a, b in _ROLE.findall(script.read().decode(errors="replace"))
    )
    roles = {role for role in named if role not in ("PUBLIC", "CURRENT_USER", "SESSION_USER")}
    known = {str(role) for (role,) in all_asked(url, "SELECT rolname FROM pg_roles")}
    _, superuser = asked(url, ABOUT_US)
    return [] if superuser and roles <= known else ["--no-owner", "--no-acl"]


class Streamed:
    """One archive on its way: pg_dump writes it to a pipe, pg_restore reads it from one."""

    names: tuple[str, ...] = (_DUMP_FILE,)
    parallel: bool = True

    def dumps(
        self, url: URL, order: DumpOrder
    ) -> Iterator[tuple[str, Generator[bytes, None, None]]]:
        """Yield the archive. Raises as `dump` does."""
        yield _DUMP_FILE, self._archive(url, order)

    def _archive(self, url: URL, order: DumpOrder) -> Generator[bytes, None, None]:
        argv = [tool("pg_dump", _server_major(url)), _ARCHIVE, *_wanted(url, order)]
        with _program(argv, url, stdout=subprocess.PIPE) as process:
            yield from output(process)

    def restore(self, url: URL, blocks: Iterator[bytes]) -> None:
        """Feed an archive to pg_restore. Raises as `restore` does.

        All definitions stand at an archive's head, which is kept in memory to be read twice.
        """
        path = _pg_restore(url)
        head: list[bytes] = []
        with tempfile.TemporaryFile() as script:
            argv = [path, *_SCHEMA]
            with _program(argv, url, stdin=subprocess.PIPE, stdout=script.fileno()) as process:
                feed(process, _noted(blocks, head))
            owners = _owners(url, script)
        with _program([path, *_into(url), *owners], url, stdin=subprocess.PIPE) as process:
            feed(process, chain(head, blocks))


def _noted(blocks: Iterator[bytes], head: list[bytes]) -> Iterator[bytes]:
    for block in blocks:
        head.append(block)
        yield block


class ScratchDatabase:
    """An empty database beside the one at ``url``, of its locale, and of the encoding of ``like``.

    Where these do not go together the locale is C, which goes with every encoding.
    """

    def __init__(self, url: URL, name: str = "", like: URL | None = None) -> None:
        self._url = url
        self._like = like or url
        self.name = name or f"datamig_scratch_{secrets.token_hex(6)}"

    def __enter__(self) -> URL:
        """Create it and return its URL."""
        encoding, collation, ctype, provider = asked(
            self._url,
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype, "
            "coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') "
            "FROM pg_database d WHERE datname = current_database()",
        )
        wanted = asked(self._like, "SELECT current_setting('server_encoding')")[0]
        locale = f" ENCODING {literal(wanted)}"
        if wanted != encoding:
            locale += " LC_COLLATE 'C' LC_CTYPE 'C'"
        elif provider == "c":
            locale += f" LC_COLLATE {literal(collation)} LC_CTYPE {literal(ctype)}"
        asked(self._url, f"CREATE DATABASE {quote(self.name)} TEMPLATE template0{locale}")
        return self._url.set(database=self.name)

    def __exit__(self, *exc: object) -> None:
        """Drop it, sessions in it included."""
        asked(self._url, f"DROP DATABASE IF EXISTS {quote(self.name)} WITH (FORCE)")


def asked(url: URL, sql: str) -> tuple[Any, ...]:
    """Run one statement on a connection of its own; return its first row, () where it has none."""
    rows = all_asked(url, sql)
    return rows[0] if rows else ()


def all_asked(url: URL, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement on a connection of its own and return its rows."""
    import psycopg

    try:
        with driver.connect(url, readonly=False) as connection:
            return driver.query(connection, sql, ())
    except psycopg.Error as error:
        raise failures.translate(error) from error


def _server_major(url: URL) -> int:
    return int(asked(url, "SELECT current_setting('server_version_num')::int / 10000")[0])


def tool(name: str, server: int) -> str:
    """Return the path of the oldest ``name`` that is not older than the server.

    A newer one would do, but may write settings that the server does not know yet.
    """
    found = sorted(_installed(name))
    if not found:
        msg = f"{name} is not installed"
        hint = "Install PostgreSQL's client programs (Debian: apt install postgresql-client)."
        raise DriverMissingError(msg, hint=hint)
    fitting = [found_one for found_one in found if found_one.major >= server]
    if not fitting:
        msg = f"{name} {found[-1].major} cannot serve PostgreSQL {server}: it is older"
        hint = f"Install version {server} (Debian: apt install postgresql-client-{server})."
        raise BackupError(msg, hint=hint)
    return fitting[0].path


def _installed(name: str) -> set[_Tool]:
    paths = {shutil.which(name)}
    for pattern in _FOLDERS:
        anchor = Path(Path(pattern).anchor)
        folders = anchor.glob(str(Path(pattern).relative_to(anchor)))
        paths |= {shutil.which(name, path=str(folder)) for folder in folders}
    tools = set()
    for path in filter(None, paths):
        major = _major(path, Path(path).stat().st_mtime_ns)
        if major:
            tools.add(_Tool(major, path))
    return tools


@cache
def _major(path: str, _: int) -> int:
    """Ask a program for its version, once for as long as its file is the same; 0: it says none."""
    said = subprocess.run([path, "--version"], check=False, capture_output=True, text=True)
    version = re.search(r"\s(\d+)", said.stdout)
    return int(version[1]) if said.returncode == 0 and version else 0


def conninfo(url: URL) -> str:
    """Return a connection string without the password."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo("", **driver.libpq_parameters(url))


def _run(argv: list[str], url: URL) -> None:
    with _program(argv, url):
        pass


def _program(
    argv: list[str], url: URL, **pipes: int
) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    name = Path(argv[0]).name

    def failed(code: int, said: str) -> Exception:
        return _failed(name, code, without(url.password, said))

    return program([argv[0], "--no-password", *argv[1:]], failed, env=environment(url), **pipes)


def _failed(name: str, code: int, said: str) -> BackupError | DiskFullError:
    first = next((line for line in said.splitlines() if "error:" in line), said[:500])
    if code < 0:
        return BackupError(
            f"{name} was killed (signal {-code})",
            hint="Was it the kernel, short of memory? Run again; nothing was kept of it.",
        )
    if "No space left on device" in said:
        msg = f"{name} found no room: {first}"
        return DiskFullError(msg, hint="Make room where the backup is written, then run again.")
    hint = "Read the message; run the same program by hand with --verbose to see more."
    return BackupError(f"{name} ended with {code}: {first}", hint=hint)


def environment(url: URL) -> dict[str, str]:
    """Return the environment of a client program: the password stands on no command line."""
    own = dict(os.environ) | {"PGAPPNAME": "datamig"}
    return own | {"PGPASSWORD": str(url.password)} if url.password else own


def without(password: object, text: str) -> str:
    """Return what a program said, without the password in any spelling."""
    clean = without_secrets(text)
    return clean.replace(str(password), "***") if password else clean
