"""Encryption on the way to a server that offers it, and to one that does not."""

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.session import Session
from datamig_pipelines_tests.engines import MariadbServer, find_program


class TlsServer(MariadbServer):
    """A MariaDB with a certificate that it signed itself."""

    programs = (*MariadbServer.programs, "openssl")

    def initialise(self) -> None:
        """Make the certificate, too."""
        super().initialise()
        files = ["-keyout", str(self.folder / "key.pem"), "-out", str(self.folder / "cert.pem")]
        kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
        self._run([str(find_program("openssl")), "req", *kind, *files], as_server=True)

    def command(self, port: int) -> list[str]:
        """Offer TLS."""
        files = {"cert": self.folder / "cert.pem", "key": self.folder / "key.pem"}
        return [*super().command(port), *(f"--ssl-{name}={file}" for name, file in files.items())]


@pytest.fixture
def tls_url() -> Iterator[str]:
    """A database of a server that offers TLS."""
    if reason := TlsServer.missing():
        pytest.skip(reason)
    server = TlsServer()
    try:
        with server.database() as url:
            yield url
    finally:
        server.remove()


def _cipher(url: str, **options: str) -> str:
    address = make_url(url).update_query_dict(options)
    with Session(MySQL(), address, readonly=True) as session:
        return session.query("SHOW STATUS LIKE 'Ssl_cipher'")[0][1]


def test_tls_is_taken_where_it_is_offered(tls_url: str) -> None:
    """A URL that says nothing of TLS gets an encrypted session; ssl_disabled=true gets none."""
    assert _cipher(tls_url).startswith("TLS_")
    assert not _cipher(tls_url, ssl_disabled="true")


def test_tls_is_not_demanded(mariadb_url: str) -> None:
    """A URL that says nothing of TLS connects to a server that has none."""
    assert not _cipher(mariadb_url)
