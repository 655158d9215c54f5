"""The line of a target: migrations that come after each other, read from the files alone."""

import re
from dataclasses import dataclass
from pathlib import Path

from datamig_pipelines.errors import (
    LineCycleError,
    LineTargetsError,
    SpecError,
    TwoHeadsError,
    UnknownPredecessorError,
)
from datamig_pipelines.spec.connection import address
from datamig_pipelines.spec.files import read_migration
from datamig_pipelines.spec.migration import Migration

_AFTER = re.compile(r"\bafter:")


@dataclass(frozen=True)
class Line:
    """The migrations of one line, first to last. A migration's name is its version."""

    migrations: tuple[Migration, ...]
    files: dict[str, Path]

    @property
    def names(self) -> list[str]:
        """Return the versions, first to last."""
        return [m.name for m in self.migrations]


def line_of(migration: Migration) -> Line:
    """Return the line that a migration stands in; most lines have one member.

    Members are looked for beside the folder of the file: ``../*/defs.yaml``. A file that cannot be
    read is left out unless somebody comes after it.

    Raises:
        UnknownPredecessorError, LineCycleError, TwoHeadsError, LineTargetsError: With advice.
    """
    files = _Files(migration)
    first, seen = migration, [migration.name]
    while first.after:
        before = files.named(first.after)
        if before is None:
            raise _unknown(first, files)
        if before.name in seen:
            ring = " → ".join([*reversed(seen), before.name])
            raise LineCycleError(
                f"migrations come after each other in a ring: {ring}",
                hint="Take `after:` out of the one that is to be the first.",
            )
        _check_target(before, first)
        seen.append(before.name)
        first = before
    found = [first]
    while after := files.after(found[-1]):
        if len(after) > 1:
            raise _two_heads(found[-1], after)
        _check_target(found[-1], after[0])
        found.append(after[0])
    return Line(tuple(found), files.paths)


def is_there(migration: Migration, name: str) -> bool:
    """Say whether a migration of this name stands beside one, in its line or not."""
    return _Files(migration).named(name) is not None


class _Files:
    """The migrations beside one; files are parsed only where their text says that it matters."""

    def __init__(self, migration: Migration) -> None:
        self.known = {migration.name: migration}
        self.paths: dict[str, Path] = {}
        self.broken: list[str] = []
        self.texts: dict[Path, str] = {}
        for path in sorted(migration.base.parent.glob("*/defs.yaml")):
            if path.parent != migration.base:
                try:
                    self.texts[path] = path.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError):
                    self.broken.append(str(path))
        for path in [p for p, text in self.texts.items() if _AFTER.search(text)]:
            self._read(path)

    def named(self, name: str) -> Migration | None:
        if name not in self.known:
            said = re.compile(rf"\bname:\s*['\"]?{re.escape(name)}\b")
            for path in [p for p, text in self.texts.items() if said.search(text)]:
                self._read(path)
        return self.known.get(name)

    def after(self, migration: Migration) -> list[Migration]:
        return [m for m in self.known.values() if m.after == migration.name]

    def _read(self, path: Path) -> None:
        del self.texts[path]
        try:
            found = read_migration(path)
        except SpecError:
            self.broken.append(str(path))
            return
        if self.known.setdefault(found.name, found) is found:
            self.paths[found.name] = path


def _unknown(migration: Migration, files: _Files) -> UnknownPredecessorError:
    broken = f" These files cannot be read: {', '.join(files.broken)}." if files.broken else ""
    return UnknownPredecessorError(
        f"{migration.name} comes after {migration.after}, which is not there",
        hint=f"Write the name of a migration below {migration.base.parent}, or leave `after:` out."
        + broken,
    )


def _two_heads(before: Migration, after: list[Migration]) -> TwoHeadsError:
    one, two = sorted(m.name for m in after)[:2]
    return TwoHeadsError(
        f"{one} and {two} both come directly after {before.name}",
        hint=f"Put them in order: write `after: {one}` in {two}, or the other way round.",
    )


def _check_target(before: Migration, migration: Migration) -> None:
    """Refuse two targets, as far as they are known here: a variable may be set elsewhere."""
    one, two = before.target, migration.target
    if one.url_env is not None and one.url_env == two.url_env:
        return
    try:
        places = [address(m.target.resolve(m.base)) for m in (before, migration)]
    except SpecError:
        return
    if places[0] != places[1]:
        raise LineTargetsError(
            f"{migration.name} comes after {before.name}, but its target is another database",
            hint="Give both the same target, or leave `after:` out.",
        )
