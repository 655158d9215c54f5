"""A table on its way: what is read, in which order, on which wire, and where it lands."""

from dataclasses import dataclass

from datamig_pipelines.catalog import Table
from datamig_pipelines.dialects.capabilities import Wire
from datamig_pipelines.dialects.reading import KeyPart, Landing, Projection, Read


@dataclass(frozen=True)
class Route:
    """The plan of one table's load.

    ``sends`` is the wire out of the source, ``takes`` the wire into the target. ``key_names`` are
    the source columns behind ``key``; an empty key means streams in the engine's own order, for the
    reason in ``key_reason``. ``transform`` is the user's function, ``module.name``. ``computed``
    are columns that the target generates itself: nobody loads them, proofs compare them.
    ``shards`` is how many parts the table is cut into, as far as the estimate of its rows is true.
    """

    source: Table
    target: Table
    columns: tuple[Projection, ...]
    sends: Wire
    takes: Wire
    key: tuple[KeyPart, ...]
    key_names: tuple[str, ...]
    key_reason: str
    batch_size: int
    where: str = ""
    transform: str = ""
    computed: tuple[Projection, ...] = ()
    shards: int = 1

    @property
    def name(self) -> str:
        """Return the table's name in the source, as specs, events and the ledger call it."""
        return str(self.source.name)

    def read(
        self,
        after: tuple[str, ...] | None = None,
        upto: tuple[str, ...] | None = None,
        pages: tuple[int, int | None] | None = None,
    ) -> Read:
        """Return the stream of the keys in (after, upto], or of some pages; None: an open end."""
        name, columns = self.source.name, self.columns
        return Read(name, columns, self.sends, self.key, self.where, after, upto, pages)

    def read_row(self, key: tuple[str, ...]) -> Read:
        """Return the stream of the one row of a key."""
        return Read(self.source.name, self.columns, self.sends, self.key, self.where, exactly=key)

    def landing(self) -> Landing:
        """Return where the rows land."""
        return Landing(self.target, self.columns, self.takes)

    def describe(self) -> str:
        """Return the route in a few words: ``copy_text → arrow, by id``."""
        cut = f"in {self.shards} shards " if self.shards > 1 else ""
        order = (
            f"{cut}by {', '.join(self.key_names)}"
            if self.key_names
            else f"one stream ({self.key_reason})"
        )
        via = f" → {self.transform}" if self.transform else ""
        return f"{self.sends.value}{via} → {self.takes.value}, {order}"
