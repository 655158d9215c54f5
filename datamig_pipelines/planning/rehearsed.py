"""The files of rehearsals: ``rehearsals/<time>.json`` in the migration's folder."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.spec import Migration

_FOLDER = "rehearsals"
_VERSION = 1


@dataclass(frozen=True)
class Measured:
    """What a rehearsal's way forward took: ``tables`` maps a name to rows and seconds.

    The tables' seconds add up to no more than those of the step ``load``, however many were loaded
    at once; the rest of it was spent before and after them, and has nothing to do with rows.
    """

    time: str
    tables: Mapping[str, tuple[int, float]]
    steps: Mapping[str, float]

    @property
    def rows(self) -> int:
        """Return the rows of all tables."""
        return sum(rows for rows, _ in self.tables.values())

    @property
    def seconds(self) -> float:
        """Return the seconds of all tables."""
        return sum(seconds for _, seconds in self.tables.values())


def rehearsals_folder(migration: Migration) -> Path:
    """Return where the files of a migration's rehearsals are."""
    return migration.home / _FOLDER


def save_rehearsal(migration: Migration, said: Mapping[str, Any]) -> Path:
    """Write what a rehearsal found, at once, and return the path. Raises PermissionDeniedError."""
    name = str(said["time"]).replace(":", "-")
    path = rehearsals_folder(migration) / f"{name}.json"
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": _VERSION, **said}, indent=1, ensure_ascii=False)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        msg = f"the rehearsal cannot be written to {path}: {error.strerror}"
        raise PermissionDeniedError(
            msg, hint="Make the folder writable, rehearse again."
        ) from error
    return path


def last_measured(migration: Migration, source: str, target: str) -> Measured | None:
    """Return what the last rehearsal between these engines (their dialects) measured, or None.

    One whose way forward did not come to its end, or that another version wrote, does not count.
    """
    for path in sorted(rehearsals_folder(migration).glob("*.json"), reverse=True):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            fits = said["version"] == _VERSION and said["engines"] == [source, target]
            if fits and said["forward"]["seconds"] is not None:
                return _measured(said)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def told_of(migration: Migration) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the files about rehearsals, newest first; one that is no JSON object says nothing.

    Those that another version wrote are left out.
    """
    for path in sorted(rehearsals_folder(migration).glob("*.json"), reverse=True):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            said = None
        whole = said if isinstance(said, dict) else {}
        if whole.get("version", _VERSION) == _VERSION:
            yield path, whole


def _measured(said: Mapping[str, Any]) -> Measured:
    steps = {s["step"]: float(s["seconds"]) for s in said["forward"]["steps"]}
    spent = sum(t["seconds"] for t in said["forward"]["tables"])
    share = min(1.0, steps["load"] / spent) if spent else 1.0
    tables = {t["table"]: (int(t["rows"]), t["seconds"] * share) for t in said["forward"]["tables"]}
    return Measured(said["time"], tables, steps)
