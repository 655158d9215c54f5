"""Every row of the source is in the target, or the ledger says where it is."""

from typing_extensions import override

from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict


class RowCount(Proof):
    """Counts both sides: source = target + rejected + filtered."""

    name = "row_count"
    says = "the source has as many rows as the target and the ledger account for"
    after_load = True

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Count both sides and hold them against the ledger."""
        there = evidence.source.dialect.count(evidence.source_table, evidence.route.where)
        here = evidence.target.dialect.count(evidence.target_table)
        source = int(evidence.source.query(there)[0][0])
        target = int(evidence.target.query(here)[0][0])
        aside = evidence.state.rows_rejected + evidence.state.rows_filtered
        verdict = Verdict.EQUAL if source == target + aside else Verdict.DIFFERENT
        detail = (
            f"{evidence.state.rows_rejected} rejected, {evidence.state.rows_filtered} filtered"
            if aside
            else ""
        )
        return self.result(evidence, verdict, (str(source), str(target)), detail)
