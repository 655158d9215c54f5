"""The next value that the target gives out was never given out before."""

from typing_extensions import override

from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict


class Counters(Proof):
    """Compares each identity column's counter with the largest value and the source's counter."""

    name = "counters"
    says = "every identity column goes on behind its largest value and not before the source would"
    after_load = False

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Read the target's counters and hold them against data and source."""
        planned = evidence.target.dialect.kept(evidence.route.target)
        known = dict(planned.counters)
        wanted = {c.name: known.get(c.name, 1) for c in planned.columns if c.identity}
        actual = dict(evidence.actual.counters) if evidence.actual else {}
        behind = []
        for column, at_least in wanted.items():
            sql = evidence.target.dialect.largest(evidence.route.target.name, column)
            largest = evidence.target.query(sql)[0][0]
            found = actual.get(column)
            if found is None or found < at_least or (largest is not None and found <= int(largest)):
                behind.append(
                    f"{column}: next {found}, largest {largest}, source goes on at {at_least}"
                )
        verdict = Verdict.DIFFERENT if behind else Verdict.EQUAL
        return self.result(
            evidence, verdict, (str(wanted or "none"), str(actual or "none")), "; ".join(behind)
        )
