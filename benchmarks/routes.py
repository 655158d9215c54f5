"""What is measured: routes, and the cases that run on them in turn."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import peers, pipes
from benchmarks.ours import Order
from benchmarks.pipes import Stage
from benchmarks.tables import LINEITEM, WIDE, Table

Stages = Callable[["Setting"], tuple[Stage, ...]]

PROOFS = ("row_count", "fingerprint", "schema", "foreign_keys", "counters")
REFERENCE = "bare pipe"
PARTS_OF = ("pg_pg", "sqlite_pg")
LOAD = "load"
PROVEN = "load + proofs"
PANDAS = "pandas to_sql"
PGLOADER = "pgloader"


@dataclass(frozen=True)
class Route:
    """From one engine to another."""

    name: str
    source: str
    target: str
    table: Table


@dataclass(frozen=True)
class Setting:
    """Where one run takes place: URLs, a scratch folder, the servers' process ids."""

    source: str
    target: str
    table: Table
    folder: Path
    servers: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One way to copy; ``stages`` gives () where it is not possible, ``rows`` caps the table."""

    name: str
    stages: Stages
    prepared: bool
    """The target's table is there before."""
    rows: int = sys.maxsize


def _routes() -> dict[str, Route]:
    pairs = [
        *(("pg", "pg"), ("sqlite", "pg"), ("mariadb", "pg"), ("pg", "duckdb")),
        *(("sqlite", "duckdb"), ("mariadb", "duckdb"), ("pg", "sqlite"), ("sqlite", "sqlite")),
    ]
    made = [Route(f"{s}_{t}", _engine(s), _engine(t), LINEITEM) for s, t in pairs]
    wide = [replace(r, name=f"{r.name}_wide", table=WIDE) for r in made if r.target == "postgres"]
    return {r.name: r for r in [*made, *wide]}


def _engine(short: str) -> str:
    return {"pg": "postgres"}.get(short, short)


ROUTES = _routes()


def _ours(name: str, **options: Any) -> Case:
    """Return a case of ours; ``options`` are those of `Order`."""

    def stages(at: Setting) -> tuple[Stage, ...]:
        order = Order(at.source, at.target, at.table.name, servers=at.servers, **options)
        return (Stage("whole", ([sys.executable, "-m", "benchmarks.ours"],), order.as_json()),)

    return Case(name, stages, prepared=False)


def _reference(at: Setting) -> tuple[Stage, ...]:
    return pipes.reference(at.source, at.target, at.table)


def _pgloader(at: Setting) -> tuple[Stage, ...]:
    return peers.pgloader(at.source, at.target, at.table, at.folder)


def _pandas(at: Setting) -> tuple[Stage, ...]:
    return peers.pandas(at.source, at.target, at.table, at.servers)


def usual(*, with_peers: bool) -> list[Case]:
    """Return the cases of every route."""
    cases = [Case(REFERENCE, _reference, prepared=True), _ours(LOAD), _ours(PROVEN, proofs=PROOFS)]
    if with_peers:
        cases.append(Case(PGLOADER, _pgloader, prepared=False))
        cases.append(Case(PANDAS, _pandas, prepared=False, rows=peers.PANDAS_ROWS))
    return cases


def parts(route: Route) -> list[Case]:
    """Return loads with parts taken out or proofs put in, one by one."""
    cases = [
        _ours(LOAD),
        _ours("without ledger entries", without=("ledger",)),
        _ours("without reading ahead", without=("thread",)),
        _ours("without sizes of cells", without=("sizes",)),
        _ours("load + row_count", proofs=("row_count",)),
        _ours("load + fingerprint", proofs=("fingerprint",)),
        _ours(PROVEN, proofs=PROOFS),
    ]
    cells = route.source == "sqlite"  # the others send rows as bytes
    return [c for c in cases if cells or c.name != "without sizes of cells"]


def sweep(sizes: tuple[int, ...] = (1_000, 10_000, 50_000, 100_000)) -> list[Case]:
    """Return loads with batches of several sizes."""
    return [_ours(f"batches of {size:,}", batch_size=size) for size in sizes]


def profile() -> Case:
    """Return a load whose threads are profiled."""
    return _ours("profile", profile=True)


def growth(rows: int) -> list[Case]:
    """Return the bare pipe and the load, named by their number of rows."""
    pipe = Case(f"{REFERENCE}, {rows:,} rows", _reference, prepared=True)
    return [pipe, _ours(f"{LOAD}, {rows:,} rows")]
