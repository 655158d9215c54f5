"""What makes a plan risky: what a person should have looked at before it runs."""

from collections.abc import Iterator

from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.spec import Migration
from datamig_pipelines.steps import Context
from datamig_pipelines.transfer import Route

_LEFT = ("left behind", "not moved", "loses its", "does not count by itself any more")
"""How a plan's notes say that something of the source does not arrive."""
_SCOPE = ("is not moved, as the spec says", "not the whole database is moved")
"""How they say that something is not this migration's business: no risk, `include` is for that."""
_VALUES = ("row_count", "fingerprint")


def risks(plan: Plan) -> list[str]:
    """Return why a plan is risky, [] if it is not.

    Changed values (lossy types, casts, expressions, transforms), what does not arrive (rows,
    columns, views, keys, other objects; not tables that the file leaves out), a backup that is not
    restored as a proof, rows that may be rejected, and values that no proof compares.
    """
    context = plan.context
    return [
        *(text for route in context.routes for text in _values(route, context)),
        *(f"{r.name}: only rows with {r.where.strip()}" for r in context.routes if r.where),
        *(note for note in context.notes if _is_loss(note)),
        *_rules(context.migration),
    ]


def _is_loss(note: str) -> bool:
    return any(word in note for word in _LEFT) and not any(word in note for word in _SCOPE)


def _values(route: Route, context: Context) -> Iterator[str]:
    if route.transform:
        yield f"{route.name}: values go through {route.transform}"
    target = context.target.dialect
    for column in route.columns:
        where = f"{route.name}.{column.name}"
        if not column.plain:
            yield f"{where}: values are {column.sql}"
            continue
        usual, lost = target.declare(column.type)
        if not column.into.same_as(usual):
            yield f"{where}: {column.type} is cast to {column.into}"
        elif lost:
            yield f"{where}: {column.type} becomes {column.into}: {lost}"


def _rules(migration: Migration) -> Iterator[str]:
    if migration.backup.verify != "restore":
        yield f"the backup is not proven by a restore (backup.verify: {migration.backup.verify})"
    if migration.backup.what == "tables":
        yield "nothing of the target is kept (backup.what: tables): the only way back is undo"
    if migration.rejects.allow:
        yield f"rejected rows are allowed in {', '.join(migration.rejects.allow)}"
    missing = [p for p in _VALUES if p not in migration.validation.proofs]
    if missing:
        yield f"values are not proven: no {' and no '.join(missing)} in validate.proofs"
