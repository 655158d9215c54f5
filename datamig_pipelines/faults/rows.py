"""Faults of rows: too few, too many, or pointing nowhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from datamig_pipelines.catalog import Kind, Table
from datamig_pipelines.dialects.tampering import Harm
from datamig_pipelines.faults.fault import Fault, Scene
from datamig_pipelines.transfer import Route


@dataclass(frozen=True)
class RowsLost(Fault):
    """Rows are gone: one, or a share of all."""

    name: str
    says: str
    share: float = 0.0
    proof: str = "row_count"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        yield ""

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        there = scene.counted()
        if not there:
            return None
        rows = max(1, int(there * self.share))
        return Harm((scene.session.dialect.drop_rows(scene.table, rows),))


@dataclass(frozen=True)
class RowsDoubled(Fault):
    """Rows of a table that no key guards are there twice; with ``lost``, as many others are gone.

    Then number of rows is as before.
    """

    name: str
    says: str
    share: float = 0.0
    lost: bool = False
    proof: str = "row_count"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        if not (table.primary_key or table.uniques or any(i.unique for i in table.indexes)):
            yield ""

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        dialect, there = scene.session.dialect, scene.counted()
        columns = scene.loaded()
        if not there:
            return None
        rows = max(1, int(there * self.share))
        doubled = dialect.copy_rows(scene.table, columns, {}, rows)
        if not self.lost:
            return Harm((doubled,))
        if scene.session.query(dialect.distinct_rows(scene.table, columns))[0][0] < there:
            return None  # which rows are alike is not known: one might take the other's place
        return Harm((dialect.drop_rows(scene.table, 1), doubled))


@dataclass(frozen=True)
class RowAdded(Fault):
    """A row that the source never had."""

    name: str = "row_added"
    says: str = "a row of nobody's is there"
    proof: str = "row_count"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        key = table.primary_key
        if key is None or len(key.columns) != 1 or table.uniques:
            return
        column = table.column(key.columns[0])
        if column and column.type.kind is Kind.INTEGER:
            yield column.name

    @override
    def word(self, place: str) -> str:
        return ""

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        if not scene.counted():
            return None
        dialect = scene.session.dialect
        free = dialect.free(scene.table.name, place)
        return Harm((dialect.copy_rows(scene.table, scene.loaded(), {place: free}, 1),))


@dataclass(frozen=True)
class Orphan(Fault):
    """A row refers to one that is not there."""

    name: str = "orphan"
    says: str = "a reference points to no row"
    proof: str = "foreign_keys"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        for key in table.foreign_keys:
            column = table.column(key.columns[0])
            if len(key.columns) == 1 and column and column.type.kind is Kind.INTEGER:
                yield key.name

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        key = next(k for k in scene.table.foreign_keys if k.name == place)
        dialect = scene.session.dialect
        column = key.columns[0]
        where = dialect.is_there(column)
        if not scene.counted(where):
            return None
        nobody = dialect.nobody(key)
        return Harm((dialect.change_rows(scene.table, {column: nobody}, where, 1),))


ROWS: tuple[Fault, ...] = (
    RowsLost("row_lost", "one row is gone"),
    RowsLost("batch_lost", "a third of the rows is gone", share=0.34),
    RowsDoubled("row_doubled", "one row is there twice"),
    RowsDoubled("batch_doubled", "a third of the rows is there twice", share=0.34),
    RowsDoubled(
        "one_lost_one_doubled",
        "one row is gone and another one is there twice",
        lost=True,
        proof="fingerprint",
    ),
    RowAdded(),
    Orphan(),
)
