"""The moment of a file: what changes with every commit to it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from datamig_pipelines.dialects.sqlite.driver import query

_MAGIC: Final = b"SQLite format 3\0"
_DESCRIPTORS: Final = (Path("/proc/self/fd"), Path("/dev/fd"))
_WAL: Final = b"\x02\x02"  # versions of the format that a writer and a reader must know


def position(connection: Any) -> str:
    """Return inode, size, time of the last change and change counter of a file that is being read.

    The counter moves with every commit in rollback mode only: '' in WAL mode, where commits stay
    out of the file. '' also where the header cannot be read. It is read through a descriptor that
    is open already: closing one of our own would drop all locks that this process has on the file.
    """
    (file,) = query(connection, "SELECT file FROM pragma_database_list WHERE name = 'main'", ())[0]
    with suppress(OSError):
        place = Path(file).stat()
        for name in [n for f in _DESCRIPTORS if f.is_dir() for n in f.iterdir()]:
            header = _header(int(name.name), place)
            if header.startswith(_MAGIC) and header[18:20] != _WAL:
                counter = int.from_bytes(header[24:28], "big")
                return f"{place.st_ino}:{place.st_size}:{place.st_mtime_ns}:{counter}"
    return ""


def _header(descriptor: int, place: os.stat_result) -> bytes:
    """Return the first bytes of a descriptor if it is that file's, else nothing."""
    with suppress(OSError):
        if os.path.samestat(os.fstat(descriptor), place):
            return os.pread(descriptor, 100, 0)
    return b""
