"""Every column of the target has the NULLs, the ends and the sum of the source's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from typing_extensions import override

from datamig_pipelines.catalog import Kind
from datamig_pipelines.dialects.comparing import Measure, Measured
from datamig_pipelines.dialects.reading import Compared, Projection
from datamig_pipelines.differences.rejected import NotLeftOutError, without_rejected
from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict
from datamig_pipelines.session import Session

_NUMBERS = (Kind.INTEGER, Kind.YEAR, Kind.DECIMAL)
_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_AT_ONCE = 100
"""Columns per statement: each takes four expressions."""
_FIGURES = ("NULLs", "least", "most", "sum")


@dataclass(frozen=True)
class _Column:
    """A column on both sides, in a form that both have."""

    name: str
    there: Compared
    here: Compared
    measure: Measure


class ColumnStatistics(Proof):
    """Compares per column NULLs, least, most and sum; one scan of each side."""

    name = "column_statistics"
    says = "every column has the same number of NULLs, the same ends and the same sum on both sides"
    after_load = True

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Take the figures of both sides and name each column that differs, with both figures."""
        route = evidence.route
        if route.transform:
            changed = f"{route.transform} may change every value"
            return self.result(evidence, Verdict.NOT_COMPARABLE, ("", ""), changed)
        try:
            where = without_rejected(route, evidence.source, evidence.state, evidence.rejected)
        except NotLeftOutError as why:
            return self.result(evidence, Verdict.NOT_COMPARABLE, ("", ""), str(why))
        columns = _columns(evidence.target, (*route.columns, *route.computed))
        differing = list(_differing(evidence, columns, where))
        weak = [c.name for c in columns if c.measure is Measure.NONE]
        figures = (f"{len(columns)} columns", f"{len(columns)} columns")
        if differing:
            names = {name for name, _, _, _ in differing}
            figures = (_shown(differing, 2), _shown(differing, 3))
            detail = f"differs in {', '.join(c.name for c in columns if c.name in names)}"
            return self.result(evidence, Verdict.DIFFERENT, figures, detail)
        if weak:
            unsure = f"of {', '.join(weak)} only NULLs were counted; all figures are equal"
            return self.result(evidence, Verdict.NOT_COMPARABLE, figures, unsure)
        return self.result(evidence, Verdict.EQUAL, figures)


_Found = tuple[str, str, str, str]
"""Column, figure, source, target."""


def _shown(differing: Sequence[_Found], side: int) -> str:
    return ", ".join(f"{found[0]}: {found[1]} {found[side]}" for found in differing)


def _columns(target: Session, arrived: Sequence[Projection]) -> list[_Column]:
    quote = target.dialect.quote
    return [
        _Column(
            c.name,
            c.there(c.compare or Kind.TEXT),
            c.here(quote(c.name), c.compare or Kind.TEXT),
            _measure(c),
        )
        for c in arrived
    ]


def _measure(column: Projection) -> Measure:
    """Return the measure that both types have; a sum of floats hangs on the order of rows."""
    kinds = (column.cast.held.kind if column.cast else column.type.kind, column.into.kind)
    if column.compare in (None, Kind.DOCUMENT):  # its characters are not counted alike
        return Measure.NONE
    if all(k in _NUMBERS for k in kinds):
        return Measure.NUMBER
    same = all(k in _MOMENTS for k in kinds) and column.compare in _MOMENTS
    return Measure.MOMENT if same else Measure.TEXT


def _differing(evidence: Evidence, columns: Sequence[_Column], where: str) -> Iterator[_Found]:
    for start in range(0, len(columns), _AT_ONCE):
        group = columns[start : start + _AT_ONCE]
        there = _figures(
            evidence.source,
            evidence.source_table,
            [Measured(c.there, c.measure) for c in group],
            where,
        )
        here = _figures(
            evidence.target, evidence.target_table, [Measured(c.here, c.measure) for c in group], ""
        )
        for i, column in enumerate(group):
            for j, figure in enumerate(_FIGURES):
                mine, theirs = there[i * 4 + j], here[i * 4 + j]
                if mine != theirs:
                    yield column.name, figure, mine, theirs


def _figures(session: Session, table: str, columns: Sequence[Measured], where: str) -> list[str]:
    (row,) = session.query(session.dialect.statistics_sql(table, columns, where))
    return ["none" if cell is None else str(cell) for cell in row]
