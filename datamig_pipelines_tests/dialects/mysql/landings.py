"""Tables and landings as a plan would make them, without a plan."""

from datamig_pipelines.catalog import Column, Key, Kind, Table, TableName, Type
from datamig_pipelines.dialects.base import family
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.mysql import MySQL
from datamig_pipelines.dialects.reading import Landing, Projection
from datamig_pipelines.session import Session

DIALECT = MySQL()
NUMBER = Type(Kind.INTEGER, bits=64)


def column(name: str, type_: Type, *, nullable: bool = True, identity: bool = False) -> Column:
    """Return a target column for a source's type."""
    return Column(name, DIALECT.declare(type_)[0], nullable=nullable, identity=identity)


def table(*columns: Column, key: tuple[str, ...] = (), name: str = "t %s") -> Table:
    """Return a table; the name has a percent sign."""
    return Table(TableName("", name), columns, primary_key=Key("", key) if key else None)


def landing(made: Table, *types: Type, plain: bool = True) -> Landing:
    """Return a landing of all columns; ``types`` are what the source says that it sends."""
    given = types or tuple(c.type for c in made.columns)
    columns = tuple(
        Projection(c.name, DIALECT.quote(c.name), t, c.type, family(t), plain)
        for c, t in zip(made.columns, given, strict=True)
    )
    return Landing(made, columns, Wire.COPY_TEXT)


def create(session: Session, made: Table) -> None:
    """Create a table."""
    session.run(DIALECT.create_table(made, keys=False, foreign_keys=False))


def write(session: Session, where: Landing, *lines: str | bytes) -> None:
    """Write lines in a transaction."""
    with session.transaction():
        blocks = [(x.encode() if isinstance(x, str) else x) + b"\n" for x in lines]
        session.write(where, blocks)


def rows(session: Session, made: Table) -> list[tuple[object, ...]]:
    """Return the rows of a table in the order of its first column."""
    return session.query(f"SELECT * FROM {DIALECT.table(made.name)} ORDER BY 1")
