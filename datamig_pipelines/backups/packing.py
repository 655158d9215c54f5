"""Compresses files into a store and gets them out again; digests on the way, memory bounded."""

import gzip
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from datamig_pipelines.backups.manifest import StoredFile
from datamig_pipelines.backups.store import BLOCK_BYTES

_COMPRESSED: Final = {".gz", ".dump", ".dat", ".toc"}
_LEVEL: Final = 1
"""gzip -1: a sixth of the time of -6 for a tenth more bytes; any machine can unpack it."""


class _Digesting:
    """Writes to a file and digests what it writes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


class Digested:
    """Passes blocks on, and knows their digest and size once they are through."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.sha256 = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the blocks that are left."""
        for block in self._blocks:
            self.sha256.update(block)
            self.size += len(block)
            yield block


def packed(path: Path, root: Path) -> tuple[Path, StoredFile]:
    """Return the file to store and its entry; what is not compressed yet is, in its place."""
    name = path.relative_to(root).as_posix()
    if path.suffix in _COMPRESSED:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        return path, StoredFile(name, path.stat().st_size, digest.hexdigest())
    smaller = path.with_name(f"{path.name}.gz")
    with path.open("rb") as source, smaller.open("wb") as file:
        digesting = _Digesting(file)
        with gzip.GzipFile("", "wb", _LEVEL, cast("BinaryIO", digesting), 0) as target:
            shutil.copyfileobj(source, target, BLOCK_BYTES)
    path.unlink()
    entry = StoredFile(f"{name}.gz", digesting.size, digesting.sha256.hexdigest(), packed=True)
    return smaller, entry


def unpacked(path: Path, folder: Path, name: str) -> Path:
    """Return the file that was packed, unpacked into ``folder``."""
    target = folder / name.removesuffix(".gz")
    target.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, BLOCK_BYTES)
    return target
