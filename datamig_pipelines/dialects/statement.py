"""A statement that can be shown before it is sent."""

from dataclasses import dataclass
from typing import Final

COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
"""How every engine ends what `Dialect.begin` opened."""


@dataclass(frozen=True)
class Statement:
    """SQL text, its bound parameters and, for the reader of a plan, what it is for."""

    sql: str
    parameters: tuple[object, ...] = ()
    purpose: str = ""

    def __str__(self) -> str:
        """Return the text as a person would run it."""
        return self.sql.rstrip(";") + ";"
