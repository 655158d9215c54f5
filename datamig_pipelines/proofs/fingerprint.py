"""Every value of the source is in the target, in the row where it belongs."""

from collections.abc import Sequence

from typing_extensions import override

from datamig_pipelines.dialects.reading import Compared, Fingerprint, Projection
from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict
from datamig_pipelines.session import Session


class TableFingerprint(Proof):
    """Compares the portable checksums of both sides; names the columns that differ."""

    name = "fingerprint"
    says = "the checksum over every value, in one form on both engines, is the same"
    after_load = True

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Fingerprint both sides; where they differ, fingerprint column by column."""
        route = evidence.route
        arrived = route.columns if route.transform else (*route.columns, *route.computed)
        columns = [c for c in arrived if c.compare is not None]
        left_out = [c.name for c in arrived if c.compare is None]
        if not columns:
            return self.result(
                evidence, Verdict.NOT_COMPARABLE, ("", ""), "no column has a common form"
            )
        target = _of_target(evidence, columns)
        if evidence.route.transform:
            return self._against_written(evidence, target, left_out)
        source = _of_source(evidence, columns)
        figures = (str(source), str(target))
        if evidence.state.rows_rejected:
            detail = (
                f"{evidence.state.rows_rejected} rows were rejected, so the sums cannot be equal"
            )
            return self.result(evidence, Verdict.NOT_COMPARABLE, figures, detail)
        if source != target:
            return self.result(evidence, Verdict.DIFFERENT, figures, _where(evidence, columns))
        if left_out:
            detail = f"no common form for {', '.join(left_out)}; all other columns are equal"
            return self.result(evidence, Verdict.NOT_COMPARABLE, figures, detail)
        return self.result(evidence, Verdict.EQUAL, figures)

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


def _of_source(evidence: Evidence, columns: Sequence[Projection]) -> Fingerprint:
    compared = [Compared(c.sql, c.type, c.compare) for c in columns if c.compare is not None]
    return evidence.source.fingerprint(evidence.source_table, compared, evidence.route.where)


def _of_target(evidence: Evidence, columns: Sequence[Projection]) -> Fingerprint:
    return evidence.target.fingerprint(evidence.target_table, _compared(evidence.target, columns))


def _compared(session: Session, columns: Sequence[Projection]) -> list[Compared]:
    quote = session.dialect.quote
    return [Compared(quote(c.name), c.into, c.compare) for c in columns if c.compare is not None]


def _where(evidence: Evidence, columns: Sequence[Projection]) -> str:
    differing = [c.name for c in columns if _of_source(evidence, [c]) != _of_target(evidence, [c])]
    if not differing:
        return "every column agrees by itself, but values stand in other rows"
    return f"differs in {', '.join(differing)}"
