"""Which backups may go: never the last hope of a run, never the newest that was proven."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from datamig_pipelines.backups.manifest import Manifest
from datamig_pipelines.spec import Backup


def expired(
    policy: Backup,
    manifests: Iterable[Manifest],
    finished: Collection[str],
    moment: datetime | None = None,
) -> list[Manifest]:
    """Return the backups of one migration that its policy no longer keeps, oldest first.

    ``finished`` are the runs that the ledger knows to be over. What belongs to another run stays:
    it may be unfinished, or of another target.
    """
    if policy.keep is None and policy.keep_days is None:
        return []
    gone = []
    every = sorted(manifests, key=lambda m: (m.time, m.id), reverse=True)
    for side in sorted({m.side for m in every}):
        own = [m for m in every if m.side == side]
        newest = next((m.id for m in own if m.verified == "restore"), None)
        for place, manifest in enumerate(own):
            safe = manifest.run not in finished or manifest.id == newest
            if not safe and not _kept(policy, manifest, place, moment or datetime.now(UTC)):
                gone.append(manifest)
    return sorted(gone, key=lambda m: (m.time, m.id))


def _kept(policy: Backup, manifest: Manifest, place: int, moment: datetime) -> bool:
    """Say whether the policy keeps the backup that stands at ``place``, 0 being the newest."""
    if policy.keep is not None and place < policy.keep:
        return True
    if policy.keep_days is None:
        return False
    age = moment - datetime.fromisoformat(manifest.time)
    return age < timedelta(days=policy.keep_days)
