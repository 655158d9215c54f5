"""What an engine says of backups: dumps, restores, and a scratch database to prove them in."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from sqlalchemy.engine import URL

from datamig_pipelines.dialects.dumping import Beside, DumpOrder, DumpStream
from datamig_pipelines.errors import NotYetError

if TYPE_CHECKING:
    from datamig_pipelines.dialects.base import Queryable


class Scratch(Protocol):
    """A scratch database: ``with dialect.scratch(url, folder) as scratch_url``."""

    def __enter__(self) -> URL:
        """Create it and return its URL."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Drop it; nothing happens where there is none of that name."""
        ...


class Keeping(ABC):
    """The part of a `Dialect` that keeps a database and brings it back."""

    label: ClassVar[str]

    dumps_whole: ClassVar[bool] = False
    """A backup is always the whole database, because it is the file."""
    dump_stream: ClassVar[DumpStream | None] = None
    """How a dump goes to a store and comes back without a disk; None: it is a file's copy."""
    drops_grants: ClassVar[bool] = False
    """Rights end with what they are on, and a restore has to give them again."""
    replaces_at_once: ClassVar[bool] = True
    """`replace` happens at once or not at all, whoever is killed in it."""

    @abstractmethod
    def dump(
        self,
        url: URL,
        schema: str,
        folder: Path,
        order: DumpOrder = DumpOrder(),  # noqa: B008 (frozen)
    ) -> list[Path]:
        """Write a backup of the database into ``folder`` with the engine's own means.

        The ledger is left out, or restored by nobody. Returns the files written. Raises BackupError
        or DriverMissingError with the package's name.
        """

    def dump_tool(self, url: URL) -> str:
        """Return what writes a backup, with its version."""
        return self.label

    def beside(self, session: "Queryable") -> Beside:
        """Return what `replace` concerns and `read_catalog` does not tell."""
        del session
        return Beside()

    def export_snapshot(self, session: "Queryable") -> str:
        """Return a name by which `dump` sees what this session's open transaction sees.

        '' where the engine has none: then a dump sees the moment at which it is made.
        """
        return ""

    @abstractmethod
    def restore(self, url: URL, files: Sequence[Path]) -> None:
        """Restore a backup into the empty database at ``url``."""

    def replace(self, connection: Any, url: URL, files: Sequence[Path]) -> None:
        """Put a backup in the place of everything in the database but our ledger, which stays.

        ``connection`` holds the lock of the run, is outside of a transaction, and can be used
        afterwards; no other session of ours is open. Killed in between, a repetition leads to the
        same end; where the engine can, all of it happens at once or not at all.

        Raises:
            RestoreError: It was refused; what was there before is there, or a repetition mends it.
        """
        msg = f"{self.label} cannot be restored in place yet"
        hint = "Restore the backup's files with the engine's own tools."
        raise NotYetError(msg, hint=hint)

    @abstractmethod
    def scratch(self, url: URL, folder: Path, name: str = "", like: URL | None = None) -> Scratch:
        """Return a context manager that makes an empty scratch database and drops it afterwards.

        Beside ``url`` where the engine is a server, else in ``folder``. Without a ``name`` it gets
        one that nothing else has. It takes the texts that the database ``like`` takes.
        """
