"""What people told a running load: to pause, or to go on.

Where several sessions may write, the word stands in the target's table ``control``: whoever can
reach the target can say it, from any machine. A file engine's target is locked by the load itself
(DuckDB for as long as it runs), so there it is a file in the migration's folder.
"""

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.ledger.entry import now
from datamig_pipelines.ledger.tables import column_names, ledger_name, ledger_tables
from datamig_pipelines.session import Session

PAUSE = "pause"
GO = "go"
_FILE = "control.json"


def whoami() -> str:
    """Return who speaks: user and machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


@dataclass(frozen=True)
class Word:
    """``pause`` or ``go``, who said it, and when (UTC, ISO)."""

    word: str
    who: str = field(default_factory=whoami)
    at: str = field(default_factory=now)

    @property
    def paused(self) -> bool:
        """Say whether loads have to wait."""
        return self.word == PAUSE


class Control(Protocol):
    """Where the last word about one migration stands."""

    def last(self) -> Word | None:
        """Return the last word, None if there is none."""
        ...

    def say(self, word: Word | None) -> None:
        """Replace the last word; None takes it away."""
        ...


class ControlTable:
    """The word in the ledger of a target."""

    def __init__(self, session: Session, migration: str) -> None:
        """Use a session; the table is made by whoever speaks first."""
        self.session = session
        self.migration = migration
        self._name = ledger_name(session.dialect, "control")

    def last(self) -> Word | None:
        """Return the last word; one short query, as long as the table is there."""
        dialect = self.session.dialect
        if not self.session.has_table(self._name):
            return None
        sql = dialect.fetch(self._name, column_names("control"), ("migration",), ())
        rows = self.session.query(sql, (self.migration,))
        return Word(*rows[0][1:]) if rows else None

    def say(self, word: Word | None) -> None:
        """Replace the last word in one transaction."""
        dialect = self.session.dialect
        if not self.session.has_table(self._name):
            if word is None:
                return
            table = next(t for t in ledger_tables(dialect) if t.name == self._name)
            self.session.run(
                dialect.create_table(table, keys=True, foreign_keys=False, if_missing=True)
            )
        with self.session.transaction():
            self.session.query(dialect.delete(self._name, ("migration",)), (self.migration,))
            if word is not None:
                sql = dialect.insert(self._name, column_names("control"))
                self.session.query(sql, (self.migration, word.word, word.who, word.at))


class ControlFile:
    """The word in a file; whoever reads sees the old one or the new one, never half of it."""

    def __init__(self, home: Path) -> None:
        """Use the folder of a migration; it need not be there yet."""
        self.path = home / _FILE

    def last(self) -> Word | None:
        """Return the last word. A file that is no word of ours counts as none."""
        try:
            return Word(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def say(self, word: Word | None) -> None:
        """Replace the last word. Raises PermissionDeniedError."""
        part = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            if word is None:
                self.path.unlink(missing_ok=True)
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(asdict(word)), encoding="utf-8")
            part.replace(self.path)
        except OSError as error:
            msg = f"the word cannot be written to {self.path}: {error.strerror}"
            raise PermissionDeniedError(
                msg, hint="Make the folder writable and say it again."
            ) from (error)
