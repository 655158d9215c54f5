"""What a proof is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from datamig_pipelines.catalog import Table
from datamig_pipelines.differences import RowDiff
from datamig_pipelines.ledger import TableState
from datamig_pipelines.session import Session
from datamig_pipelines.transfer import Event, Route


class Verdict(StrEnum):
    """What a proof says. Only ``equal`` is green."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True)
class ProofResult(Event):
    """The outcome of one proof of one table; ``source`` and ``target`` are its two figures.

    ``diff`` is what differs row by row, None where nobody looked; its values are shown to people
    only if ``show_values``.
    """

    proof: str
    table: str
    verdict: Verdict
    source: str
    target: str
    detail: str = ""
    diff: RowDiff | None = None
    show_values: bool = False


@dataclass(frozen=True)
class Evidence:
    """What a proof may look at.

    ``source`` sees the snapshot that was loaded (or a new one when validating later), ``state`` is
    the ledger's account of the load, ``actual`` the table as the target's catalog has it now.
    ``alike`` says that one version of one engine rendered both catalogs, ``checks_refused`` that
    the target took the table without its checks, which was told.
    ``rejected`` are the keys of the rows that were rejected, as far as they are few enough.
    """

    route: Route
    source: Session
    target: Session
    state: TableState
    actual: Table | None = None
    alike: bool = False
    checks_refused: bool = False
    rejected: tuple[str, ...] = ()
    show_values: bool = False

    @property
    def source_table(self) -> str:
        """Return the quoted name of the source table."""
        return self.source.dialect.table(self.route.source.name)

    @property
    def target_table(self) -> str:
        """Return the quoted name of the target table."""
        return self.target.dialect.table(self.route.target.name)


class Proof(ABC):
    """Compares one thing of one table in source and target."""

    name: ClassVar[str]
    says: ClassVar[str]
    """What an ``equal`` means, in one sentence."""
    after_load: ClassVar[bool]
    """True: proven as soon as a table is loaded; False: after the constraints."""

    @abstractmethod
    def prove(self, evidence: Evidence) -> ProofResult:
        """Return the verdict."""

    def result(
        self, evidence: Evidence, verdict: Verdict, figures: tuple[str, str], detail: str = ""
    ) -> ProofResult:
        """Return a result of this proof for the evidence's table."""
        return ProofResult(self.name, evidence.route.name, verdict, figures[0], figures[1], detail)
