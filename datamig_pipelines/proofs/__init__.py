"""Proofs that source and target hold the same; one per file."""

from datamig_pipelines.proofs.base import Evidence, Proof, ProofResult, Verdict
from datamig_pipelines.proofs.column_statistics import ColumnStatistics
from datamig_pipelines.proofs.counters import Counters
from datamig_pipelines.proofs.fingerprint import TableFingerprint
from datamig_pipelines.proofs.foreign_keys import ForeignKeys
from datamig_pipelines.proofs.row_count import RowCount
from datamig_pipelines.proofs.schema import Schema

PROOFS: dict[str, Proof] = {
    "row_count": RowCount(),
    "fingerprint": TableFingerprint(),
    "schema": Schema(),
    "foreign_keys": ForeignKeys(),
    "counters": Counters(),
    "column_statistics": ColumnStatistics(),
}

__all__ = ["PROOFS", "Evidence", "Proof", "ProofResult", "Verdict"]
