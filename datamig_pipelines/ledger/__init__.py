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
from datamig_pipelines.ledger.history import ApprovalEntry, History, HistoryEntry, RehearsalEntry
from datamig_pipelines.ledger.ledger import FINISHED, Ledger

__all__ = [
    "FINISHED",
    "ApprovalEntry",
    "BatchEntry",
    "DifferenceEntry",
    "History",
    "HistoryEntry",
    "Ledger",
    "ProofEntry",
    "RehearsalEntry",
    "Reject",
    "RunEntry",
    "Shard",
    "ShardState",
    "TableState",
]
