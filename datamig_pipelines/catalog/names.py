"""Names of tables, parsed once."""

from dataclasses import dataclass

LEDGER = "datamig"
LEDGER_TABLES = (
    *("run", "step", "snapshot", "shard", "batch", "loaded", "reject", "proof"),
    *("control", "intent", "difference"),
    *("history", "catalog", "approval", "rehearsal"),
)


@dataclass(frozen=True, order=True)
class TableName:
    """A table's schema and name as the engine spells them; no schema is an empty one."""

    schema: str
    name: str

    def __str__(self) -> str:
        """Return ``schema.name``, or the bare name."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


def is_ledger(name: TableName) -> bool:
    """Say whether a table is the ledger's: in its schema, or by one of its names."""
    return name.schema == LEDGER or name.name in {f"{LEDGER}_{t}" for t in LEDGER_TABLES}
