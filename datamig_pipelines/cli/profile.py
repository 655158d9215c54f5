"""datamig profile: drafts a Great Expectations suite per table from what the source holds."""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName, Tables, names
from datamig_pipelines.cli.output import document, say, show_table
from datamig_pipelines.cli.script import write_file
from datamig_pipelines.spec import Launch, find_migration, read_migration

Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder of the suites. Default: suites beside the file."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite suites that are there.")]
Values = Annotated[
    bool,
    typer.Option("--values", help="Write the values of texts that have few of them, too."),
]
Slack = Annotated[
    float, typer.Option(help="Room around what was seen, as a share: 0.1 is 10 %.", min=0, max=0.9)
]


def profile(
    migration: MigrationName,
    *,
    tables: Tables = "",
    out: Out = None,
    force: Force = False,
    values: Values = False,
    slack: Slack = 0.1,
    as_json: AsJson = False,
) -> None:
    """Write one Great Expectations suite per table, of what holds in the source. Only reads it."""
    from datamig_pipelines.expectations.starter import draft
    from datamig_pipelines.running.profiling import profile as profiled

    spec = read_migration(find_migration(migration))
    folder = (out or spec.base / "suites").resolve()
    told: list[dict[str, Any]] = []
    for route, found in profiled(spec, Launch(tables=names(tables)), values=values):
        path = folder / f"{re.sub(r'[^A-Za-z0-9_. -]', '_', found.table)}.json"
        suite = draft(found, slack)
        kept = path.exists() and not force
        if not kept:
            write_file(path, json.dumps(suite, indent=1, ensure_ascii=False) + "\n")
        told.append(
            {
                "table": found.table,
                "rows": found.rows,
                "expectations": len(suite["expectations"]),
                "file": str(path),
                "written": not kept,
                "left_out": list(found.left_out),
                "transform": route.transform,
            }
        )
    lines = _yaml(told, folder, spec.base)
    if as_json:
        document({"migration": spec.name, "tables": told, "yaml": "\n".join(lines)})
        return
    _tell(told)
    say("\n".join(["", "below attributes of the migration's file:", *lines]))


def _tell(told: list[dict[str, Any]]) -> None:
    columns = ("table", "rows", "expectations", "file")
    rows = [
        (t["table"], t["rows"], t["expectations"], t["file"] + ("" if t["written"] else " (kept)"))
        for t in told
    ]
    show_table("suites", columns, rows, ("rows", "expectations"))
    for table in told:
        if table["left_out"]:
            columns_left = ", ".join(table["left_out"])
            say(f"{table['table']}: left out, for their values are computed: {columns_left}")
        if table["transform"]:
            say(f"{table['table']}: for the source only, {table['transform']} may change its rows")


def _yaml(told: list[dict[str, Any]], folder: Path, base: Path) -> list[str]:
    """Return the lines to paste: a pattern where every file is called like its table."""
    here = Path(os.path.relpath(folder, base)).as_posix()
    plain = all(Path(t["file"]).stem == t["table"] and not t["transform"] for t in told)
    if plain:
        return [
            "  validate:",
            f'    before: ["{here}/*.json"]',
            f'    suites: ["{here}/*.json"]',
        ]
    entries = [(t, f"{here}/{Path(t['file']).name}") for t in told]
    lines = ["  validate:"]
    for side in ("before", "suites"):
        lines.append(f"    {side}:")
        lines += [
            f"      - {json.dumps({'table': t['table'], 'file': file}, ensure_ascii=False)}"
            for t, file in entries
            if side == "before" or not t["transform"]
        ]
    return lines
