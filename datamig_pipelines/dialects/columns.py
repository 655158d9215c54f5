"""Rows as columns: what the wire ``arrow`` carries out of a source."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from typing_extensions import override

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.reading import Projection, Row

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBERS = {Kind.INTEGER, Kind.YEAR, Kind.DECIMAL, Kind.FLOAT}


class Columns(Sequence[Row]):
    """Consecutive rows held as an Arrow table; each row is the tuple of cells that it stands for.

    The key parts follow the columns, as on the wire ``cells``. Only integers, doubles, valid UTF-8
    strings and binary occur. A slice copies nothing.
    """

    __slots__ = ("lines", "places", "table")

    def __init__(self, table: "pa.Table", places: Sequence[int] = ()) -> None:
        """Take a table as it is; ``places`` are where the cells of a row stand in it, in order."""
        self.table = table
        self.places = tuple(places) or tuple(range(table.num_columns))
        self.lines: list[bytes] | None = None
        """The rows as COPY text, kept by whoever wrote them first; an encoder's and a digest's."""

    @override
    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> "Columns": ...
    @override
    def __getitem__(self, at: int | slice) -> "Row | Columns":
        if isinstance(at, slice):
            start, stop, _ = at.indices(len(self))
            return Columns(self.table.slice(start, max(0, stop - start)), self.places)
        place = at if at >= 0 else len(self) + at
        if not 0 <= place < len(self):
            raise IndexError(at)
        return tuple(self.table.column(i)[place].as_py() for i in self.places)

    @property
    def bytes(self) -> int:
        """Return what the rows take in memory."""
        return int(self.table.nbytes)

    def picked(self, indexes: Sequence[int]) -> "Columns":
        """Return the rows at some indexes, in order."""
        import pyarrow as pa

        return Columns(self.table.take(pa.array(indexes, type=pa.int64())), self.places)

    def rows(self) -> list[Row]:
        """Return the rows as tuples of cells."""
        cells = [c.to_pylist() for c in self.table.columns]
        return list(zip(*(cells[i] for i in self.places), strict=True))


def joined(parts: "Sequence[list[Row] | Columns]") -> "list[Row] | Columns":
    """Return parts of one stream as one; columns stay columns if there is nothing else."""
    import pyarrow as pa

    held = [p for p in parts if isinstance(p, Columns)]
    if len(held) == len(parts):
        whole = held[0].table if len(held) == 1 else pa.concat_tables([p.table for p in held])
        return Columns(whole, held[0].places)
    rows: list[Row] = []
    for part in parts:
        rows += part.rows() if isinstance(part, Columns) else part
    return rows


def carries(column: Projection) -> bool:
    """Say whether a whole column's cells reach its target as they are, with no look at each.

    A fraction on its way into an integer column has to be found, and numbers have a text of their
    own in a text column; such a table travels as cells.
    """
    held, into = column.type.kind, column.into.kind
    if into in (Kind.INTEGER, Kind.YEAR):
        return held in (Kind.INTEGER, Kind.YEAR, Kind.BOOLEAN)
    if held is Kind.FLOAT:
        return into is Kind.FLOAT
    if held is Kind.DECIMAL:
        return into in (Kind.DECIMAL, Kind.FLOAT)
    return into not in (Kind.DECIMAL, Kind.FLOAT) or held in _NUMBERS
