"""Columns, routes and COPY lines as tests of the data path need them."""

from datamig_pipelines.catalog import Column, Kind, Table, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import KeyPart, Projection
from datamig_pipelines.transfer import Route

TEXT = Type(Kind.TEXT)
INTEGER = Type(Kind.INTEGER, bits=64)
BLOB = Type(Kind.BLOB)
FLOAT = Type(Kind.FLOAT, bits=64)


def column(name: str, type_: Type, into: Type | None = None) -> Projection:
    """Return a plain column."""
    return Projection(name, f'"{name}"', type_, into or type_, type_.kind)


def columns(*types: Type) -> tuple[Projection, ...]:
    """Return columns c0, c1, … of these types."""
    return tuple(column(f"c{i}", t) for i, t in enumerate(types))


def route(
    *types: Type,
    sends: Wire = Wire.CELLS,
    takes: Wire = Wire.CELLS,
    keys: int = 1,
    batch_size: int = 10,
) -> Route:
    """Return a route of one table whose first columns are its key."""
    loaded = columns(*types)
    table = Table(TableName("", "t"), tuple(Column(c.name, c.type) for c in loaded))
    parts = tuple(KeyPart(c.sql, c.type) for c in loaded[:keys])
    names = tuple(c.name for c in loaded[:keys])
    return Route(table, table, loaded, sends, takes, parts, names, "", batch_size)


def copy_line(values: list[str | None]) -> bytes:
    """Return what PostgreSQL's COPY TO writes in its text format: the reference to hold against."""
    return b"\t".join(b"\\N" if v is None else _escaped(v) for v in values) + b"\n"


def _escaped(value: str) -> bytes:
    signs = {
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
    }
    return "".join(signs.get(c, c) for c in value).encode()


def csv_line(values: list[str | None]) -> bytes:
    """Return what PostgreSQL's COPY TO writes as CSV with FORCE_QUOTE *."""
    fields = ["" if v is None else '"' + v.replace('"', '""') + '"' for v in values]
    return ",".join(fields).encode() + b"\n"
