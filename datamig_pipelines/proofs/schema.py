"""The target's table is the planned one."""

from typing_extensions import override

from datamig_pipelines.catalog import Table
from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict


class Schema(Proof):
    """Compares columns, nullability, keys, foreign keys and indexes with the plan."""

    name = "schema"
    says = "the target's catalog has every column, key, foreign key and index of the plan"
    after_load = False

    @override
    def prove(self, evidence: Evidence) -> ProofResult:
        """Compare the planned table with the one that the target's catalog shows."""
        planned, actual = evidence.route.target, evidence.actual
        if actual is None:
            return self.result(
                evidence, Verdict.DIFFERENT, ("planned", "missing"), "there is no such table"
            )
        missing = [m for kind in _ASPECTS for m in sorted(kind(planned) - kind(actual))]
        verdict = Verdict.DIFFERENT if missing else Verdict.EQUAL
        figures = (_size(planned), _size(actual))
        return self.result(
            evidence, verdict, figures, "missing: " + "; ".join(missing) if missing else ""
        )


def _columns(table: Table) -> set[str]:
    return {f"column {c.name}" for c in table.columns}


def _required(table: Table) -> set[str]:
    keyed = set(table.primary_key.columns) if table.primary_key else set()
    return {f"not null {c.name}" for c in table.columns if not c.nullable or c.name in keyed}


def _primary(table: Table) -> set[str]:
    return {f"primary key ({', '.join(table.primary_key.columns)})"} if table.primary_key else set()


def _uniques(table: Table) -> set[str]:
    keys = {u.columns for u in table.uniques} | {i.columns for i in table.indexes if i.unique}
    return {f"unique ({', '.join(sorted(k))})" for k in keys}


def _references(table: Table) -> set[str]:
    return {
        f"foreign key ({', '.join(k.columns)}) to {k.target.name}"
        for k in table.foreign_keys
        if k.valid
    }


def _indexes(table: Table) -> set[str]:
    return {f"index {i.name}" for i in table.indexes}


_ASPECTS = (_columns, _required, _primary, _uniques, _references, _indexes)


def _size(table: Table) -> str:
    return (
        f"{len(table.columns)} columns, {len(table.foreign_keys)} foreign keys, "
        f"{len(table.indexes)} indexes"
    )
