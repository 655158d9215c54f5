"""The manifest beside a backup's files: what is in it, from when, and how it was proven."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from datamig_pipelines.backups.counters import Counters
from datamig_pipelines.errors import BackupDamagedError

_TEXTS: Final = ("id", "migration", "run", "side", "engine", "what", "moment", "verified")


@dataclass(frozen=True)
class TableFacts:
    """One table at one moment; ``shape`` holds a digest of each part of its definition."""

    rows: int
    fingerprint: str
    shape: dict[str, str]


@dataclass(frozen=True)
class State:
    """What a database held at one moment. ``views`` maps names to digests of their SQL.

    ``knows`` are kinds of ``others`` that not every version of datamig looked at alike. A counter
    that moved while a dump was made has a span for its moment.
    """

    tables: dict[str, TableFacts]
    views: dict[str, str]
    others: tuple[str, ...] = ()
    knows: tuple[str, ...] = ()
    counters: Counters = field(default_factory=dict)


@dataclass(frozen=True)
class StoredFile:
    """One file as it lies in the store; ``packed`` says that we put it through gzip."""

    name: str
    bytes: int
    sha256: str
    packed: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One backup.

    ``side`` is target, source or safety (the target just before a restore). ``moment`` says what
    ties dump and figures together: a snapshot, or that nothing was written meanwhile. ``verified``
    is restore, checksum or none; ``recovery_s`` is how long the restore took, fetching included.
    """

    id: str
    migration: str
    run: str
    side: str
    time: str
    datamig: str
    engine: str
    version: str
    tool: str
    what: str
    moment: str
    position: str
    files: tuple[StoredFile, ...]
    state: State
    verified: str
    recovery_s: float | None = None

    @property
    def size(self) -> int:
        """Return the size of all files as stored."""
        return sum(f.bytes for f in self.files)

    def encoded(self) -> bytes:
        """Return the text of manifest.json."""
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()


def digest(encoded: bytes) -> str:
    """Return what the ledger keeps of a manifest, so that a changed one is found out."""
    return hashlib.sha256(encoded).hexdigest()


def decoded(data: bytes, where: str) -> Manifest:
    """Return the manifest of a manifest.json. Raises BackupDamagedError if it is none."""
    try:
        raw: dict[str, Any] = json.loads(data)
        state = raw.pop("state")
        tables = {name: TableFacts(**facts) for name, facts in state["tables"].items()}
        files = tuple(StoredFile(**f) for f in raw.pop("files"))
        counters = {
            n: (int(low), int(high)) for n, (low, high) in state.get("counters", {}).items()
        }
        knows = tuple(state.get("knows", ()))
        whole = State(tables, dict(state["views"]), tuple(state["others"]), knows, counters)
        datetime.fromisoformat(raw["time"])
        raw |= {name: "".join(raw[name]) for name in _TEXTS}
        return Manifest(**raw, files=files, state=whole)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"the manifest of {where} cannot be read: {type(error).__name__} {error}"
        hint = "It was cut off, edited, or written by another version; use another backup."
        raise BackupDamagedError(msg, hint=hint) from error
