"""Turns proofs into asset checks.

What is proven right after the load is a check of its table, and blocking: where it differs, no
constraint follows. What is proven at the end is one check of ``validate`` for all tables together:
every check costs Dagster three events.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import dagster as dg

from datamig_pipelines.differences import Difference
from datamig_pipelines.errors import ProofFailedError
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.proofs import PROOFS, ProofResult, Verdict
from datamig_pipelines.running import validate
from datamig_pipelines.spec import Launch

_SHOWN_CHARACTERS = 200
_ORDER = (Verdict.EQUAL, Verdict.NOT_COMPARABLE, Verdict.DIFFERENT)


def check_specs(
    graph: Graph, keys: Iterable[dg.AssetKey], *, after_load: bool
) -> list[dg.AssetCheckSpec]:
    """Return one check per asset and proof that is due after the load, or at the end."""
    names = [n for n in graph.migration.validation.proofs if PROOFS[n].after_load is after_load]
    return [
        dg.AssetCheckSpec(n, asset=key, description=PROOFS[n].says, blocking=after_load)
        for key in keys
        for n in names
    ]


def check_result(key: dg.AssetKey, result: ProofResult) -> dg.AssetCheckResult:
    """Return a proof's outcome as a check: a difference is an error, not comparable a warning."""
    return dg.AssetCheckResult(asset_key=key, check_name=result.proof, **_outcome(result))


def together(key: dg.AssetKey, results: Sequence[ProofResult]) -> list[dg.AssetCheckResult]:
    """Return one check per proof for several tables: the worst verdict counts, all are shown."""
    found = []
    for name in dict.fromkeys(r.proof for r in results):
        own = [r for r in results if r.proof == name]
        worst = max(own, key=lambda r: _ORDER.index(r.verdict))
        outcome = _outcome(worst)
        if worst.verdict is Verdict.EQUAL:
            of = "one table" if len(own) == 1 else f"all of {len(own)} tables"
            outcome["description"] = f"equal in {of}"
        else:
            outcome["description"] = f"{worst.table}: {outcome['description']}"
        outcome["metadata"] = {"tables": len(own), "results": dg.MetadataValue.md(_listed(own))}
        found.append(dg.AssetCheckResult(asset_key=key, check_name=name, **outcome))
    return found


def prove_again(context: Any, graph: Graph, launch: Launch) -> Iterator[dg.AssetCheckResult]:
    """Run all proofs on the databases as they are; yield the selected checks, record the others.

    Raises ProofFailedError if any proof differs, selected or not; all are told before.
    """
    told: list[ProofResult] = []
    failure: ProofFailedError | None = None
    try:
        for event in heard(context, graph, validate(graph.migration, launch, suites=False)):
            told += [event] if isinstance(event, ProofResult) else []
    except ProofFailedError as error:
        failure = error
    yield from _sorted(context, graph, told)
    if failure:
        raise failure


def _sorted(
    context: Any, graph: Graph, told: Sequence[ProofResult]
) -> Iterator[dg.AssetCheckResult]:
    loaded = [(key_of(graph, r.table), r) for r in told if PROOFS[r.proof].after_load]
    own = [check_result(key, r) for key, r in loaded if key is not None]
    rest = together(graph.keys.rest, [r for key, r in loaded if key is None])
    for result in (*own, *rest):
        if result.asset_key and is_selected(context, result.asset_key, result.check_name):
            yield result
    ended = [r for r in told if not PROOFS[r.proof].after_load]
    for result in together(graph.keys.step("validate"), ended):
        context.log_event(evaluation(result))


def is_selected(context: Any, key: dg.AssetKey, name: str | None) -> bool:
    """Say whether the running step is to evaluate this check."""
    return dg.AssetCheckKey(key, name or "") in context.selected_asset_check_keys


def key_of(graph: Graph, table: str) -> dg.AssetKey | None:
    """Return the asset of a table, by its name in the source."""
    return graph.keys.table(table, table.rpartition(".")[2])


def evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """Return the event of a check that belongs to another step."""
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key or dg.AssetKey([]),
        check_name=result.check_name or "",
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
        blocking=False,
    )


def _listed(results: Sequence[ProofResult]) -> str:
    rows = [f"| {r.table} | {r.verdict} | {r.source} | {r.target} | {r.detail} |" for r in results]
    return "\n".join(["| table | verdict | source | target | |", "|---|---|---|---|---|", *rows])


def _outcome(result: ProofResult) -> dict[str, Any]:
    unsure = result.verdict is Verdict.NOT_COMPARABLE
    return {
        "passed": result.verdict is Verdict.EQUAL,
        "severity": dg.AssetCheckSeverity.WARN if unsure else dg.AssetCheckSeverity.ERROR,
        "description": result.detail or str(result.verdict),
        "metadata": {
            "verdict": str(result.verdict),
            "source": result.source,
            "target": result.target,
            **({"detail": result.detail} if result.detail else {}),
            **_causes(result),
        },
    }


def _causes(result: ProofResult) -> dict[str, Any]:
    """Return how often each cause was found; an example with its values only if asked for."""
    if result.diff is None or not result.diff.causes:
        return {}
    head = ["cause", "column", "count", *(["key", "source", "target"] * result.show_values)]
    rows = [
        [c.cause, c.column, c.count, *(_example(c.example) * result.show_values)]
        for c in result.diff.causes
    ]
    lines = [_row(head), _row(["---"] * len(head)), *(_row(r) for r in rows)]
    return {"causes": dg.MetadataValue.md("\n".join(lines)), "complete": result.diff.complete}


def _example(example: Difference | None) -> list[str]:
    values = (example.key, example.source, example.target) if example else ("", "", "")
    return ["NULL" if v is None else v[:_SHOWN_CHARACTERS] for v in values]


def _row(cells: Sequence[object]) -> str:
    texts = (str(c).replace("|", "\\|").replace("\n", " ") for c in cells)
    return f"| {' | '.join(texts)} |"
