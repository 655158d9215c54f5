"""Rehearses a migration on a scratch copy of the target: forward, back, forward again.

The source is read; of the target nothing but a backup is taken. What was found is one file below
``rehearsals/`` in the migration's folder, from which later plans take their figures.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datamig_pipelines.backups.places import scratch_url
from datamig_pipelines.errors import AlreadyRunError
from datamig_pipelines.planning import Plan
from datamig_pipelines.planning.rehearsed import save_rehearsal
from datamig_pipelines.planning.sampling import Sample, Sampled, sampled
from datamig_pipelines.running.expecting import Gate, rehearsed_suites
from datamig_pipelines.running.findings import findings
from datamig_pipelines.running.opening import looked, source_place
from datamig_pipelines.running.proven import remember_rehearsal
from datamig_pipelines.running.scratching import (
    Site,
    alone,
    copy_target,
    drop_leftovers,
    scratch_site,
)
from datamig_pipelines.running.walk import Walk
from datamig_pipelines.spec import Migration
from datamig_pipelines.spec.policy import Approval, Rehearsal, Rollback
from datamig_pipelines.steps.backup import database_of
from datamig_pipelines.transfer import Event, Said


@dataclass(frozen=True)
class Rehearsed(Event):
    """A rehearsal came to its end, well or not; ``found`` is what stands in the file ``path``."""

    found: dict[str, Any]
    path: Path


def rehearse(migration: Migration, sample: str = "", *, keep: bool = False) -> Iterator[Event]:
    """Walk the whole way forward, back and forward again on a scratch copy, and say how it went.

    ``sample`` (``5%``, ``1000``) takes a part of the source. ``keep`` leaves the scratch database
    of a rehearsal that failed. The last event is `Rehearsed`, also where an error follows.

    Raises:
        SampleError: ``sample`` is none.
        AlreadyRunError: A run is in the target, so that there is nothing to rehearse.
        IrreversibleError: The way back does not lead to the original state.
        DatamigError: What stopped the way forward, after the way back from there was tried; or
            what a run would be refused for, and nothing was done.
    """
    part = Sample.parsed(sample) if sample else None
    plan = _admitted(migration)
    target = database_of(plan.context.target)
    beside = scratch_url(migration, target)
    with alone(migration):
        yield from drop_leftovers(migration, target, beside)
        with scratch_site(migration, target, beside) as site:
            scratch = replace(target, url=site.url)
            moved = scratched(migration, site)
            copied = yield from copy_target(moved, target, scratch)
            chosen = _chosen(rehearsed_suites(moved, sampled=part is not None), part)
            if part:
                yield Said(f"a sample of {part.text} of each table, with all that it refers to")
            walk = Walk(chosen.migration, copied)
            yield from walk.all()
            site.keep = keep and walk.error is not None
            found = findings(plan, walk, _extra(part, chosen, site))
            path = save_rehearsal(migration, found)
            if migration.rehearsal.required:
                remember_rehearsal(migration, found)
            yield Rehearsed(found, path)
    if walk.error is not None:
        raise walk.error


def _admitted(migration: Migration) -> Plan:
    """Return the plan of a run on the real databases; they are only read."""
    # It is rehearsed to be approved, and to have been rehearsed.
    free = migration.model_copy(update={"approval": Approval(), "rehearsal": Rehearsal()})
    with looked(free) as found:
        if found.run is not None or found.settled:
            msg = f"{migration.name} is in the target already"
            hint = f"`datamig rollback {migration.name}` takes it back, and proves the way back."
            raise AlreadyRunError(msg, hint=hint)
        Gate(wanted=True, anew=True).admit(found)
        return found.plan


def scratched(migration: Migration, site: Site) -> Migration:
    """Return the migration with the scratch database as its target, and all its files beside it.

    Its own backup step checks bytes only: that a backup restores is what the copy proves.
    """
    verify = "checksum" if migration.backup.verify == "restore" else migration.backup.verify
    policy = {"to": str(site.folder / "backups"), "encryption": None, "source": False}
    kept = {"keep": None, "keep_days": None, "verify": verify}
    changes: dict[str, Any] = {
        "backup": migration.backup.model_copy(update={**policy, **kept}),
        "rollback": Rollback(),
        "approval": Approval(),
        "rehearsal": Rehearsal(),
        "metrics": None,
        "alerts": (),
        "after": "",
    }
    return migration.model_copy(update=changes).elsewhere(site.url, site.folder / "home")


def _chosen(migration: Migration, part: Sample | None) -> Sampled:
    if part is None:
        return Sampled(migration)
    source = source_place(migration)
    return sampled(migration, source.catalog(), source.dialect, part)


def _extra(part: Sample | None, chosen: Sampled, site: Site) -> dict[str, Any]:
    return {
        "sample": part.text if part else "",
        "whole tables": dict(chosen.whole),
        "kept": site.url.render_as_string(hide_password=True) if site.keep else "",
    }
