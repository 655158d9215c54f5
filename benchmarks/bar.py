"""What the data path has to reach, and what it reaches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.figures import COPY_CPU, COPY_WALL, CPU, Case, times
from benchmarks.routes import LOAD, PANDAS, PGLOADER, PROVEN

Tables = Mapping[str, Sequence[Case]]

PIPE, FASTER_THAN_PGLOADER, FASTER_THAN_PANDAS, MEMORY_MIB = 1.3, 2.5, 30.0, 150.0


@dataclass(frozen=True)
class Verdict:
    """One demand, what was measured, and whether that is enough."""

    demand: str
    measured: str
    met: bool


def verdicts(tables: Tables) -> list[Verdict]:
    """Return the verdicts on what was measured; what was not measured has none."""
    made = [_pipe(tables)]
    made += [
        _faster(tables, route, PGLOADER, FASTER_THAN_PGLOADER)
        for route in ("mariadb_pg", "sqlite_pg")
    ]
    made += [
        _faster(tables, route, PANDAS, FASTER_THAN_PANDAS)
        for route in ("pg_pg", "sqlite_pg", "mariadb_pg")
    ]
    return [v for v in [*made, _memory(tables)] if v is not None]


def _case(tables: Tables, route: str, name: str) -> Case | None:
    return next((c for c in tables.get(route, ()) if c.name == name), None)


def _pipe(tables: Tables) -> Verdict | None:
    load = _case(tables, "pg_pg", LOAD)
    cpu, wall = (load.ratio(COPY_CPU), load.ratio(COPY_WALL)) if load else (None, None)
    if cpu is None or wall is None:
        return None
    demand = f"PostgreSQL → PostgreSQL: rows copied in at most {PIPE} x the bare pipe"
    return Verdict(demand, f"CPU {cpu:.2f} x, wall {wall:.2f} x", max(cpu, wall) <= PIPE)


def _faster(tables: Tables, route: str, peer: str, least: float) -> Verdict | None:
    mine, other = _case(tables, route, LOAD), _case(tables, route, peer)
    whole, copied = times(mine, other, CPU), times(mine, other, COPY_CPU)
    shown = {"whole runs": whole, "start and keys aside": copied}
    if whole is None:
        return None
    demand = f"{route.replace('_', ' → ')}: at least {least:g} x less CPU than {peer}"
    words = [f"{name} {value:.1f} x" for name, value in shown.items() if value is not None]
    return Verdict(demand, ", ".join(words), (copied or whole) >= least)


def _memory(tables: Tables) -> Verdict | None:
    mine = [
        (c.peak_mib, f"{c.name}, {r}")
        for r, made in tables.items()
        for c in made
        if c.name in (LOAD, PROVEN)
    ]
    if not mine:
        return None
    peak, where = max(mine)
    demand = f"at most {MEMORY_MIB:g} MiB above the idle interpreter, on every route"
    return Verdict(demand, f"{peak:.0f} MiB ({where})", peak <= MEMORY_MIB)


def as_markdown(found: Sequence[Verdict]) -> list[str]:
    """Return the verdicts as a table."""
    said: Callable[[bool], str] = lambda met: "met" if met else "**missed**"  # noqa: E731
    head = ["| demand | measured | |", "|---|---|---|"]
    return head + [f"| {v.demand} | {v.measured} | {said(v.met)} |" for v in found]
