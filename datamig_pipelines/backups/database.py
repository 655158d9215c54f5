"""The database that is kept, all of it."""

from dataclasses import dataclass

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import Catalog
from datamig_pipelines.dialects.base import Dialect
from datamig_pipelines.session import Session


@dataclass(frozen=True)
class Database:
    """A database with all its schemas: a backup knows no smaller unit that stands by itself."""

    dialect: Dialect
    url: URL

    def open(self) -> Session:
        """Open a session that only reads."""
        return Session(self.dialect, self.url, readonly=True)

    def catalog(self, session: Session) -> Catalog:
        """Read what is there now, in every schema."""
        return self.dialect.read_catalog(session, "*" if self.dialect.can.schemas else "")

    def size(self, catalog: Catalog) -> int:
        """Return the bytes that a backup of it has to read."""
        return max(self.dialect.file_bytes(self.url), sum(t.bytes for t in catalog.tables))

    def __str__(self) -> str:
        """Return the URL without its password."""
        return self.url.render_as_string(hide_password=True)
