"""Names of tables, parsed once."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class TableName:
    """A table's schema and name as the engine spells them; no schema is an empty one."""

    schema: str
    name: str

    def __str__(self) -> str:
        """Return ``schema.name``, or the bare name."""
        return f"{self.schema}.{self.name}" if self.schema else self.name
