"""Decides what becomes of objects that are neither tables nor views."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from datamig_pipelines.catalog import Catalog, SchemaObject, TableName
from datamig_pipelines.planning.columns import Engines
from datamig_pipelines.spec import Migration
from datamig_pipelines.transfer import Route

Note = Callable[[str], None]
Place = Callable[[str], str]
"""The target's schema for one of the source's."""

_SHOWN = 8
_RIGHTS = ("grant", "owner")
_FREE = ("extension", "sequence", "type", "domain")
"""Kinds whose text names no table."""

_BECOMES = {
    "type": "their columns get a type of the target, and a check where it had a list of values",
    "domain": "their columns get the type below them, and its checks",
    "partition": "their rows are in the one table",
}


def named(names: Iterable[str]) -> str:
    """Return some names, and how many more there are."""
    listed = list(names)
    more = f" … and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def unmoved(others: Sequence[tuple[str, str]], note: Note) -> None:
    """Note what no step moves, by kind."""
    for kind in sorted({kind for kind, _ in others}):
        names = [name for k, name in others if k == kind]
        note(f"{len(names)} {kind} not moved by this version: {named(names)}")


def keeps_names(migration: Migration) -> bool:
    """Say whether every table and column arrives, under the name that it has."""
    changed = any(
        t.rename or any(c.rename or c.drop for c in t.columns.values()) for t in migration.tables
    )
    whole = migration.include == ("*",) and not migration.exclude
    return whole and not changed and migration.names == "keep"


class Objects:
    """Plans the objects of one migration."""

    def __init__(
        self, migration: Migration, engines: Engines, place: Place, owned: frozenset[str]
    ) -> None:
        """Keep what decides; ``owned`` are the objects that this migration made before."""
        self._migration = migration
        self._engines = engines
        self._place = place
        self._owned = owned

    def plan(
        self, there: Catalog, here: Catalog, routes: Sequence[Route], note: Note
    ) -> tuple[SchemaObject, ...]:
        """Return the objects that are made in the target, with their target's names."""
        left: dict[tuple[str, str], list[str]] = {}
        kept: dict[str, SchemaObject] = {}
        taken = {str(o) for o in here.objects} - self._owned
        parted = {r.target.name for r in routes if r.target.partition_by}
        for found in there.objects:
            made = replace(
                found,
                name=TableName(
                    self._place(found.name.schema) if found.name.schema else "", found.name.name
                ),
            )
            reason = self._reason(made, here, parted=bool(parted))
            again = made.kind not in (*_RIGHTS, "comment") and str(made) in taken
            if not reason and (again or str(made) in kept):
                if made.kind == "extension":
                    continue
                reason = "the target has one of that name"
            if reason:
                left.setdefault((made.kind, reason), []).append(_called(found))
            else:
                kept[str(made)] = made
        for (kind, reason), names in left.items():
            note(f"{len(names)} {kind} left behind: {named(names)}: {reason}")
        self._tell(there.objects, tuple(kept.values()), note)
        return tuple(kept.values())

    def _reason(self, made: SchemaObject, here: Catalog, *, parted: bool) -> str:
        """Return why an object is left behind, '' if it is not."""
        label = self._engines.target.label
        if not self._engines.same:
            own = f"{label} has no counterpart; write it anew there"
            return _BECOMES.get(made.kind, own)
        if made.kind in _RIGHTS:
            if self._migration.grants == "ignore":
                return "`grants: keep` moves them"
            if made.role and made.role not in here.roles:
                return f"the target has no role {made.role}: create it there"
        if made.kind == "partition" and not parted:
            return _BECOMES["partition"]
        if made.kind not in _FREE and not keeps_names(self._migration):
            return "tables or columns are renamed or left behind, and its text names them as before"
        return ""

    def _tell(
        self, there: tuple[SchemaObject, ...], kept: tuple[SchemaObject, ...], note: Note
    ) -> None:
        for kind in dict.fromkeys(o.kind for o in kept):
            names = [_called(o) for o in kept if o.kind == kind]
            note(f"{len(names)} {kind} made as in the source: {named(names)}")
        if any(o.kind == "macro" for o in kept):
            note("macros lose the defaults of their parameters: no catalog of DuckDB tells them")
        moved = sorted({o.name.schema for o in there} - {o.name.schema for o in kept})
        if kept and moved:
            note(f"texts of objects that name the schema {named(moved)} still do: look at them")
        if any(o.kind == "event" for o in kept):
            note("events arrive disabled, for they would act on both sides: enable them at the end")
        if any(o.before for o in kept):
            note("programs lose their DEFINER: they belong to the user that makes them")


def _called(made: SchemaObject) -> str:
    """Return how a note calls an object: a right and a comment say themselves what they are of."""
    return made.name.name if made.kind in (*_RIGHTS, "comment") else str(made.name)
