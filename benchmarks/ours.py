"""One migration by datamig_pipelines, in a process of its own; prints its stages as JSON.

It is a whole run: plan, backup of the (empty) target, DDL, batches with their ledger entries, keys,
proofs, report. Order on standard input: see `Order`.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, field

from benchmarks.meter import Clock, anonymous_mib


@dataclass(frozen=True)
class Order:
    """What to migrate, and how."""

    source: str
    target: str
    table: str
    proofs: tuple[str, ...] = ()
    batch_size: int = 50_000
    without: tuple[str, ...] = ()
    """Parts of the load that are taken out, to see what they cost; see `benchmarks.without`."""
    profile: bool = False
    servers: tuple[int, ...] = field(default=())

    def as_json(self) -> str:
        """Return it for the process's standard input."""
        return json.dumps(asdict(self))


def main() -> None:
    """Run the order and print ``idle_mib``, ``laps`` and ``profile``."""
    order = Order(**json.load(sys.stdin))
    clock = Clock(order.servers, of_children=False)
    from datamig_pipelines import running

    idle_mib = anonymous_mib([os.getpid()])
    profile: list[dict[str, object]] = []
    if order.without:
        from benchmarks.without import take_out

        take_out(order.without)
    if order.profile:
        from benchmarks.profiling import profiled

        with profiled(profile):
            _run(running.run, order, clock)
    else:
        _run(running.run, order, clock)
    print(json.dumps({"idle_mib": idle_mib, "laps": clock.as_json(), "profile": profile}))


def _run(run: object, order: Order, clock: Clock) -> None:
    from datamig_pipelines.running import StepStarted
    from datamig_pipelines.spec import Migration

    os.environ["BENCH_SOURCE"], os.environ["BENCH_TARGET"] = order.source, order.target
    migration = Migration.model_validate(
        {
            "name": "bench",
            "source": {"url_env": "BENCH_SOURCE"},
            "target": {"url_env": "BENCH_TARGET"},
            "include": [order.table],
            "batch_size": order.batch_size,
            "validate": {"proofs": order.proofs},
        }
    )
    stage = "plan"
    for event in run(migration):  # type: ignore[operator]
        if isinstance(event, StepStarted):
            clock.lap(stage)
            stage = event.step
    clock.lap(stage)


if __name__ == "__main__":
    main()
