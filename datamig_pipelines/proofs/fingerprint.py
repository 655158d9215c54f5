"""Every value of the source is in the target, in the row where it belongs."""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from datamig_pipelines.dialects.reading import Compared, Fingerprint, Projection
from datamig_pipelines.differences import RowDiff, find_differences, pair_of
from datamig_pipelines.differences.rejected import NotLeftOutError, without_rejected
from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict
from datamig_pipelines.session import Session

LISTED = 100
"""Rows that differ and are listed at once; `datamig diff` lists more."""


class TableFingerprint(Proof):
    """Compares the portable checksums of both sides; names the rows and columns that differ."""

    name = "fingerprint"
    says = "the checksum over every value, in one form on both engines, is the same"
    after_load = True

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Fingerprint both sides; where they differ, find out where."""
        route = evidence.route
        arrived = route.columns if route.transform else (*route.columns, *route.computed)
        columns = [c for c in arrived if c.compare is not None]
        left_out = [c.name for c in arrived if c.compare is None]
        if not columns:
            return self.result(
                evidence, Verdict.NOT_COMPARABLE, ("", ""), "no column has a common form"
            )
        target = _of_target(evidence, columns)
        if route.transform:
            return self._against_written(evidence, target, left_out)
        try:
            where = without_rejected(route, evidence.source, evidence.state, evidence.rejected)
        except NotLeftOutError as why:
            sure = not any(c.cast for c in columns)  # the cast of a rejected row would fail
            figure = str(_of_source(evidence, columns, route.where)) if sure else ""
            figures = (figure, str(target))
            return self.result(evidence, Verdict.NOT_COMPARABLE, figures, str(why))
        source = _of_source(evidence, columns, where)
        figures = (str(source), str(target))
        if source != target:
            found = _differences(evidence, where, (source, target))
            detail = f"{_columns(evidence, columns, found, where)}; {found.summary()}"
            verdict = Verdict.NOT_COMPARABLE if found.unread else Verdict.DIFFERENT
            result = self.result(evidence, verdict, figures, detail)
            return replace(result, diff=found, show_values=evidence.show_values)
        return replace(self._equal(evidence, figures, left_out), diff=_nothing(route.name))

    def _equal(
        self, evidence: Evidence, figures: tuple[str, str], left_out: list[str]
    ) -> ProofResult:
        if left_out:
            detail = f"no common form for {', '.join(left_out)}; all other columns are equal"
            return self.result(evidence, Verdict.NOT_COMPARABLE, figures, detail)
        rejected = evidence.state.rows_rejected
        detail = f"without the {rejected} rows that were rejected" if rejected else ""
        return self.result(evidence, Verdict.EQUAL, figures, detail)

    def _against_written(
        self, evidence: Evidence, target: Fingerprint, left_out: list[str]
    ) -> ProofResult:
        written = Fingerprint(*(evidence.state.written or (0, 0)))
        figures = (str(written), str(target))
        detail = f"against what {evidence.route.transform} returned"
        if written != target:
            return self.result(evidence, Verdict.DIFFERENT, figures, detail)
        if left_out:
            detail = f"no common form for {', '.join(left_out)}; all other columns are equal"
            return self.result(evidence, Verdict.NOT_COMPARABLE, figures, detail)
        return self.result(evidence, Verdict.EQUAL, figures, detail)


def _of_source(evidence: Evidence, columns: Sequence[Projection], where: str) -> Fingerprint:
    compared = [c.there(c.compare) for c in columns if c.compare is not None]
    return evidence.source.fingerprint(evidence.source_table, compared, where)


def _of_target(evidence: Evidence, columns: Sequence[Projection]) -> Fingerprint:
    return evidence.target.fingerprint(evidence.target_table, _compared(evidence.target, columns))


def _compared(session: Session, columns: Sequence[Projection]) -> list[Compared]:
    quote = session.dialect.quote
    return [c.here(quote(c.name), c.compare) for c in columns if c.compare is not None]


def _differences(evidence: Evidence, where: str, whole: tuple[Fingerprint, Fingerprint]) -> RowDiff:
    pair = pair_of(evidence.route, evidence.source, evidence.target, evidence.state, where)
    return find_differences(pair, LISTED, whole)


def _nothing(table: str) -> RowDiff:
    return RowDiff.empty(table)


def _columns(evidence: Evidence, columns: Sequence[Projection], found: RowDiff, where: str) -> str:
    """Return which columns differ; where not all rows are known, each is fingerprinted."""
    if found.complete:
        differing = found.columns_that_differ()
    else:
        differing = [
            c.name for c in columns if _of_source(evidence, [c], where) != _of_target(evidence, [c])
        ]
    if not differing:
        return "every column agrees by itself, but values stand in other rows"
    return f"differs in {', '.join(differing)}"
