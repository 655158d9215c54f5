"""Writes the results: Markdown for people, SVG beside it, JSON for machines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bar, chart
from benchmarks.figures import (
    CLIENT,
    COPY_CPU,
    COPY_WALL,
    CPU,
    SERVERS,
    WALL,
    Case,
    Pick,
    cases,
)
from benchmarks.meter import Lap
from benchmarks.routes import PROVEN, ROUTES
from benchmarks.session import Measurement

_EXPLAINED = """\
Measured by `make bench` (`python -m benchmarks --help`). All cases of a route run in turn,
A B C A B C; a ratio (x) is the median of the ratios to the bare pipe of the same round. Every copy
was checked (number of rows and checksums against the generator); a wrong one does not count.

- **bare pipe**: the engines' own command-line clients, one into the other, no batches, no ledger,
  no check; then `ADD PRIMARY KEY`. SQLite cannot add one: there the key is in the table before.
- **load**: a whole run of a migration in a new process: start of Python, plan, DDL, batches of
  50,000 rows that commit together with their ledger entries, primary key, report; no proofs.
- **load + proofs**: the same with all proofs, the fingerprint over every value on both sides too.
- **CPU**: client processes and servers together. **copy**: only the stage in which the rows move
  (with proofs, it includes those taken under the load's snapshot).
- **peak**: highest anonymous memory of the client processes; for our own, above the interpreter
  with the package imported.
- pandas runs on fewer rows (see its column) and without a key; compare its **copy** stage, which
  its start is not part of.
"""
_HEAD = (
    *("case", "rows", "runs", "wall s (median / min)", "rows/s", "CPU µs/row (median / min)"),
    *(
        "client + servers",
        "whole: CPU x / wall x",
        "copy: CPU µs/row",
        "copy: CPU x / wall x",
        "peak MiB",
    ),
)


@dataclass(frozen=True)
class Results:
    """Everything that was measured in one session."""

    facts: dict[str, str]
    measured: Sequence[Measurement]

    def of(self, group: str, route: str) -> list[Case]:
        """Return the cases of a group on a route."""
        return cases(m for m in self.measured if (m.group, m.route) == (group, route))

    def routes(self, group: str) -> list[str]:
        """Return the routes of a group."""
        return list(dict.fromkeys(m.route for m in self.measured if m.group == group))


def write(results: Results, out: Path) -> None:
    """Write ``out`` and, beside it, results.svg and results.json."""
    out.parent.mkdir(parents=True, exist_ok=True)
    raw = {"facts": results.facts, "measured": [m.as_json() for m in results.measured]}
    (out.parent / "results.json").write_text(json.dumps(raw, indent=1, default=str) + "\n")
    (out.parent / "results.svg").write_text(_chart(results))
    out.write_text("\n".join(_lines(results)) + "\n")


def _chart(results: Results) -> str:
    groups = {
        _title(name): [chart.Bar(c.name, c.middle(CPU) or 0) for c in results.of("routes", name)]
        for name in results.routes("routes")
    }
    return chart.draw("CPU per row, client and servers", "µs, less is better", groups)


def _title(route: str) -> str:
    found = ROUTES[route]
    names = {"postgres": "PostgreSQL", "mariadb": "MariaDB", "sqlite": "SQLite", "duckdb": "DuckDB"}
    return f"{names[found.source]} → {names[found.target]}, {found.table.name}"


def _lines(results: Results) -> list[str]:
    lines = ["# Speed", "", _EXPLAINED, "![CPU per row](results.svg)", ""]
    lines += [f"- {name}: {value}" for name, value in results.facts.items()]
    found = bar.verdicts({r: results.of("routes", r) for r in results.routes("routes")})
    if found:
        lines += ["", "## The bar", "", *bar.as_markdown(found)]
    for group, title in _GROUPS.items():
        for route in results.routes(group):
            made = results.of(group, route)
            lines += ["", f"## {title}{_title(route)}", "", *_table(made)]
            lines += _stages(made) if group == "routes" else []
    wrong = [m for m in results.measured if m.wrong]
    if wrong:
        lines += ["", "## Runs that do not count", ""]
        lines += [
            f"- {m.route}, {m.case}, round {m.round}: {' '.join(m.wrong.split())[:400]}"
            for m in wrong
        ]
    return lines


_GROUPS = {
    "routes": "",
    "parts": "What the parts cost: ",
    "sweep": "Sizes of batches: ",
    "growth": "Growth: ",
}


def _table(made: Iterable[Case]) -> list[str]:
    lines = [f"| {' | '.join(_HEAD)} |", "|" + "---|" * len(_HEAD)]
    return lines + [f"| {' | '.join(_cells(case))} |" for case in made]


def _cells(case: Case) -> list[str]:
    wall, best = case.middle(WALL) or 0, case.best(WALL) or 0
    return [
        case.name,
        f"{case.rows:,}",
        str(len(case.runs)),
        f"{wall * case.rows / 1e6:.2f} / {best * case.rows / 1e6:.2f}",
        f"{1e6 / wall:,.0f}" if wall else "",
        f"{_number(case.middle(CPU))} / {_number(case.best(CPU))}",
        f"{_number(case.middle(CLIENT))} + {_number(case.middle(SERVERS))}",
        _both(case, CPU, WALL),
        _number(case.middle(COPY_CPU)),
        _both(case, COPY_CPU, COPY_WALL),
        f"{case.peak_mib:.0f}",
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _both(case: Case, cpu: Pick, wall: Pick) -> str:
    found = [_number(case.ratio(pick)) for pick in (cpu, wall)]
    return " / ".join(found) if all(found) else ""


def _stages(made: Sequence[Case]) -> list[str]:
    """Return where the time of the proven load goes, stage by stage, from its first run."""
    proven = next((c.runs[0] for c in made if c.name == PROVEN), None)
    laps: Sequence[Lap] = proven.outcome.laps if proven and proven.outcome else ()
    shown = [f"{p.name} {p.wall_s:.2f} s ({p.client_s:.2f} + {p.servers_s:.2f} CPU)" for p in laps]
    return ["", f"Stages of {PROVEN}: {', '.join(shown)}."] if shown else []
