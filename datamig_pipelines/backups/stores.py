"""Which store a migration's backups go to."""

from datamig_pipelines.backups.bucket import BucketStore
from datamig_pipelines.backups.folder import FolderStore
from datamig_pipelines.backups.store import Store
from datamig_pipelines.spec import Migration


def open_store(migration: Migration) -> Store:
    """Return the place that ``backup.to`` names; nothing is opened or made yet."""
    policy = migration.backup
    if policy.is_folder:
        return FolderStore(migration.path(policy.to))
    return BucketStore(policy.to, migration.home / "backups", policy.encryption)
