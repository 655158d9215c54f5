"""What a fault is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from datamig_pipelines.catalog import Table
from datamig_pipelines.dialects.tampering import Harm
from datamig_pipelines.session import Session
from datamig_pipelines.transfer import Route


@dataclass(frozen=True)
class Scene:
    """A loaded table of a scratch copy; ``table`` is what its catalog says now."""

    route: Route
    table: Table
    session: Session

    @property
    def name(self) -> str:
        """Return the quoted name of the table."""
        return self.session.dialect.table(self.table.name)

    def counted(self, where: str = "") -> int:
        """Return how many rows a condition is true for."""
        return int(self.session.query(self.session.dialect.count(self.name, where))[0][0])

    def loaded(self) -> list[str]:
        """Return the columns that can be written."""
        return [c.name for c in self.table.columns if c.generated is None]


class Fault(ABC):
    """Something that can go wrong with a table, and the proof that has to find it.

    ``proof`` is a proof's name.
    """

    name: str
    says: str
    proof: str
    guarded: ClassVar[bool] = True
    """References and triggers of the table have to be off while it is planted."""

    @abstractmethod
    def places(self, route: Route, table: Table) -> Iterator[str]:
        """Return where in a table it can be: columns, keys, indexes; the table itself is ''."""

    def word(self, place: str) -> str:
        """Return what the detail of the proof has to name."""
        return place

    @abstractmethod
    def harm(self, scene: Scene, place: str) -> Harm | None:
        """Return the statements that plant it there; None: nothing would change, or none can."""
