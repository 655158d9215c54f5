"""What a suite is judged on: the rows of a source table that are moved, or a target table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy.engine import URL

from datamig_pipelines.catalog import Table, TableName
from datamig_pipelines.dialects import Dialect, get_dialect
from datamig_pipelines.dialects.profiling import moved_rows
from datamig_pipelines.expectations.suite import NotJudged
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration, Side, Suite
from datamig_pipelines.transfer import Route


@dataclass(frozen=True)
class Subject:
    """A table as its catalog spells it, or the rows of it that ``where`` is true for.

    ``names`` maps columns of the source to their names here, where these differ. ``session`` is
    one that is open already: some engines' files can be opened by one session only.
    """

    dialect: Dialect
    url: URL
    table: TableName
    columns: tuple[str, ...]
    where: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    session: Session | None = None

    def select(self, columns: tuple[str, ...] = ()) -> str:
        """Return the SELECT of its rows."""
        return moved_rows(self.dialect, self.table, columns, self.where)

    def name_of(self, column: object) -> object:
        """Return what a column that a suite names is called here."""
        if isinstance(column, str) and column not in self.columns:
            return self.names.get(column, column)
        return column


def subject_of(
    migration: Migration,
    suite: Suite,
    side: Side,
    route: Route | None = None,
    session: Session | None = None,
) -> Subject:
    """Return what a suite is judged on; without a route (no plan is known) by the spec alone.

    Raises:
        NotJudged: There is no such table.
        EngineError: The database does not answer.
    """
    if side == "before":
        return _source(migration, suite, route, session)
    url = migration.target_url()
    dialect = get_dialect(url)
    if dialect.file_missing(url):
        raise NotJudged("the target does not exist yet")
    wanted = route.target.name if route else _name(migration, suite, dialect.default_schema(url))
    found = _find(dialect, url, wanted, session)
    if found is None:
        raise NotJudged(f"the target has no table {wanted}")
    columns = tuple(c.name for c in found.columns)
    names = _renamed(route, get_dialect(migration.source_url())) if route else {}
    return Subject(dialect, url, found.name, columns, "", names, session)


def _source(
    migration: Migration, suite: Suite, route: Route | None, session: Session | None
) -> Subject:
    if route is None:
        raise NotJudged(f"{suite.table} is not moved")
    url = migration.source_url()
    columns = tuple(c.name for c in route.source.columns)
    dialect = get_dialect(url)
    return Subject(dialect, url, route.source.name, columns, route.where, session=session)


def digest_of(migration: Migration, suite: Suite, route: Route | None) -> str:
    """Return what stays the same as long as a suite asks the same of the same place."""
    source = migration.source_url().render_as_string(hide_password=True)
    told = (migration.path(suite.file).read_bytes().hex(), source, suite.table, str(suite.blocking))
    moved = (str(route.source.name), route.where) if route else ()
    return sha256("\n".join((*told, *moved)).encode()).hexdigest()[:16]


def _name(migration: Migration, suite: Suite, default_schema: str) -> TableName:
    spec = migration.table_spec(suite.table)
    short = (spec.rename if spec else None) or suite.table.rpartition(".")[2]
    return TableName(migration.target.schema_name or default_schema, short)


def _find(dialect: Dialect, url: URL, wanted: TableName, session: Session | None) -> Table | None:
    if session is not None:
        there = dialect.read_catalog(session, wanted.schema).tables
    else:
        with Session(dialect, url, readonly=True) as own:
            there = dialect.read_catalog(own, wanted.schema).tables
    same = [t for t in there if t.name == wanted] or [
        t for t in there if t.name.name.lower() == wanted.name.lower()
    ]
    return same[0] if len(same) == 1 else None


def _renamed(route: Route, source: Dialect) -> dict[str, str]:
    """Return source column → target column for what arrives under another name."""
    quoted = {source.quote(c.name): c.name for c in route.source.columns}
    plain = {quoted[p.sql]: p.name for p in route.columns if p.plain and p.sql in quoted}
    return {column: name for column, name in plain.items() if column != name}
