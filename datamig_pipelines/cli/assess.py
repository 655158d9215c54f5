"""datamig assess: what becomes of each object, and what a person has to do."""

from html import escape
from pathlib import Path
from typing import Annotated, Any

import typer

from datamig_pipelines.cli.arguments import AsJson, MigrationName, Tables, names
from datamig_pipelines.cli.output import document, say, show_table
from datamig_pipelines.cli.script import write_file
from datamig_pipelines.spec import Launch, find_migration, read_migration

Html = Annotated[Path | None, typer.Option(help="Write the whole assessment as one HTML page.")]
Counting = Annotated[
    bool,
    typer.Option(help="Count on the source the values that will not fit; reads each table once."),
]

_COLUMNS = ("kind", "object", "verdict", "effort", "values", "note", "advice")


def assess(
    migration: MigrationName,
    *,
    tables: Tables = "",
    count: Counting = True,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Judge every object: lossless, widening, lossy (how many values), unsupported. Only reads."""
    spec = read_migration(find_migration(migration))
    from datamig_pipelines.running.assess import assess as assessed

    told = assessed(spec, Launch(tables=names(tables)), counting=count).as_dict()
    if html:
        write_file(html, _page(told))
    if as_json:
        document(told)
        return
    _tell(told)
    if html:
        say(f"wrote {html}")


def _tell(told: dict[str, Any]) -> None:
    figures = told["figures"]
    verdicts = list(next(iter(figures.values()), {}))
    rows = [(kind, *(counted[v] for v in verdicts)) for kind, counted in figures.items()]
    title = f"{told['migration']}: {told['source']} to {told['target']}"
    show_table(title, ("kind", *verdicts), rows, verdicts)
    for finding in told["findings"]:
        if finding["verdict"] in ("lossy", "unsupported"):
            advice = f" ({finding['advice']})" if finding["advice"] else ""
            name = f" {finding['object']}" if finding["object"] else ""
            say(f"{finding['verdict']} {finding['kind']}{name}: {finding['note'] or '-'}{advice}")


def _page(told: dict[str, Any]) -> str:
    head = "".join(f"<th>{c}</th>" for c in _COLUMNS)
    rows = "".join(
        f'<tr class="{f["verdict"]}">'
        + "".join(f"<td>{escape(str('' if f[c] is None else f[c]))}</td>" for c in _COLUMNS)
        + "</tr>\n"
        for f in told["findings"]
    )
    title = escape(f"{told['migration']}: {told['source']} to {told['target']}")
    return (
        f'<!doctype html><meta charset="utf-8"><title>{title}</title>\n'
        "<style>body{font:14px sans-serif}td,th{padding:2px 8px;text-align:left;"
        "border-bottom:1px solid #ddd;vertical-align:top}.lossy{background:#fff3cd}"
        ".unsupported{background:#f8d7da}</style>\n"
        f"<h1>{title}</h1>\n<table><tr>{head}</tr>\n{rows}</table>\n"
    )
