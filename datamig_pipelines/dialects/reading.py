"""What is read: neutral descriptions that a dialect turns into its own SELECT."""

from dataclasses import dataclass

from datamig_pipelines.catalog import Kind, Table, TableName, Type
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.errors import KeyUnsupportedError

Cell = None | int | float | str | bytes
Row = bytes | tuple[Cell, ...]


@dataclass(frozen=True)
class Compared:
    """One column of a fingerprint: an expression, what it holds, and the form to compare it in."""

    sql: str
    held: Type
    compare: Kind


@dataclass(frozen=True)
class Cast:
    """What a value becomes in a column that changes it as a cast does, in the source's own SQL."""

    sql: str
    held: Type


@dataclass(frozen=True)
class Projection:
    """One column on its way.

    ``sql`` is the expression in the source's SQL (a quoted column or the user's expression),
    ``type`` what it yields there, ``name`` the target column and ``into`` what that column holds.
    ``compare`` is the form in which a proof compares both sides; None: it cannot. ``plain`` says
    that ``sql`` is a bare column. ``cast`` stands in for the value where a proof reads the source:
    set where the target's column rounds, cuts or parses what it is sent.
    """

    name: str
    sql: str
    type: Type
    into: Type
    compare: Kind | None
    plain: bool = True
    cast: Cast | None = None

    def there(self, form: Kind) -> Compared:
        """Return the source's side of a comparison in one form: the value as it has to arrive."""
        arrives = self.cast or Cast(self.sql, self.type)
        return Compared(arrives.sql, arrives.held, form)

    def here(self, quoted: str, form: Kind) -> Compared:
        """Return the target's side; ``quoted`` is the name of the column there."""
        return Compared(quoted, self.into, form)


_DIGITS = 1000
"""Of a decimal that does not say how many it has; PostgreSQL's declared ones have no more."""


@dataclass(frozen=True)
class KeyPart:
    """One column of the key that a table is read in order of; ``sql`` is its quoted name."""

    sql: str
    type: Type

    def holds(self, text: str) -> bool:
        """Say whether an integer, as text, lies within the bounds of this integer column."""
        least, most = self.ends
        return least <= int(text) <= most

    @property
    def ends(self) -> tuple[int, int]:
        """Return the least and the largest whole number that this column of numbers holds."""
        if self.type.kind is Kind.DECIMAL:
            largest = 10 ** (self.type.precision or _DIGITS)
            return 1 - largest, largest - 1
        bits = self.type.bits or 64
        if self.type.unsigned:
            return 0, (1 << bits) - 1
        return -(1 << bits - 1), (1 << bits - 1) - 1

    def may_be(self, value: int) -> bool:
        """Say whether the column may hold an integer; one of decimals holds infinity, too."""
        return self.type.kind is not Kind.INTEGER or self.holds(str(value))


@dataclass(frozen=True)
class Read:
    """One ordered stream over one table, or over a range of it.

    ``after`` holds the canonical text of the key of the last row already loaded, one per key part;
    None starts at the beginning. ``upto`` is the key of the last row wanted; None: to the end.
    ``pages`` is the range (first page, page behind the last; None: to the end) of a table that has
    no key, where the engine has them. ``exactly`` is the key of the one row wanted. On the wire
    ``cells`` the key parts follow the columns, hidden.
    """

    table: TableName
    columns: tuple[Projection, ...]
    wire: Wire
    key: tuple[KeyPart, ...] = ()
    where: str = ""
    after: tuple[str, ...] | None = None
    upto: tuple[str, ...] | None = None
    pages: tuple[int, int | None] | None = None
    exactly: tuple[str, ...] | None = None

    def refuse_pages(self) -> None:
        """Raise KeyUnsupportedError for a range of pages: to be called where there are none."""
        if self.pages is not None:
            msg = f"{self.table} has no pages that could be read apart"
            raise KeyUnsupportedError(msg, hint="Read it as one stream.")


@dataclass(frozen=True)
class Fingerprint:
    r"""An order-free checksum of rows: their number and the sum of one 60-bit hash per row.

    The hash of a row is the first 15 hex digits of the MD5 of its canonical cells, joined by
    ``\x1f``, NULL written as ``\x1e``; it has the same value on every engine.
    """

    rows: int
    total: int

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        """Return the fingerprint of both sets of rows together."""
        return Fingerprint(self.rows + other.rows, self.total + other.total)

    def __sub__(self, other: "Fingerprint") -> "Fingerprint":
        """Return the fingerprint of the rows that are not among the other's."""
        return Fingerprint(self.rows - other.rows, self.total - other.total)

    def __str__(self) -> str:
        """Return rows and checksum as they stand in the ledger."""
        return f"{self.rows}:{self.total:x}"


@dataclass(frozen=True)
class Landing:
    """Where rows land: the target table, its loaded columns in order, and the wire."""

    table: Table
    columns: tuple[Projection, ...]
    wire: Wire

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the loaded columns, in order."""
        return tuple(c.name for c in self.columns)
