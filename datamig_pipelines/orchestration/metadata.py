"""Says in Dagster's words what is known of tables, steps and plans."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from datamig_pipelines.orchestration.names import Keys
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.artefact import KnownColumn, KnownTable
from datamig_pipelines.planning.assessment import Verdict, assess_plan
from datamig_pipelines.steps import TableLoaded

_SHOWN = 200
"""Statements of one step that the plan shows; all of them are in `datamig plan --json`."""


def column_schema(columns: Sequence[KnownColumn]) -> dg.TableSchema:
    """Return the columns with types, nullability, comments and what their values go through."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                c.name,
                c.type,
                description="; ".join(t for t in (c.comment, c.through) if t) or None,
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
            )
            for c in columns
        ]
    )


def column_lineage(table: KnownTable, source: dg.AssetKey) -> dg.TableColumnLineage:
    """Return target column → columns of the source table."""
    return dg.TableColumnLineage(
        {
            c.name: [dg.TableColumnDep(asset_key=source, column_name=s) for s in c.sources]
            for c in table.columns
            if c.sources
        }
    )


def table_facts(table: KnownTable) -> dict[str, Any]:
    """Return what is known of a target table before it is loaded."""
    facts: dict[str, Any] = {"dagster/table_name": table.target, "datamig/source_table": table.name}
    if table.columns:
        facts["dagster/column_schema"] = column_schema(table.columns)
    return facts


def source_facts(table: KnownTable) -> dict[str, Any]:
    """Return what is known of a source table."""
    facts: dict[str, Any] = {"dagster/table_name": table.name}
    if table.source_columns:
        facts["dagster/column_schema"] = column_schema(table.source_columns)
    return facts


def loaded_facts(event: TableLoaded, table: KnownTable, keys: Keys) -> dict[str, Any]:
    """Return the figures of a loaded table, its columns and where they come from."""
    facts = {
        **table_facts(table),
        "dagster/row_count": event.rows_loaded,
        "rejected": event.rows_rejected,
        "bytes": event.bytes,
        "seconds": round(event.seconds, 2),
        "rows_per_second": round(event.rows_loaded / event.seconds) if event.seconds else 0,
        "route": event.route.describe(),
    }
    if keys.table(table.name):
        facts["dagster/column_lineage"] = column_lineage(table, keys.source(table.name))
    return facts


def step_facts(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a step tells about itself: words and figures before lists, which may be long."""
    told = {name: value for name, value in detail.items() if value is not None}
    plain = {n: v for n, v in told.items() if isinstance(v, str | int | float)}
    return {**plain, **{n: dg.MetadataValue.json(v) for n, v in told.items() if n not in plain}}


def plan_facts(plan: Plan) -> dict[str, Any]:
    """Return a plan for its reader: figures, tables, notes and the statements of every step."""
    told = plan.as_dict()
    source, target = told["source"], told["target"]
    names = ("table", "target", "rows", "batches", "seconds", "route")
    rows = ["| " + " | ".join(str(t[n]) for n in names) + " |" for t in told["tables"]]
    head = [f"| {' | '.join(names)} |", "|---|---|--:|--:|--:|---|"]
    return {
        "fingerprint": plan.fingerprint,
        "source": f"{source['engine']} {source['version']}, {source['url']}",
        "target": f"{target['engine']} {target['version']}, {target['url']}",
        "tables": len(told["tables"]),
        "rows": sum(t["rows"] for t in told["tables"]),
        "batches": sum(t["batches"] for t in told["tables"]),
        "estimated_seconds": float(told["seconds"]),
        "timing": told["timing"],
        "timeline": dg.MetadataValue.md(_timeline(told["steps"])),
        "plan": dg.MetadataValue.md("\n".join([*head, *rows])),
        "notes": dg.MetadataValue.md("\n".join(f"- {n}" for n in told["notes"]) or "none"),
        "assessment": dg.MetadataValue.md(_assessment(plan)),
        "statements": dg.MetadataValue.md(_statements(told["steps"])),
    }


def _assessment(plan: Plan) -> str:
    """Return how many objects arrive how; no value is counted here, `datamig assess` does."""
    figures = assess_plan(plan).figures()
    verdicts = [v.value for v in Verdict]
    lines = [f"| | {' | '.join(verdicts)} |", "|---" * (len(verdicts) + 1) + "|"]
    for kind, counted in figures.items():
        lines.append(f"| {kind} | " + " | ".join(str(counted[v]) for v in verdicts) + " |")
    return "\n".join(lines)


def _timeline(steps: Mapping[str, Any]) -> str:
    """Return what each step takes and sends; only a rehearsal measures what is not the load."""
    lines = ["| step | seconds | statements |", "|---|--:|--:|"]
    for name, step in steps.items():
        seconds = "not measured" if step["seconds"] is None else step["seconds"]
        lines.append(f"| {name} | {seconds} | {len(step['statements'])} |")
    return "\n".join(lines)


def _statements(steps: Mapping[str, Any]) -> str:
    parts = []
    for name, step in steps.items():
        sent = step["statements"]
        parts.append(f"**{name}** {step['does']}")
        if sent:
            more = f"\n-- … and {len(sent) - _SHOWN} more" if len(sent) > _SHOWN else ""
            parts.append("```sql\n" + "\n".join(sent[:_SHOWN]) + more + "\n```")
    return "\n\n".join(parts)
