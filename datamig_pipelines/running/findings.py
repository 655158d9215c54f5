"""What a rehearsal found, as it stands in its file."""

import time
from datetime import UTC, datetime
from typing import Any

from datamig_pipelines.planning import Plan
from datamig_pipelines.proofs import ProofResult
from datamig_pipelines.running.reversal import changed, left_behind, summary
from datamig_pipelines.running.walk import Walk
from datamig_pipelines.steps import STEPS


def findings(plan: Plan, walk: Walk, more: dict[str, Any]) -> dict[str, Any]:
    """Return what a rehearsal found; ``more`` is what the walk does not know of."""
    told, error = plan.as_dict(), walk.error
    return {
        "migration": told["migration"],
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "class": walk.verdict().value,
        "passed": error is None,
        "error": {"code": error.code, "message": error.message} if error else None,
        "seconds": round(time.monotonic() - walk.began, 3),
        **more,
        "plan": told["fingerprint"],
        "engines": [plan.context.source.dialect.name, plan.context.target.dialect.name],
        "source": told["source"],
        "target": told["target"],
        "original": summary(walk.copied.state) | {"copied in": _rounded(walk.copied.seconds)},
        "steps": [
            {
                "step": stride.step,
                "class": kind.value,
                "seconds": _rounded(stride.seconds),
                "undo seconds": _rounded(walk.undo_s.get(stride.step)),
                "evidence": evidence,
            }
            for stride, kind, evidence in walk.classes()
        ],
        "forward": _forward_facts(walk),
        "back": _back_facts(walk),
        "again": _again_facts(walk),
    }


def _forward_facts(walk: Walk) -> dict[str, Any]:
    steps = {s.step: s.seconds for s in walk.strides}
    if walk.copied.seconds and walk.migration.backup.verify == "checksum":
        steps["backup"] = walk.copied.seconds  # with the restore that proves it
    done = len(steps) == len(STEPS) and not (walk.stopped and walk.again is None)
    return {
        "seconds": _rounded(sum(steps.values())) if done else None,
        "steps": [{"step": name, "seconds": _rounded(s)} for name, s in steps.items()],
        "tables": [
            {
                "table": t.route.name,
                "rows": t.rows_loaded,
                "rejected": t.rows_rejected,
                "seconds": _rounded(t.seconds),
                "route": t.route.describe(),
            }
            for t in walk.tables
        ],
        "rejects": walk.rejects,
        "proofs": _counted(walk.proofs[0]) if walk.proofs else {},
    }


def _back_facts(walk: Walk) -> dict[str, Any] | None:
    way = walk.way
    if way is None:
        return None
    return {
        "by": way.by,
        "error": way.why,
        "seconds": _rounded(sum(walk.undo_s.values())),
        "state": summary(way.final),
        "left": left_behind(way),
    }


def _again_facts(walk: Walk) -> dict[str, Any] | None:
    if walk.again is None:
        return None
    first = walk.strides[-1].after
    return {
        "seconds": _rounded(walk.again_s),
        "state": summary(walk.again),
        "differs from the first time": changed(first, walk.again),
        "proofs": _counted(walk.proofs[-1]),
    }


def _counted(proofs: list[ProofResult]) -> dict[str, int]:
    found: dict[str, int] = {}
    for proof in proofs:
        found[proof.verdict.value] = found.get(proof.verdict.value, 0) + 1
    return found


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
