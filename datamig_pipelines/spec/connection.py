"""Where a database is, and where its password is not."""

import os
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from pydantic import Field, PrivateAttr, model_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from datamig_pipelines.errors import MissingSecretError, UnknownEngineError
from datamig_pipelines.spec.model import SpecModel

FILE_ENGINES = ("sqlite", "duckdb", "csv", "parquet")
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
_HERE = ("", "localhost", "127.0.0.1", "::1", "[::1]")
_SOCKETS = (
    *("/tmp", "/run/postgresql", "/var/run/postgresql"),  # noqa: S108 (PostgreSQL's own default)
    *("/run/mysqld/mysqld.sock", "/var/run/mysqld/mysqld.sock", "/tmp/mysql.sock"),  # noqa: S108 (as above)
)


class Connection(SpecModel):
    """One database, by URL or by the name of the environment variable that holds its URL."""

    url: str | None = Field(
        default=None,
        description="URL without a password: sqlite:///shop.db, postgresql://me@host/db. "
        "A relative file is relative to the YAML file.",
    )
    url_env: str | None = Field(
        default=None, description="Name of the environment variable that holds the URL."
    )
    schema_name: str = Field(
        default="",
        alias="schema",
        description="Schema; '' is the engine's default, '*' is all of them.",
    )

    _elsewhere: URL | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            msg = "write either url or url_env"
            raise ValueError(msg)
        if self.url is not None and _has_password(_parse(self.url)):
            raise ValueError(
                "a URL with a password does not belong into a file; "
                "put it into an environment variable and write url_env"
            )
        return self

    def at(self, url: URL) -> Self:
        """Return this connection to another database, whose URL stays in memory: no dump has it."""
        copy = self.model_copy()
        copy._elsewhere = url  # noqa: SLF001 (a copy of ourselves)
        return copy

    def resolve(self, base: Path) -> URL:
        """Return the URL; files become absolute below ``base``.

        Raises:
            MissingSecretError: The environment variable is not set.
            UnknownEngineError: It is no URL.
        """
        if self._elsewhere is not None:
            return self._elsewhere
        text = self.url
        if self.url_env is not None:
            text = os.environ.get(self.url_env)
            if not text:
                msg = f"the environment variable {self.url_env} is not set"
                example = "postgresql://user:password@host/database"
                hint = f"export {self.url_env}='{example}' and run again."
                raise MissingSecretError(msg, hint=hint)
        try:
            url = _parse(text or "")
        except ValueError as error:
            raise UnknownEngineError(
                str(error), hint="Write engine://user@host:port/database, or sqlite:///file.db."
            ) from None
        local = url.get_backend_name() in FILE_ENGINES and not url.host  # a host is a bucket
        if local and url.database not in (None, "", ":memory:"):
            return url.set(database=str((base / url.database).resolve()))
        return url


def _has_password(url: URL) -> bool:
    return url.password is not None or any("passw" in option.lower() for option in url.query)


def _parse(text: str) -> URL:
    try:
        return make_url(text)
    except ArgumentError:
        msg = "this is no database URL"
        raise ValueError(msg) from None


def address(url: URL) -> tuple[str, str, int | None, str | None]:
    """Return engine, host, port and database: equal where two URLs are one database for sure.

    ``localhost``, ``127.0.0.1``, ``::1``, no host and the engine's usual socket are one host, and
    no port is the usual one; user, driver and options do not count.
    """
    engine = url.get_backend_name()
    if engine in FILE_ENGINES:
        return engine, "", None, url.database
    asked = {name: str(value) for name, value in url.query.items()}
    host = unquote(asked.get("unix_socket") or url.host or asked.get("host") or "").casefold()
    port = url.port or int(asked.get("port") or _PORTS.get(engine, 0))
    if host in _HERE or host.rstrip("/") in _SOCKETS:
        host = ""
    return engine, host, port, url.database or url.username
