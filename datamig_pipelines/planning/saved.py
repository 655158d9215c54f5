"""A plan as a file: what was looked at, so that nothing else is run."""

import json
from pathlib import Path
from typing import Any

from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.spec import Migration
from datamig_pipelines.spec.text import spec_text

_FOLDER = "plans"


def save_plan(plan: Plan) -> Path:
    """Write a plan to ``plans/<fingerprint>.json`` in the migration's folder and return the path.

    Raises PermissionDeniedError.
    """
    path = _folder(plan.context.migration) / f"{plan.fingerprint}.json"
    said = {**plan.as_dict(), "spec": spec_text(plan.context.migration), "facts": plan.facts}
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        msg = f"the plan cannot be written to {path}: {error.strerror}"
        raise PermissionDeniedError(msg, hint="Make the folder writable and plan again.") from error
    return path


def saved_plan(migration: Migration, fingerprint: str) -> dict[str, Any] | None:
    """Return a saved plan by (the beginning of) its fingerprint, None if it is not here."""
    for path in sorted(_folder(migration).glob(f"{fingerprint}*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and "facts" in found and "spec" in found:
            return found
    return None


def _folder(migration: Migration) -> Path:
    return migration.home / _FOLDER
