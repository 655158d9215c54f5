"""Backups in a local folder."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from datamig_pipelines.backups.failing import translated
from datamig_pipelines.backups.store import BLOCK_BYTES, MANIFEST, Store


class FolderStore(Store):
    """One folder per backup, readable by its owner only."""

    on_disk: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder

    @override
    def check(self, backup: str) -> None:
        with self.workspace(f"{backup}-probe") as probe:
            (probe / "probe").write_bytes(b"probe")

    @override
    def put(self, backup: str, name: str, path: Path) -> None:
        target = self.folder / backup / name
        with translated(str(self.folder)):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _synced(path)
            path.chmod(0o600)
            path.replace(target)

    @override
    def put_stream(
        self, backup: str, name: str, blocks: Iterator[bytes], about_bytes: int = 0
    ) -> None:
        part = self.folder / backup / f".{name}.part"
        with translated(str(self.folder)):
            part.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with part.open("wb") as file:
                file.writelines(blocks)
            self.put(backup, name, part)

    @override
    def write(self, backup: str, name: str, data: bytes) -> None:
        self.put_stream(backup, name, iter([data]))

    @override
    def read(self, backup: str, name: str) -> bytes | None:
        path = self.folder / backup / name
        with translated(str(self.folder)):
            return path.read_bytes() if path.is_file() else None

    @override
    def blocks(self, backup: str, name: str) -> Iterator[bytes]:
        with (self.folder / backup / name).open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block

    @override
    def backups(self) -> list[str]:
        with translated(str(self.folder)):
            there = self.folder.iterdir() if self.folder.is_dir() else ()
            return sorted(p.name for p in there if p.is_dir() and not p.name.startswith("."))

    @override
    def remove(self, backup: str) -> None:
        folder = self.folder / backup
        with translated(str(self.folder)):
            (folder / MANIFEST).unlink(missing_ok=True)
            if folder.exists():
                shutil.rmtree(folder)

    @override
    def place(self, backup: str) -> str:
        return str(self.folder / backup)

    @override
    def local(self, backup: str, name: str) -> Path | None:
        return self.folder / backup / name


def _synced(path: Path) -> None:
    """Wait until the disk has a file: a backup that only the page cache has is none."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
