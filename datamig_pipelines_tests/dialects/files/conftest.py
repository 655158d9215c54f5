"""Folders of files, an S3 that is none, and whole migrations from or into them."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects import get_dialect
from datamig_pipelines.session import Session
from datamig_pipelines_tests.conformance.moving import Moved, migration, move

Bucket = Callable[..., str]
Moving = Callable[..., Moved]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for files."""
    made = tmp_path / "exports"
    made.mkdir()
    return made


@pytest.fixture
def moving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Moving:
    """Run a whole migration between two URLs."""
    return lambda source, target, **said: move(
        migration(source, target, tmp_path, monkeypatch, **said)
    )


def opened(url: str, *, readonly: bool = True) -> Session:
    """Return a session on files."""
    return Session(get_dialect(make_url(url)), make_url(url), readonly=readonly)


def rows(url: str, table: str) -> list[tuple[Any, ...]]:
    """Return the columns and the rows of a table of files, as DuckDB gives them."""
    with opened(url) as session:
        found = session.dialect.read_catalog(session, "")
        columns = next(t.columns for t in found.tables if t.name.name == table)
        names = ", ".join(session.dialect.quote(c.name) for c in columns)
        return session.query(f'SELECT {names} FROM "{table}"')


def types(url: str, table: str) -> dict[str, str]:
    """Return the types of the columns of a table of files."""
    with opened(url) as session:
        found = session.dialect.read_catalog(session, "")
        columns = next(t.columns for t in found.tables if t.name.name == table)
        return {c.name: c.type.native for c in columns}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of moto's S3: a stand-in for the real thing."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Put files into a fresh bucket, by key; return ``s3://bucket``'s host part."""
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-somebody")

    def put(**files: bytes) -> str:
        _send(s3_endpoint, "POST", "/moto-api/reset")
        _send(s3_endpoint, "PUT", "/exports")
        for key, data in files.items():
            _send(s3_endpoint, "PUT", f"/exports/{key}", data)
        return "exports"

    return put


def _send(endpoint: str, method: str, path: str, data: bytes = b"") -> None:
    address = urlsplit(endpoint)
    with closing(HTTPConnection(address.hostname or "", address.port)) as line:
        line.request(method, path, data)
        answer = line.getresponse()
        assert answer.status == HTTPStatus.OK, answer.read()
