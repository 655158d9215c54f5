"""Gives everything in the target a name that the target can keep."""

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Final, Literal

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.errors import NameCollisionError

Style = Literal["keep", "lower", "snake"]

_ODD: Final = re.compile(r"[^\w]+", re.UNICODE)


def styled(name: str, style: Style) -> str:
    """Return a name in a style: as it is, in lower case, or in words with ``_`` between.

    A name of nothing but marks keeps them: it has no words.
    """
    if style == "keep":
        return name
    if style == "lower":
        return name.lower()
    words = _ODD.sub("_", "".join(_humps(name)))
    return re.sub(r"_+", "_", words).strip("_").lower() or name


def _humps(name: str) -> Iterator[str]:
    """Yield the letters of a name, with ``_`` before each that begins a word (``HTTPServer``)."""
    for before, letter, after in zip(" " + name, name, name[1:] + " ", strict=False):
        starts = before.islower() or before.isdigit() or (before.isupper() and after.islower())
        yield f"_{letter}" if letter.isupper() and starts else letter


class Names:
    """The names given so far in the target.

    Tables, views and indexes of one schema share one space; the constraints of a table share
    another. Tables come first, for a user knows them by name; indexes give way.
    """

    def __init__(self, dialect: Dialect, style: Style = "keep") -> None:
        """Start with no name given; what gives way (indexes, constraints) follows the style."""
        self._dialect = dialect
        self._style: Style = style
        self._relations: dict[tuple[str, str], str] = {}
        self._constraints: set[tuple[TableName, str]] = set()

    def table(self, name: TableName, source: str) -> TableName:
        """Give a table its name.

        Raises:
            NameCollisionError: Another table has it, or it is too long.
        """
        self._fits(name.name, f"table {source}")
        holder = self._relations.setdefault((name.schema, self._same(name.name)), source)
        if holder != source:
            raise NameCollisionError(
                f"{holder} and {source} would both become {name}",
                hint=f"Give one of them another name: tables: - name: {source}, rename: …",
            )
        return name

    def columns(self, table: str, names: list[str]) -> None:
        """Check the column names of one table. Raises NameCollisionError."""
        seen: dict[str, str] = {}
        for name in names:
            self._fits(name, f"column {table}.{name}")
            if (other := seen.get(self._same(name))) is not None:
                both = name if other == name else f"{other} and {name}, which are one name there"
                raise NameCollisionError(
                    f"two columns of {table} would be called {both}",
                    hint="Rename one of them below columns:, or choose another style of names:.",
                )
            seen[self._same(name)] = name

    def relation(self, schema: str, table: str, wanted: str) -> str:
        """Give an index, a key or a view a name that is free: as wanted, else with the table's."""
        return self._free(
            table,
            wanted,
            taken=lambda name: (schema, self._same(name)) in self._relations,
            take=lambda name: self._relations.update({(schema, self._same(name)): table}),
        )

    def constraint(self, table: TableName, wanted: str) -> str:
        """Give a check or a foreign key a name that no other constraint of its table has."""
        return self._free(
            table.name,
            wanted,
            taken=lambda name: (table, self._same(name)) in self._constraints,
            take=lambda name: self._constraints.add((table, self._same(name))),
        )

    def _free(
        self, table: str, wanted: str, *, taken: Callable[[str], bool], take: Callable[[str], None]
    ) -> str:
        for candidate in _candidates(table, styled(wanted, self._style)):
            name = shortened(candidate, self._dialect.can.max_identifier_bytes)
            if not taken(name):
                take(name)
                return name
        raise NameCollisionError(
            f"no free name for {wanted} of {table}",
            hint="Rename the index or constraint in the source.",
        )

    def _same(self, name: str) -> str:
        return name.lower() if self._dialect.can.names_ignore_case else name

    def _fits(self, name: str, what: str) -> None:
        limit = self._dialect.can.max_identifier_bytes
        size = len(name.encode())
        if size > limit:
            raise NameCollisionError(
                f"the name of {what} has {size} bytes, {self._dialect.label} keeps {limit}",
                hint="Give it a shorter name with rename:.",
            )


def _candidates(table: str, wanted: str) -> Iterator[str]:
    yield wanted
    yield f"{table}_{wanted}"
    for number in range(2, 1000):
        yield f"{table}_{wanted}_{number}"


def shortened(name: str, limit: int) -> str:
    """Return a name of at most ``limit`` bytes; a cut one ends in a digest of the whole."""
    raw = name.encode()
    if len(raw) <= limit:
        return name
    tail = "_" + hashlib.sha256(raw).hexdigest()[:8]
    return raw[: limit - len(tail)].decode("utf-8", "ignore") + tail
