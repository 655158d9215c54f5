"""Everything that a run will do; nothing has been touched yet."""

from dataclasses import dataclass, field
from typing import Any

from datamig_pipelines.planning.differences import Facts
from datamig_pipelines.planning.rehearsed import Measured
from datamig_pipelines.planning.timeline import Timeline, timeline
from datamig_pipelines.steps import STEPS, Context


@dataclass(frozen=True)
class Plan:
    """The plan of one migration: its context, and the versions of both engines.

    ``facts`` are what the fingerprint is the digest of, ``measured`` the figures of a rehearsal.
    `as_dict` is what `--json`, the plan asset and the report show of it.
    """

    context: Context
    source_version: str
    target_version: str
    facts: Facts = field(default_factory=dict)
    measured: Measured | None = None

    @property
    def fingerprint(self) -> str:
        """Return the digest of everything that decides what arrives."""
        return self.context.fingerprint

    @property
    def seconds(self) -> float:
        """Return the expected duration in seconds."""
        return self.timeline.seconds

    @property
    def timeline(self) -> Timeline:
        """Return what is expected of each table and step, and by what."""
        return timeline(self.context.chosen(), self.measured)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan in JSON-compatible words."""
        context, expected = self.context, self.timeline
        return {
            "migration": context.migration.name,
            "kind": context.migration.kind.value,
            "fingerprint": self.fingerprint,
            "source": {
                "engine": context.source.dialect.label,
                "version": self.source_version,
                "url": str(context.source),
            },
            "target": {
                "engine": context.target.dialect.label,
                "version": self.target_version,
                "url": str(context.target),
            },
            "tables": [
                {
                    "table": r.name,
                    "target": str(r.target.name),
                    "rows": r.source.rows,
                    "bytes": r.source.bytes,
                    "route": r.describe(),
                    "batch_size": r.batch_size,
                    "batches": -(-r.source.rows // r.batch_size),
                    "seconds": round(expected.tables[r.name], 1),
                }
                for r in context.chosen()
            ],
            "views": [str(v.name) for v in context.views],
            "objects": [str(o) for o in context.objects],
            "notes": list(context.notes),
            "steps": {
                name: {
                    "does": step.does,
                    "statements": [str(s) for s in step.preview(context)],
                    "seconds": round(expected.steps[name], 1) if name in expected.steps else None,
                }
                for name, step in STEPS.items()
            },
            "seconds": round(expected.seconds, 1),
            "timing": expected.how,
        }
