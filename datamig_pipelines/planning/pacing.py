"""What a plan says about limits of the load."""

from datamig_pipelines.dialects import Dialect
from datamig_pipelines.dialects.capabilities import Limit
from datamig_pipelines.spec import Migration


def pace_notes(migration: Migration, target: Dialect) -> list[str]:
    """Return which limits hold, and which ones the target's engine cannot keep."""
    said = migration.throttle.model_dump(exclude_none=True)
    deaf = [k for k in said if k in tuple(Limit) and k not in target.can.limits]
    held = ", ".join(f"{k} {v:g}" for k, v in said.items() if k not in deaf)
    notes = [f"throttle.{k}: {target.label} has no such thing; it does nothing" for k in deaf]
    return [f"throttle: {held}", *notes] if held else notes
