"""Gives everything in the target a name that the target can keep."""

import hashlib

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects import Dialect
from datamig_pipelines.errors import NameCollisionError


class Names:
    """The names given so far in the target; relations of one schema share one space."""

    def __init__(self, dialect: Dialect) -> None:
        """Start with no name given."""
        self._dialect = dialect
        self._given: dict[tuple[str, str], str] = {}

    def table(self, name: TableName, source: str) -> TableName:
        """Give a table its name. Raises NameCollisionError if another table has it, or it is too long."""
        self._fits(name.name, f"table {source}")
        holder = self._given.setdefault((name.schema, self._same(name.name)), source)
        if holder != source:
            msg = f"{holder} and {source} would both become {name}"
            raise NameCollisionError(msg, hint=f"Give one of them another name: tables: - name: {source}, rename: …")
        return name

    def columns(self, table: str, names: list[str]) -> None:
        """Check the column names of one table. Raises NameCollisionError."""
        seen: dict[str, str] = {}
        for name in names:
            self._fits(name, f"column {table}.{name}")
            other = seen.setdefault(self._same(name), name)
            if other is not name and names.count(name) + names.count(other) > 1:
                msg = f"two columns of {table} would be called {name}" + (f" and {other}" if other != name else "")
                raise NameCollisionError(msg, hint="Rename one of them below columns:.")

    def relation(self, schema: str, table: str, wanted: str) -> str:
        """Give an index or a constraint a name that is free: as wanted, else with the table's name."""
        limit = self._dialect.can.max_identifier_bytes
        for candidate in (wanted, f"{table}_{wanted}", *(f"{table}_{wanted}_{i}" for i in range(2, 1000))):
            name = shortened(candidate, limit)
            if (schema, self._same(name)) not in self._given:
                self._given[schema, self._same(name)] = table
                return name
        msg = f"no free name for {wanted} of {table}"
        raise NameCollisionError(msg, hint="Rename the index or constraint in the source.")

    def _same(self, name: str) -> str:
        return name.lower() if self._dialect.can.names_ignore_case else name

    def _fits(self, name: str, what: str) -> None:
        limit = self._dialect.can.max_identifier_bytes
        if len(name.encode()) > limit:
            msg = f"the name of {what} has {len(name.encode())} bytes, {self._dialect.label} keeps {limit}"
            raise NameCollisionError(msg, hint="Give it a shorter name with rename:.")


def shortened(name: str, limit: int) -> str:
    """Return a name of at most ``limit`` bytes; a cut one ends in a digest of the whole."""
    raw = name.encode()
    if len(raw) <= limit:
        return name
    tail = "_" + hashlib.sha256(raw).hexdigest()[:8]
    return raw[: limit - len(tail)].decode("utf-8", "ignore") + tail
