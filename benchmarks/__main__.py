"""The command line: `python -m benchmarks --help`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import benchmarks
from benchmarks import machine, report, routes
from benchmarks.report import Results
from benchmarks.routes import ROUTES
from benchmarks.servers import Engines
from benchmarks.session import Measurement, Session
from benchmarks.sources import Sources


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; 1 if a run did not count."""
    asked = _parser().parse_args(arguments)
    facts = machine.facts()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="datamig-bench-")))
        folder.chmod(0o755)  # the servers run under accounts of their own
        engines = Engines.on(stack)
        session = Session(engines, Sources(engines, folder), folder)
        if asked.profile:
            return _profile(session, asked.profile, asked.rows)
        measured = _measured(session, asked)
    report.write(Results(facts, measured), asked.out)
    print(asked.out)
    return int(any(m.wrong for m in measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=benchmarks.__doc__)
    known = ", ".join(ROUTES)
    parser.add_argument(
        "--rows", type=_count, default=600_000, help="rows of a table (600000, 0.6M, 60k)"
    )
    parser.add_argument(
        "--routes", type=_names, default=list(ROUTES), help=f"separated by commas: {known}"
    )
    parser.add_argument("--runs", type=int, default=3, help="how often every case is run")
    parser.add_argument(
        "--peers", action="store_true", help="pgloader (if installed) and pandas, too"
    )
    parser.add_argument("--parts", action="store_true", help="what ledger, thread and proofs cost")
    parser.add_argument("--sweep", action="store_true", help="several sizes of batches on pg_pg")
    parser.add_argument("--growth", type=_counts, default=[], help="pg_pg with these rows: 0.6M,6M")
    parser.add_argument("--profile", choices=ROUTES, help="only show where the client's CPU goes")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/RESULTS.md"))
    return parser


def _count(text: str) -> int:
    factor = {"k": 1_000, "M": 1_000_000}.get(text[-1], 1)
    return round(float(text.rstrip("kM").replace("_", "")) * factor)


def _counts(text: str) -> list[int]:
    return [_count(part) for part in text.split(",")]


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    unknown = [name for name in names if name not in ROUTES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)}; there are {', '.join(ROUTES)}"
        )
    return names


def _measured(session: Session, asked: argparse.Namespace) -> list[Measurement]:
    chosen = [ROUTES[name] for name in asked.routes]
    usual = routes.usual(with_peers=asked.peers)
    made = [m for r in chosen for m in session.measure("routes", r, usual, asked.rows, asked.runs)]
    for route in (ROUTES[name] for name in routes.PARTS_OF if asked.parts):
        made += session.measure("parts", route, routes.parts(route), asked.rows, asked.runs)
    if asked.sweep:
        made += session.measure("sweep", ROUTES["pg_pg"], routes.sweep(), asked.rows, asked.runs)
    for rows in asked.growth:
        made += session.measure("growth", ROUTES["pg_pg"], routes.growth(rows), rows, asked.runs)
    return made


def _profile(session: Session, name: str, rows: int) -> int:
    (found,) = session.measure("profile", ROUTES[name], [routes.profile()], rows, 1)
    if found.outcome is None or found.wrong:
        return 1
    print(f"{'thread':18} {'calls':>9} {'own s':>7} {'µs/row':>7}  function")
    for row in found.outcome.profile:
        own = float(str(row["own_s"]))
        cost = f"{row['calls']:>9} {own:7.2f} {own / rows * 1e6:7.2f}"
        print(f"{row['thread']:18} {cost}  {row['function']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
