"""What a restore takes from a target: everything that is there and not in the backup, named."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from datamig_pipelines.backups import State, bare, other_grants, strangers
from datamig_pipelines.backups.counters import moved
from datamig_pipelines.backups.state import SCHEMA

_TABLE: Final = "table "
_RIGHT: Final = re.compile(r"^grant (.*?)\.[A-Za-z, ]+ on [A-Z ]+? (.+) to [^ ]+$")
"""A right on something in a schema: the schema, and what it is on."""
_DEFAULTS: Final = "default privileges "
_COUNTED: Final = ("large objects", "history of ")
"""Kinds whose figures say how many there are."""
STAYS: Final = "extension "
"""What others may use by now is not dropped, and no reason to call a way back wrong."""


@dataclass(frozen=True)
class Overwritten:
    """What a restore takes from one table: its rows now, and those of the backup (None: no table).

    ``made`` says that the run made the table, ``since`` what was written to it since the load.
    Views, functions and the like (``view v``) have no rows of their own.
    """

    table: str
    rows: int
    before: int | None
    made: bool
    since: str = ""

    @property
    def foreign(self) -> bool:
        """Say whether something goes that the run did not bring."""
        return not self.made or bool(self.since)

    @property
    def told(self) -> str:
        """Return in words what goes."""
        rows = f"{self.rows:,} rows"
        if self.before is not None:
            return f"{rows} now, {self.before:,} in the backup  !! WRITTEN TO SINCE"
        if self.made or self.since:
            return self.since or f"{rows}, made by the run"
        return f"{rows}  !! MADE BY OTHERS SINCE"


def taken(then: State, now: State, made: Collection[str]) -> Iterator[Overwritten]:
    """Yield what is not as it was in a backup; extensions stay, and so do rights on what stays."""
    rows = []
    for name, facts in now.tables.items():
        before = then.tables.get(name)
        if before is None or before.fingerprint != facts.fingerprint:
            rows.append(name)
            yield Overwritten(name, facts.rows, before.rows if before else None, name in made)
    for name in strangers(then, now):
        if not name.startswith((_TABLE, STAYS)):
            yield _thing(name, then, made)
    yield from (_thing(schema, then, made) for schema in _bare_schemas(then, now))
    counters = tuple(f"counter {name}." for name in rows)
    for name, was, stands in moved(then.counters, now.counters):
        if not name.startswith(counters):
            since = f"stands at {stands}, at {was} in the backup"
            yield Overwritten(name, 0, None, made=False, since=since)


def rights_since(then: State, now: State, made: Collection[str]) -> Iterator[Overwritten]:
    """Yield the rights on things of the backup that were given since: they go with these."""
    things = {*strangers(then, now)}
    new = {bare(thing).partition(" ")[2] for thing in things} | {
        thing.partition(" ")[2] for thing in things
    }
    for right in other_grants(then, now):
        known = right in then.others or {right.partition(" ")[2], bare(right)} & {*made}
        if not known and (right.startswith(_DEFAULTS) or _is_on_old(bare(right), new)):
            yield Overwritten(bare(right), 0, None, made=False, since="given since the backup")


def _bare_schemas(then: State, now: State) -> Iterator[str]:
    """Yield the new schemas that hold nothing which is named anyway."""
    held = [*now.tables, *now.views, *(o.partition(" ")[2] for o in now.others)]
    for other in now.others:
        inside = other.removeprefix(SCHEMA) + "."
        new = other.startswith(SCHEMA) and other not in then.others
        if new and not any(name.startswith(inside) for name in held):
            yield other


def _is_on_old(right: str, new: Collection[str]) -> bool:
    """Say whether a right is on something that the backup has."""
    found = _RIGHT.match(right)
    if found is None:
        return False
    schema, on = found.groups()
    plain = on.strip('"').replace('""', '"')
    return f"{schema}.{plain}" not in new


def _thing(other: str, then: State, made: Collection[str]) -> Overwritten:
    """Return an entry of a view, function, sequence …; its digest is no part of the name."""
    name = bare(other)
    was = next((o for o in then.others if bare(o) == name), "")
    if name.startswith(_COUNTED):
        since = f"{_figure(other)} now, {_figure(was)} in the backup  !! CHANGED SINCE"
        return Overwritten(name, 0, None, made=False, since=since)
    mine = bool({other.partition(" ")[2], name} & {*made})
    since = "is not as it was in the backup" if was else "!! MADE BY OTHERS SINCE"
    since = "" if mine else since
    return Overwritten(name if since else other, 0, None, mine, since)


def _figure(other: str) -> str:
    """Return how many there are of what an entry of a state counts."""
    return other.rpartition(" (")[2].rstrip(")").partition(":")[0] or "0"
