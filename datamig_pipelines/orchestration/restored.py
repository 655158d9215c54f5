"""Shows as a check of the backup's asset whether the copy was proven to bring the data back."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

NAME = "restored"


def restored_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """Return the check; a backup that does not restore ends its step before there is a result."""
    says = "the backup was restored into a scratch database and is equal, table by table"
    return dg.AssetCheckSpec(NAME, asset=key, description=says)


def restored_result(key: dg.AssetKey, detail: Mapping[str, Any]) -> dg.AssetCheckResult:
    """Return what the step found: only a restore is green, and having had nothing to keep."""
    kept = str(detail.get("kept", ""))
    verified = str(detail.get("verified", "none"))
    said = {
        "restore": f"restored and compared; recovery takes {detail.get('recovery_s')} s",
        "checksum": "verified by checksum only: whether it restores is not proven",
    }.get(verified, "not verified: whether it can be read and restored is not proven")
    names = ("folder", "bytes", "recovery_s")
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=NAME,
        passed=bool(kept) or verified == "restore",
        severity=dg.AssetCheckSeverity.WARN,
        description=kept or said,
        metadata={n: detail[n] for n in names if detail.get(n) is not None},
    )
