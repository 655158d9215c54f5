"""Every reference of the target points to a row."""

from typing_extensions import override

from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict


class ForeignKeys(Proof):
    """Counts references that point nowhere, whether the target enforces them or not."""

    name = "foreign_keys"
    says = "no row of the target refers to a row that is not there"
    after_load = False

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Count orphans of every valid foreign key of the planned table."""
        keys = [k for k in evidence.route.target.foreign_keys if k.valid]
        broken = []
        orphans = 0
        for key in keys:
            sql = evidence.target.dialect.orphans(evidence.route.target.name, key)
            found = int(evidence.target.query(sql)[0][0])
            orphans += found
            if found:
                broken.append(f"{key.name}: {found}")
        verdict = Verdict.DIFFERENT if orphans else Verdict.EQUAL
        figures = ("0 orphans", f"{orphans} orphans")
        return self.result(
            evidence, verdict, figures, "; ".join(broken) or f"{len(keys)} foreign keys"
        )
