"""The ledger's own tables, described in logical types and created by the target's dialect."""

from dataclasses import replace

from datamig_pipelines.catalog import LEDGER, Column, Key, Kind, Table, TableName, Type
from datamig_pipelines.dialects.base import Dialect

_COLUMNS = {
    "run": "run_id migration fingerprint status started_at finished_at who position detail",
    "step": "run_id step status started_at finished_at detail",
    "snapshot": "run_id number# position taken_at",
    "shard": "run_id table_name shard# low_key high_key pages done_at",
    "batch": "run_id table_name shard# number# low_key high_key rows_read# rows_loaded# "
    "rows_rejected# rows_filtered# bytes# written digest seconds% committed_at",
    "loaded": "run_id table_name rows_loaded# finished_at",
    "reject": "run_id table_name batch# row_key row_values code reason hint shard# rejected_at",
    "proof": "run_id table_name proof verdict source_value target_value detail proven_at",
    "control": "migration word who at",
    "history": "run_id migration event spec_sum spec plan_sum plan who happened_at seconds% detail",
    "catalog": "run_id scope facts taken_at",
    "approval": "migration fingerprint rules who approved_at valid_until",
    "rehearsal": "migration fingerprint rules sample reversal error seconds% back_seconds% who "
    "rehearsed_at",
    "difference": "run_id table_name row_key column_name source_value target_value cause found_at",
}
_KEYS = {
    "run": ("run_id",),
    "step": ("run_id", "step"),
    "snapshot": ("run_id", "number"),
    "shard": ("run_id", "table_name", "shard"),
    "batch": ("run_id", "table_name", "shard", "number"),
    "loaded": ("run_id", "table_name"),
    "control": ("migration",),
}


def ledger_name(dialect: Dialect, name: str) -> TableName:
    """Return where a dialect keeps a ledger table: ``datamig.run``, or ``datamig_run``."""
    return TableName(LEDGER, name) if dialect.can.schemas else TableName("", f"{LEDGER}_{name}")


def column_names(name: str) -> tuple[str, ...]:
    """Return the columns of a ledger table."""
    return tuple(c.rstrip("#%") for c in _COLUMNS[name].split())


def ledger_tables(dialect: Dialect) -> list[Table]:
    """Return the ledger's tables as a dialect declares them."""
    tables = []
    for name, columns in _COLUMNS.items():
        key = _KEYS.get(name)
        tables.append(
            Table(
                ledger_name(dialect, name),
                tuple(_column(dialect, c, c.rstrip("#%") in (key or ())) for c in columns.split()),
                primary_key=Key("", key) if key else None,
            )
        )
    return tables


def _column(dialect: Dialect, name: str, required: bool) -> Column:  # noqa: FBT001 (a fact, read once)
    kind = {"#": Type(Kind.INTEGER, bits=64), "%": Type(Kind.FLOAT, bits=64)}.get(name[-1])
    held, _ = dialect.declare(kind or Type(Kind.TEXT))
    return Column(name.rstrip("#%"), replace(held), nullable=not required)
