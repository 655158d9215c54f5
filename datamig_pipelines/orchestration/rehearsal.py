"""Rehearses a migration from Dagster's UI, as a run of its own; the target is only read."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, cast

import dagster as dg
from pydantic import Field

from datamig_pipelines.orchestration.approvals import holding, show_verdict, verdict
from datamig_pipelines.orchestration.events import heard
from datamig_pipelines.orchestration.failures import explained
from datamig_pipelines.orchestration.graph import Graph
from datamig_pipelines.orchestration.results import is_selected
from datamig_pipelines.running import Outlook, Rehearsed, SuiteJudged, rehearse
from datamig_pipelines.running.reversal import why
from datamig_pipelines.transfer import Event, Progress

_CHECK = "rehearsed"
_TEXT = "Goes forward, back and forward again on a scratch copy of the target; touches no target."


def rehearsal_checks(graph: Graph) -> list[dg.AssetCheckSpec]:
    """Return the check of the plan that holds every step behind it; none if nothing is asked."""
    text = "The way back of this very plan was rehearsed, well and not too long ago."
    return holding(graph, _CHECK, text) if graph.migration.rehearsal.required else []


def rehearsal_results(
    context: Any, graph: Graph, found: Outlook, *, dry_run: bool
) -> list[dg.AssetCheckResult]:
    """Return the verdict of that check; a dry run is only warned."""
    key = graph.keys.step("plan")
    if not graph.migration.rehearsal.required or not is_selected(context, key, _CHECK):
        return []
    return [_verdict(graph, found, dry_run=dry_run)]


def _verdict(graph: Graph, found: Outlook, *, dry_run: bool = False) -> dg.AssetCheckResult:
    state = found.proven
    said = str(state) if state.entry else "needs no rehearsal"
    facts = {
        "plan": found.plan.fingerprint,
        "rehearsal": dg.MetadataValue.json(state.as_dict()),
    }
    check = (graph.keys.step("plan"), _CHECK)
    return verdict(check, found.unproven, said, facts, dry_run=dry_run)


class Part(dg.Config):
    """How much is rehearsed, and what stays of a rehearsal that failed."""

    sample: Any = Field("", description="A share (5%) or number (1000) of rows; none: all rows.")
    keep: bool = Field(default=False, description="Leave the scratch database if it fails.")


def rehearsal_job(graph: Graph) -> dg.JobDefinition:
    """Return ``<name>_rehearse``; fails if the way back does not lead to the original state."""
    name = graph.migration.name

    @dg.op(name=f"{name}__rehearse", out=dg.Out(dg.Nothing))
    def rehearsal(context: dg.OpExecutionContext, config: Part) -> None:
        found: list[Rehearsed] = []
        try:
            with explained():
                events = rehearse(graph.migration, _text(config.sample), keep=config.keep)
                for event in heard(context, graph, _without_progress(events)):
                    found += [event] if isinstance(event, Rehearsed) else []
        except dg.Failure as failure:  # an output of a step that failed is shown nowhere
            told = {**_shown(context, graph, found), **failure.metadata}
            raise dg.Failure(
                failure.description, metadata=told, allow_retries=failure.allow_retries
            ) from None
        context.add_output_metadata(_shown(context, graph, found))

    def choose(val: Part) -> dg.RunConfig:
        return dg.RunConfig(ops={f"{name}__rehearse": val})

    @dg.job(
        name=f"{name}_rehearse",
        description=_TEXT,
        config=dg.config_mapping(choose),
        tags={"datamig/migration": name},
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        rehearsal()

    return job


def _shown(context: Any, graph: Graph, told: Sequence[Rehearsed]) -> dict[str, Any]:
    """Return the facts of the rehearsal, if it got that far, and show them where the plan is."""
    if not told:
        return {}
    found, facts = told[0].found, _facts(told[0])
    context.log.info("the way back is %s", found["class"])
    part = f"a sample of {found['sample']}" if found["sample"] else "all rows"
    said = f"rehearsed, {part}: {found['class'] if found['passed'] else 'red'}"
    seen = {name: facts[name] for name in ("class", "way back", "steps", "file")}
    key = graph.keys.step("plan")
    context.log_event(dg.AssetObservation(key, description=said, metadata=seen))
    if graph.migration.rehearsal.required:
        show_verdict(context, lambda now: _verdict(graph, now), graph)
    return facts


def _without_progress(events: Iterator[Event]) -> Iterator[Event]:
    """Pass on what is of no asset: these are of the target, where nothing happens."""
    with closing(cast("Any", events)):
        for event in events:
            if not isinstance(event, Progress | SuiteJudged):
                yield event


def _facts(event: Rehearsed) -> dict[str, Any]:
    found = event.found
    head = "| step | class | seconds | seconds back | evidence |\n|---|---|--:|--:|---|\n"
    rows = (
        f"| {s['step']} | {s['class']} | {s['seconds']} | {_said(s['undo seconds'])} "
        f"| {_cell(why(s['evidence']))} |"
        for s in found["steps"]
    )
    return {
        "class": found["class"],
        "passed": found["passed"],
        "way back": f"by {found['back']['by']}, {found['back']['seconds']} s"
        if found["back"]
        else "not walked",
        "steps": dg.MetadataValue.md(head + "\n".join(rows)),  # the UI folds what comes late
        "seconds": found["seconds"],
        "proofs": dg.MetadataValue.json(
            {way: found[way]["proofs"] for way in ("forward", "again") if found[way]}
        ),
        "sample": found["sample"] or "all rows",
        "all rows of": dg.MetadataValue.json(found["whole tables"]),
        "rejected rows": len(found["forward"]["rejects"]),
        "kept": found["kept"] or "nothing",
        "file": dg.MetadataValue.path(str(event.path)),
        "evidence": dg.MetadataValue.json(_without_values(found)),
    }


def _without_values(found: dict[str, Any]) -> dict[str, Any]:
    """Return the evidence without the rejected rows: these stay in the file."""
    forward = {name: told for name, told in found["forward"].items() if name != "rejects"}
    return {**found, "forward": forward}


def _said(seconds: float | None) -> str:
    return "-" if seconds is None else str(seconds)


def _cell(text: str) -> str:
    """Return a text that stays in its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def _text(sample: object) -> str:
    """Return what the launchpad's YAML says: 1000 is a number there, 5% a text."""
    return "" if sample is None else str(sample)
