"""Gives tables names that Dagster allows, without two of them becoming one."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import dagster as dg

from datamig_pipelines.planning.artefact import KnownTable

_FOREIGN = re.compile(r"[^A-Za-z0-9_]")


def segments(names: Sequence[str]) -> dict[str, str]:
    """Return name → ``[A-Za-z0-9_]`` name; a changed name that is taken gets a digest."""
    clean = {name: _FOREIGN.sub("_", name) for name in names}
    count = Counter(clean.values())
    return {
        name: segment if segment == name or count[segment] == 1 else f"{segment}_{_digest(name)}"
        for name, segment in clean.items()
    }


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:6]


class Keys:
    """The asset keys of one migration: ``shop/plan``, ``shop/source/orders``, ….

    The schema stands in a table's key only where the tables are of several schemas.
    """

    def __init__(self, migration: str, tables: Sequence[KnownTable]) -> None:
        """Give every table its place."""
        self.migration = migration
        schemas = {t.name.removesuffix(t.short) for t in tables}
        shown = {t.name: t.short if len(schemas) == 1 else t.name for t in tables}
        clean = segments(list(shown.values()))
        self._segments = {name: clean[short] for name, short in shown.items()}
        self._names = {**{t.short: t.name for t in tables}, **{t.name: t.name for t in tables}}

    def step(self, step: str) -> dg.AssetKey:
        """Return the key of a step."""
        return dg.AssetKey([self.migration, step])

    @property
    def rest(self) -> dg.AssetKey:
        """Return the key of the asset that stands for all tables not known yet."""
        return dg.AssetKey([self.migration, "tables"])

    def source(self, table: str) -> dg.AssetKey:
        """Return the key of a table in the source."""
        return dg.AssetKey([self.migration, "source", self._segments[table]])

    def table(self, *names: str) -> dg.AssetKey | None:
        """Return the key of a table that goes by one of these names, None if it is not known."""
        known = next((self._names[n] for n in names if n in self._names), None)
        return None if known is None else self._key(self._segments[known])

    def new_table(self, name: str) -> dg.AssetKey:
        """Return the key that a table will have once the definitions were loaded again."""
        return self._key(_FOREIGN.sub("_", name))

    def _key(self, segment: str) -> dg.AssetKey:
        return dg.AssetKey([self.migration, "tables", segment])
