"""Everything that a run will do; nothing has been touched yet."""

from dataclasses import dataclass, field
from typing import Any

from datamig_pipelines.planning.differences import Facts
from datamig_pipelines.planning.timeline import seconds_of
from datamig_pipelines.steps import STEPS, Context


@dataclass(frozen=True)
class Plan:
    """The plan of one migration: its context, and the versions of both engines.

    ``facts`` are what the fingerprint is the digest of. `as_dict` is what `--json`, the plan asset
    and the report show of it.
    """

    context: Context
    source_version: str
    target_version: str
    facts: Facts = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Return the digest of everything that decides what arrives."""
        return self.context.fingerprint

    @property
    def seconds(self) -> float:
        """Return the estimated duration in seconds, from typical figures of each route."""
        return sum(seconds_of(r) for r in self.context.chosen())

    def as_dict(self) -> dict[str, Any]:
        """Return the plan in JSON-compatible words."""
        context = self.context
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
                    "seconds": round(seconds_of(r), 1),
                }
                for r in context.chosen()
            ],
            "views": [str(v.name) for v in context.views],
            "objects": [str(o) for o in context.objects],
            "notes": list(context.notes),
            "steps": {
                name: {"does": step.does, "statements": [str(s) for s in step.preview(context)]}
                for name, step in STEPS.items()
            },
            "seconds": round(self.seconds, 1),
        }
