"""Faults of values: a row is there, and says something else."""

from collections.abc import Iterator
from dataclasses import dataclass

from typing_extensions import override

from datamig_pipelines.catalog import Column, Kind, Table
from datamig_pipelines.dialects.reading import Projection
from datamig_pipelines.dialects.tampering import Harm, Spoil
from datamig_pipelines.faults.fault import Fault, Scene
from datamig_pipelines.transfer import Route

_TEXT = (Kind.TEXT,)
_MOMENT = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_NUMBER = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
_SWAPPED = (*_NUMBER, *_MOMENT, *_TEXT, Kind.DATE)


@dataclass(frozen=True)
class Spoilt(Fault):
    """Values of one column become others."""

    name: str
    says: str
    spoil: Spoil
    kinds: tuple[Kind, ...]
    rows: int = 1
    proof: str = "fingerprint"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        for column, projection in _free(route, table):
            if projection.compare not in self.kinds or column.type.kind not in self.kinds:
                continue
            if self.spoil is Spoil.NULL and not column.nullable:
                continue
            exact = projection.type.bits == column.type.bits == 64
            if column.type.kind is Kind.FLOAT and not exact:
                continue  # compared as the narrower of both
            yield column.name

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        column = scene.table.column(place)
        if column is None:
            return None
        dialect = scene.session.dialect
        other, cell = dialect.spoilt(self.spoil, column), dialect.quote(place)
        if other is None:
            return None
        where = dialect.spoils_where(self.spoil, cell, other)
        if not scene.counted(where):
            return None
        return Harm((dialect.change_rows(scene.table, {place: other}, where, self.rows),))


@dataclass(frozen=True)
class RowsSwapped(Fault):
    """Rows give one another their values: number of rows, least, most and sum stay the same."""

    name: str = "values_swapped_between_rows"
    says: str = "two rows have each other's value of a column"
    proof: str = "fingerprint"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        if table.primary_key is None:
            return  # rows that are alike otherwise would only change places
        for column, projection in _free(route, table):
            if projection.compare in _SWAPPED and column.type.kind in _SWAPPED:
                yield column.name

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        dialect, cell = scene.session.dialect, scene.session.dialect.quote(place)
        found = scene.session.query(f"{dialect.ends(scene.name, cell)}")[0]
        if found[0] == found[1]:
            return None
        return Harm((dialect.swap_values(scene.table, place),))


@dataclass(frozen=True)
class ColumnsSwapped(Fault):
    """Two columns of one type have each other's values."""

    name: str = "columns_swapped"
    says: str = "two columns of one type have each other's values in a row"
    proof: str = "fingerprint"

    @override
    def places(self, route: Route, table: Table) -> Iterator[str]:
        free = list(_free(route, table))
        for place, (one, seen) in enumerate(free):
            for two, also in free[place + 1 :]:
                alike = one.type.native == two.type.native and one.nullable == two.nullable
                if alike and seen.compare is also.compare and one.type.kind in _SWAPPED:
                    yield f"{one.name}, {two.name}"

    @override
    def word(self, place: str) -> str:
        return place.partition(",")[0]

    @override
    def harm(self, scene: Scene, place: str) -> Harm | None:
        dialect = scene.session.dialect
        one, two = place.split(", ")
        cells = dialect.quote(one), dialect.quote(two)
        where = dialect.differs(*cells)
        if not scene.counted(where):
            return None
        # Where an engine assigns from left to right, both get the second one's: no less a fault.
        to = {one: cells[1], two: cells[0]}
        return Harm((dialect.change_rows(scene.table, to, where, 1),))


def _free(route: Route, table: Table) -> Iterator[tuple[Column, Projection]]:
    """Yield the columns that are compared and that no key, reference or check stands on."""
    keys = {c for u in table.uniques for c in u.columns}
    keys |= set(table.primary_key.columns) if table.primary_key else set()
    taken = keys | {c for k in table.foreign_keys for c in k.columns}
    taken |= {c for i in table.indexes if i.unique for c in i.columns}
    rules = [c.expression for c in table.checks]
    rules += [c.generated for c in table.columns if c.generated]
    rules += [p.expression for i in table.indexes if i.unique for p in i.parts if p.expression]
    for projection in route.columns:
        column = table.column(projection.name)
        if column is None or projection.compare is None or column.name in taken:
            continue
        if not any(column.name in rule for rule in rules):
            yield column, projection


VALUES: tuple[Fault, ...] = (
    Spoilt("value_changed", "one text has another first letter", Spoil.OTHER_TEXT, _TEXT),
    Spoilt("text_truncated", "texts lost their last letter", Spoil.CUT, _TEXT, rows=4),
    Spoilt("trailing_blank", "one text has a blank behind it", Spoil.PADDED, _TEXT),
    Spoilt("case_changed", "one text is in other letters", Spoil.OTHER_CASE, _TEXT),
    Spoilt("null_became_empty", "one NULL became an empty text", Spoil.EMPTY, _TEXT),
    Spoilt("text_lost", "one text became NULL", Spoil.NULL, _TEXT),
    Spoilt("unicode_decomposed", "an é became an e and an accent", Spoil.DECOMPOSED, _TEXT),
    Spoilt("number_changed", "one number is larger by one", Spoil.MORE, _NUMBER),
    Spoilt("number_rounded", "decimals lost their fraction", Spoil.ROUNDED, (Kind.DECIMAL,), 9),
    Spoilt("single_precision", "a float was once a narrower one", Spoil.SINGLE, (Kind.FLOAT,)),
    Spoilt("last_bit", "the last bit of a float is another", Spoil.LAST_BIT, (Kind.FLOAT,)),
    Spoilt("zone_shifted", "moments are an hour later", Spoil.HOUR_LATER, _MOMENT, rows=9),
    Spoilt("fraction_lost", "a moment lost its fraction", Spoil.WHOLE_SECONDS, _MOMENT),
    Spoilt("day_shifted", "a date is a day later", Spoil.DAY_LATER, (Kind.DATE,)),
    Spoilt("boolean_flipped", "a true is false or vice versa", Spoil.FLIPPED, (Kind.BOOLEAN,)),
    Spoilt("byte_changed", "a blob has another byte", Spoil.OTHER_BYTE, (Kind.BLOB,)),
    Spoilt(
        "json_key_changed",
        "JSON has another key",
        Spoil.OTHER_KEY,
        (Kind.JSON, Kind.TEXT, Kind.DOCUMENT),
    ),
    RowsSwapped(),
    ColumnsSwapped(),
)
