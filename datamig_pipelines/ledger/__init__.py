"""What has been done, kept in the target, in the same transaction as the work itself."""

from datamig_pipelines.ledger.entry import (
    BatchEntry,
    DifferenceEntry,
    ProofEntry,
    Reject,
    RunEntry,
    Shard,
    ShardState,
    TableState,
)
from datamig_pipelines.ledger.ledger import Ledger

__all__ = [
    "BatchEntry",
    "DifferenceEntry",
    "Ledger",
    "ProofEntry",
    "Reject",
    "RunEntry",
    "Shard",
    "ShardState",
    "TableState",
]
