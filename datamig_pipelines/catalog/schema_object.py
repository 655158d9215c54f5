"""What a database holds besides tables and views, and only its own engine understands."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from datamig_pipelines.catalog.names import TableName

_START: Final = re.compile(r" START (?:WITH )?-?\d+", re.IGNORECASE)


class Phase(StrEnum):
    """When an object is made."""

    BEFORE = "before"  # before the tables, which may need it; if it needs them, after all
    TABLES = "tables"  # with the tables, before their rows
    AFTER = "after"  # after the rows: it would act on them, or needs all else


@dataclass(frozen=True)
class SchemaObject:
    """A function, a trigger, an extension, … in its own engine's words.

    ``name.name`` tells it from others of its kind: ``f(integer)``, ``t on orders``. ``create`` and
    ``drop`` name bare what lives in the same schema; an empty ``drop`` says that it goes with
    something else. ``before`` are statements that it needs first (the session is calmed
    afterwards), ``state`` those that say where a counter stands, and ``next_value`` is what it
    would give. ``role`` is who must be there, if ``kind`` is ``grant`` or ``owner``.
    """

    kind: str
    name: TableName
    create: str
    drop: str
    phase: Phase = Phase.AFTER
    state: tuple[str, ...] = ()
    role: str = ""
    before: tuple[str, ...] = ()
    next_value: int | None = None

    @property
    def definition(self) -> str:
        """Return ``create`` without where a counter starts, which moves as it is used."""
        return _START.sub("", self.create) if self.kind == "sequence" else self.create

    def __str__(self) -> str:
        """Return kind and name, as ledger and plan call it."""
        return f"{self.kind} {self.name}"
