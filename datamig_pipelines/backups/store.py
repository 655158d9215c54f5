"""What a place for backups can do."""

import hashlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from datamig_pipelines.backups.failing import translated

BLOCK_BYTES = 1024 * 1024
MANIFEST = "manifest.json"


class Store(ABC):
    """A folder or a bucket; a backup is a folder in it, complete when its manifest is there.

    ``work`` is a local folder for what is in the making; nothing there is a backup.
    """

    work: Path
    on_disk: ClassVar[bool]
    """Backups lie on this machine's disk: a dump of many files is as good as one stream."""

    @abstractmethod
    def check(self, backup: str) -> None:
        """Write and delete a small file, so that hours of dumping do not end in a closed door."""

    @abstractmethod
    def put(self, backup: str, name: str, path: Path) -> None:
        """Move a local file into a backup."""

    @abstractmethod
    def put_stream(self, backup: str, name: str, blocks: Iterator[bytes], about_bytes: int) -> None:
        """Write a file of a backup, at once or not at all; it may be four times ``about_bytes``."""

    @abstractmethod
    def write(self, backup: str, name: str, data: bytes) -> None:
        """Write a small file of a backup, at once or not at all."""

    @abstractmethod
    def read(self, backup: str, name: str) -> bytes | None:
        """Return a small file of a backup, None if it is not there."""

    @abstractmethod
    def blocks(self, backup: str, name: str) -> Iterator[bytes]:
        """Yield a file, block by block."""

    @abstractmethod
    def backups(self) -> list[str]:
        """Return the names of all backups, complete or not."""

    @abstractmethod
    def remove(self, backup: str) -> None:
        """Delete a backup, its manifest first. Idempotent."""

    @abstractmethod
    def place(self, backup: str) -> str:
        """Return where a backup is, for people."""

    def local(self, backup: str, name: str) -> Path | None:
        """Return the path of a file where it lies on this machine's disk."""
        del backup, name
        return None

    @contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """Make an empty local folder, gone at the end of the block (a killed one: at the next)."""
        folder = self.work / f".{name}"
        shutil.rmtree(folder, ignore_errors=True)
        with translated(str(self.work)):
            folder.mkdir(parents=True)
        try:
            with translated(str(self.work)):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def sha256(self, backup: str, name: str, into: Path | None = None) -> str:
        """Read a file back and return its digest; ``into`` gets a copy."""
        found = hashlib.sha256()
        if into is None:
            for block in self.blocks(backup, name):
                found.update(block)
            return found.hexdigest()
        into.parent.mkdir(parents=True, exist_ok=True)
        with into.open("wb") as file:
            for block in self.blocks(backup, name):
                found.update(block)
                file.write(block)
        return found.hexdigest()
