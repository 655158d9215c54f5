"""Logical types: what a column may hold, in no engine's words."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The family of a type; what parameters it has stands behind it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"  # bits, unsigned
    DECIMAL = "decimal"  # precision, scale; both None: unbounded
    FLOAT = "float"  # bits: 32 or 64
    TEXT = "text"  # length in characters or None
    CHAR = "char"  # length; trailing blanks do not count
    BLOB = "blob"  # length in bytes or None
    BITS = "bits"  # length in bits
    DATE = "date"
    TIME = "time"  # fraction; a time of day
    DURATION = "duration"  # fraction; MySQL TIME: may be negative and above 24 h
    TIMETZ = "timetz"  # fraction
    TIMESTAMP = "timestamp"  # fraction; no zone
    TIMESTAMPTZ = "timestamptz"  # fraction; an instant
    INTERVAL = "interval"
    YEAR = "year"
    JSON = "json"  # binary: True where the engine normalises it (jsonb)
    UUID = "uuid"
    ENUM = "enum"  # values
    SET = "set"  # values
    ARRAY = "array"  # element
    ANY = "any"  # SQLite: each value has its own type
    OTHER = "other"  # known to its own engine only; native says how it is called there
    DOCUMENT = "document"  # no column's: the form in which a proof compares JSON that is rewritten


@dataclass(frozen=True)
class Type:
    """A logical type.

    ``native`` is the type as its own engine declares it. ``strict`` is False where the engine does
    not enforce the declaration (SQLite): a value may be longer or finer than it says.
    """

    kind: Kind
    bits: int | None = None
    unsigned: bool = False
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    fraction: int | None = None
    binary: bool = False
    values: tuple[str, ...] = ()
    element: "Type | None" = None
    native: str = ""
    strict: bool = True

    def same_as(self, other: "Type") -> bool:
        """Say whether both hold exactly the same values, however they are declared."""
        mine = (self.kind, self.bits, self.unsigned, self.precision, self.scale, self.length)
        theirs = (
            other.kind,
            other.bits,
            other.unsigned,
            other.precision,
            other.scale,
            other.length,
        )
        return (
            mine == theirs
            and self.fraction == other.fraction
            and self.binary == other.binary
            and self.values == other.values
            and self.element == other.element
        )

    def __str__(self) -> str:
        """Return the native declaration where there is one, else the kind."""
        return self.native or self.kind.value
