"""Which files are there, and which tables they make.

A file in the folder is a table under the file's name; a sub-folder is one table in parts. Names
that begin with ``_`` or ``.`` are left alone, as by every tool that writes such folders.
"""

import gzip
from collections import defaultdict
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from datamig_pipelines.dialects.files import store
from datamig_pipelines.dialects.files.address import ENDINGS, WILD, Address
from datamig_pipelines.errors import BrokenFileError, ConnectError, NameCollisionError


@dataclass(frozen=True)
class File:
    """One file: its full name, its size, and what changes whenever its content does."""

    name: str
    bytes: int
    mark: str


@dataclass(frozen=True)
class TableFiles:
    """The files of one table, in the order in which they are read."""

    name: str
    files: tuple[File, ...]
    partitioned: bool = False
    """Folders like ``year=2024`` stand between the table's folder and its files."""

    @property
    def bytes(self) -> int:
        """Return the size of all files."""
        return sum(f.bytes for f in self.files)


@dataclass(frozen=True)
class Listing:
    """The tables of a folder, and the names of the files that make none."""

    tables: tuple[TableFiles, ...]
    others: tuple[str, ...] = ()


def listing(address: Address) -> Listing:
    """Return what lies at an address.

    Raises:
        ConnectError: There is no such folder, or nothing of the format in it.
        NameCollisionError: Two files would make one table.
    """
    found = _in_store(address) if address.bucket else _in_folder(address)
    if address.wild:
        found = {r: f for r, f in found.items() if _matches(f.name, address)}
    groups: dict[str, dict[str, File]] = defaultdict(dict)
    others = []
    for relative, file in sorted(found.items()):
        parts = PurePosixPath(relative).parts or (PurePosixPath(file.name).name,)
        if any(part.startswith(("_", ".")) for part in parts):
            continue
        if not parts[-1].lower().endswith(ENDINGS[address.format]):
            others.append(relative)
        elif len(parts) == 1:
            _add(groups, _stem(parts[0], address), relative, file)
        else:
            groups[parts[0]][relative] = file
    _check(groups, address)
    tables = [_table(name, files) for name, files in sorted(groups.items())]
    return Listing(tuple(tables), tuple(others))


def _table(name: str, files: dict[str, File]) -> TableFiles:
    folders = [PurePosixPath(r).parts[1:-1] for r in files]
    partitioned = all(f and all("=" in part for part in f) for f in folders)
    return TableFiles(name, tuple(files.values()), partitioned)


def _add(groups: dict[str, dict[str, File]], name: str, relative: str, file: File) -> None:
    if name in groups:
        there = next(iter(groups[name].values())).name
        raise _collision(name, there, file.name)
    groups[name][relative] = file


def _collision(name: str, one: str, other: str) -> NameCollisionError:
    msg = f"{one} and {other} would both be the table {name}"
    return NameCollisionError(msg, hint="Rename one, or put parts of one table into a sub-folder.")


def _check(groups: dict[str, dict[str, File]], address: Address) -> None:
    if not groups:
        ends = ", ".join(ENDINGS[address.format])
        msg = f"there is no {address.format} file at {address}"
        hint = (
            f"Files must end in {ends}; an absolute path has four slashes ({address.format}:////…)."
        )
        raise ConnectError(msg, hint=hint)
    folded: dict[str, str] = {}
    for name, files in groups.items():
        first = next(iter(files.values())).name
        if name.lower() in folded or (len(files) > 1 and _mixed(files)):
            raise _collision(name, folded.get(name.lower(), first), [*files.values()][-1].name)
        folded[name.lower()] = first


def _mixed(files: dict[str, File]) -> bool:
    """Say whether a table has a file of its own beside a folder of its name."""
    return len({len(PurePosixPath(r).parts) == 1 for r in files}) > 1


def _stem(name: str, address: Address) -> str:
    ending = max((e for e in ENDINGS[address.format] if name.lower().endswith(e)), key=len)
    return name[: -len(ending)] or name


def _matches(name: str, address: Address) -> bool:
    pattern = PurePosixPath(address.named("")).parts
    wanted = (
        PurePosixPath(str(address)).parts if address.bucket else PurePosixPath(address.path).parts
    )
    rest, parts = wanted[len(pattern) :], PurePosixPath(name).parts[len(pattern) :]
    return len(rest) == len(parts) and all(map(fnmatchcase, parts, rest))


def _in_folder(address: Address) -> dict[str, File]:
    root = Path(address.root)
    try:
        if root.is_file():
            return {"": _file(root)}
        if not root.is_dir():
            msg = f"there is no folder or file {root}"
            hint = f"Check the path; an absolute one has four slashes: {address.format}:////data"
            raise ConnectError(msg, hint=hint)
        paths = [p for p in root.rglob("*") if p.is_file()]
        return {p.relative_to(root).as_posix(): _file(p) for p in paths}
    except PermissionError as error:
        msg = f"{error.filename} cannot be read: {error.strerror}"
        raise ConnectError(msg, hint="Check the rights on the folder.") from error


def _file(path: Path) -> File:
    stat = path.stat()
    return File(str(path), stat.st_size, str(stat.st_mtime_ns))


def _in_store(address: Address) -> dict[str, File]:
    root = address.root
    found = {}
    for key, size, mark in store.listed(address.bucket, root):
        file = File(f"s3://{address.bucket}/{key}", size, mark)
        relative = "" if key == root else key.removeprefix(f"{root}/" if root else "")
        if not key.endswith("/"):
            found[relative] = file
    return found


def marks(table: TableFiles) -> tuple[tuple[str, int, str], ...]:
    """Return the names, sizes and marks that the files have now; a missing one has no mark."""
    now: dict[str, tuple[int, str]] = {}
    if any(f.name.startswith("s3://") for f in table.files):
        for folder in {f.name.rpartition("/")[0] for f in table.files}:
            bucket, _, prefix = folder.removeprefix("s3://").partition("/")
            now |= {f"s3://{bucket}/{k}": (size, m) for k, size, m in store.listed(bucket, prefix)}
    else:
        there = [f for f in table.files if Path(f.name).exists()]
        now = {f.name: (f.bytes, f.mark) for f in (_file(Path(f.name)) for f in there)}
    return tuple((f.name, *now.get(f.name, (0, ""))) for f in table.files)


def head(file: File, size: int) -> bytes:
    """Return the first bytes of a file, unpacked."""
    if file.name.startswith("s3://"):
        raw = store.head(file.name, min(size, file.bytes)) if file.bytes else b""
        return _unpacked(file.name, raw)
    with Path(file.name).open("rb") as opened:
        return _unpacked(file.name, opened.read(size))


def _unpacked(name: str, raw: bytes) -> bytes:
    import zlib

    if name.endswith(".gz"):
        try:
            return zlib.decompressobj(wbits=31).decompress(raw)
        except (zlib.error, gzip.BadGzipFile) as error:
            msg = f"{name} is not what its ending says: {error}"
            raise BrokenFileError(msg, hint="Write it again, or rename it.") from error
    if name.endswith(".zst"):
        import pyarrow as pa

        with pa.input_stream(pa.py_buffer(raw), compression="zstd") as stream:
            return bytes(stream.read(len(raw)))
    return raw


def escaped(name: str) -> str:
    """Return a name that DuckDB does not take for a pattern."""
    return "".join(f"[{c}]" if c in WILD else c for c in name)
