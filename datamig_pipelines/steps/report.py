"""Writes down what was done, for people and for machines."""

import json
from collections.abc import Iterator
from typing import Any

from typing_extensions import override

from datamig_pipelines.dialects import Statement
from datamig_pipelines.differences.causes import counted, mend
from datamig_pipelines.errors import PermissionDeniedError
from datamig_pipelines.expectations import docs_index
from datamig_pipelines.ledger import Ledger
from datamig_pipelines.ledger.entry import SOURCE_SUITE
from datamig_pipelines.session import Session
from datamig_pipelines.steps.base import Context, Step, StepDone
from datamig_pipelines.transfer import Event


class Report(Step):
    """Writes report.md and report.json beside the migration file, from the ledger alone."""

    name = "report"
    does = "writes report.md and report.json from the ledger"

    @override
    def preview(self, context: Context) -> list[Statement]:
        """Return nothing: the report is a file."""
        return []

    @override
    def run(self, context: Context, session: Session) -> Iterator[Event]:
        """Collect the figures and write both files."""
        figures = collect(context, Ledger(session))
        folder = context.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "report.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False))
            (folder / "report.md").write_text(as_markdown(figures))
        except OSError as error:
            msg = f"the report cannot be written to {folder}: {error.strerror}"
            raise PermissionDeniedError(
                msg, hint="Make the folder writable and run again."
            ) from error
        yield StepDone(
            self.name, {"markdown": str(folder / "report.md"), "json": str(folder / "report.json")}
        )

    @override
    def undo(self, context: Context, session: Session) -> Iterator[Event]:
        """Keep the report: it is the memory of what happened."""
        yield StepDone(self.name)


def collect(context: Context, ledger: Ledger) -> dict[str, Any]:
    """Return everything that the ledger knows about a run, JSON-compatible."""
    run = next((r for r in ledger.runs(context.migration.name) if r.run_id == context.run_id), None)
    proofs = ledger.proofs(context.run_id)
    steps = ledger.steps(context.run_id)
    states = ledger.table_states(context.run_id, [r.name for r in context.routes])
    tables = []
    for route in context.routes:
        state = states[route.name]
        tables.append(
            {
                "table": route.name,
                "target": str(route.target.name),
                "route": route.describe(),
                "read": state.rows_read,
                "loaded": state.rows_loaded,
                "rejected": state.rows_rejected,
                "filtered": state.rows_filtered,
                "batches": state.batches,
                "proofs": {
                    p.proof: p.verdict for p in proofs if p.table == route.name and not p.of_suite
                },
            }
        )
    return {
        "migration": context.migration.name,
        "run": context.run_id,
        "started": run.started_at if run else "",
        "who": run.who if run else "",
        "position": run.position if run else "",
        "source": f"{context.source.dialect.label} {context.source}",
        "target": f"{context.target.dialect.label} {context.target}",
        "plan": context.fingerprint,
        "expected": context.timing,
        "tables": tables,
        "notes": list(context.notes),
        "left out": left_out(steps),
        "backup": backup_line(json.loads(steps.get("backup", ("", ""))[1] or "{}")),
        "steps": {name: status for name, (status, _) in steps.items() if ":" not in name},
        "rejects": [r.__dict__ for _, r in ledger.rejects(context.run_id)[:1000]],
        "proofs": [p.__dict__ for p in proofs],
        "suites": [p.__dict__ for p in proofs if p.of_suite],
        "data docs": str(docs_index(context.migration) or ""),
        "causes": causes(ledger, context.run_id),
        "contacts": [c.model_dump() for c in context.migration.contacts],
    }


def backup_line(detail: dict[str, Any]) -> str:
    """Return where the way back lies, and how long it takes."""
    if "folder" not in detail:
        return str(detail.get("kept", "none"))
    spent = detail.get("recovery_s")
    proof = f"restored and compared in {spent} s" if spent is not None else detail["verified"]
    return f"{detail['folder']}, {detail['bytes']:,} bytes, {proof}"


def causes(ledger: Ledger, run_id: str) -> list[dict[str, Any]]:
    """Return why values differ, as far as they are listed, without any value."""
    found = ledger.differences(run_id)
    return [
        {
            "table": table,
            "column": c.column,
            "cause": c.cause,
            "count": c.count,
            "mend": mend(c.cause, table, c.column),
        }
        for table in dict.fromkeys(d.table for d in found)
        for c in counted([(d.cause, d.column, None) for d in found if d.table == table])
    ]


def left_out(steps: dict[str, tuple[str, str]]) -> list[str]:
    """Return what steps left out; the details of their units (``schema:t``) are not read."""
    details = [json.loads(detail or "{}") for name, (_, detail) in steps.items() if ":" not in name]
    return [what for detail in details for what in detail.get("left out", [])]


def as_markdown(figures: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    names = sorted({p for t in figures["tables"] for p in t["proofs"]})
    head = ["table", "target", "read", "loaded", "rejected", "filtered", *names]
    lines = [
        f"# {figures['migration']}",
        "",
        f"- from {figures['source']}"
        + (f", at {figures['position']}" if figures["position"] else ""),
        f"- to {figures['target']}",
        f"- run `{figures['run']}` by {figures['who']}, started {figures['started']}",
        f"- plan `{figures['plan']}`, expected to take {figures['expected']}",
        f"- way back: {figures['backup']}",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    for table in figures["tables"]:
        cells = [table[h] for h in head[:6]] + [table["proofs"].get(n, "-") for n in names]
        lines.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    not_green = [
        p for p in figures["proofs"] if p["verdict"] != "equal" and p not in figures["suites"]
    ]
    lines += _section(
        "Not proven equal",
        [f"{p['table']}, {p['proof']}: {p['verdict']}. {p['detail']}" for p in not_green],
    )
    lines += _section("Suites of expectations", [_suite(s) for s in figures["suites"]])
    if figures["suites"] and figures["data docs"]:
        lines += ["", f"[Data Docs]({figures['data docs']})"]
    lines += _section("Likely causes", [_cause(c) for c in figures["causes"]])
    lines += _section(
        "Rejected rows",
        [f"{r['table']} {r['row_key']}: {r['reason']}" for r in figures["rejects"][:50]],
    )
    lines += _section("Left out, because the target refused it", figures["left out"])
    lines += _section("Notes of the plan", figures["notes"])
    contacts = [" ".join(v for v in c.values() if v) for c in figures["contacts"]]
    lines += _section("Contacts", contacts)
    return "\n".join(lines) + "\n"


def _suite(found: dict[str, Any]) -> str:
    side = "source" if found["proof"].startswith(SOURCE_SUITE) else "target"
    word = {"equal": "holds", "different": "FAILS"}.get(found["verdict"], "warns")
    return f"{found['table']} in the {side} {word}: {found['detail']}"


def _cause(found: dict[str, Any]) -> str:
    place = ".".join(p for p in (found["table"], found["column"]) if p)
    rule = f" `{found['mend']}`" if found["mend"] else ""
    return f"{place}: {found['cause']} ({found['count']} listed).{rule}"


def _section(title: str, items: list[str]) -> list[str]:
    return ["", f"## {title}", "", *[f"- {i}" for i in items]] if items else []
