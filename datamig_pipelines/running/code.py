"""The text behind a user's function: its module, and what that imports from beside it."""

import ast
import inspect
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer.transforms import find_function

_DIGITS = 16


def code_of(transform: str, migration: Migration) -> str:
    """Return a digest of the modules behind a user's function; '' where there is no text.

    Its own module, and those of the project that it imports, and so on: beside it, beside the YAML
    file, or below the working directory. Installed packages are not looked at.

    Raises:
        TransformNotFoundError: It cannot be imported.
    """
    function, _ = find_function(transform, migration.base)
    try:
        file = inspect.getsourcefile(function)
        first = Path(file).resolve() if file else None
        texts = _texts(first, (migration.base, Path.cwd())) if first else []
    except (TypeError, OSError):
        return ""  # built in or compiled: there is no text to compare
    if len(texts) < 2:
        return sha256(texts[0]).hexdigest()[:_DIGITS] if texts else ""
    return sha256(b"".join(sha256(text).digest() for text in texts)).hexdigest()[:_DIGITS]


def _texts(first: Path, folders: tuple[Path, ...]) -> list[bytes]:
    """Return a module's text, then those of what it imports, in the order of their names there."""
    found: dict[Path, bytes] = {}
    left = [first]
    while left:
        file = left.pop(0)
        if file in found:
            continue
        found[file] = file.read_bytes()
        if "site-packages" not in file.parts:
            names = sorted(set(_imports(found[file])))
            left += [f for name in names for f in _files(name, file, folders)]
    return list(found.values())


def _imports(text: bytes) -> Iterator[str]:
    """Yield ``a.b`` for each module, and each name in one, that a text imports."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return  # an import of it says so
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = [node.module] if node.module else []
            yield from (".".join([*module, alias.name]) for alias in node.names)
            yield from module


def _files(name: str, importer: Path, folders: tuple[Path, ...]) -> Iterator[Path]:
    """Yield the file of a module, if it is one of the project's."""
    path = Path(*name.split("."))
    for folder in (importer.parent, *folders):
        for file in (folder / path.with_suffix(".py"), folder / path / "__init__.py"):
            if "site-packages" not in file.parts and file.is_file():
                yield file.resolve()
                return
