"""Copies of a database that were proven to bring it back: written, kept, listed, restored."""

from datamig_pipelines.backups.database import Database
from datamig_pipelines.backups.manifest import Manifest, State, StoredFile, TableFacts
from datamig_pipelines.backups.reading import fetched, read_manifest, verify_backup
from datamig_pipelines.backups.retention import expired
from datamig_pipelines.backups.state import bare, differences, observe, other_grants, strangers
from datamig_pipelines.backups.store import Store
from datamig_pipelines.backups.stores import open_store
from datamig_pipelines.backups.writing import BackupOrder, Written, write_backup

__all__ = [
    "BackupOrder",
    "Database",
    "Manifest",
    "State",
    "Store",
    "StoredFile",
    "TableFacts",
    "Written",
    "bare",
    "differences",
    "expired",
    "fetched",
    "observe",
    "open_store",
    "other_grants",
    "read_manifest",
    "strangers",
    "verify_backup",
    "write_backup",
]
