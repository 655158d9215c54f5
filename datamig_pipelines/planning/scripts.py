"""A plan as files for other hands: SQL for the engine's own client, and an Alembic revision.

The statements are those of the steps: what `preview` yields, and what `undo` sends.
"""

from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from datamig_pipelines.dialects import Dialect, Statement
from datamig_pipelines.errors import ScriptError
from datamig_pipelines.planning.plan import Plan
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Launch
from datamig_pipelines.steps import STEPS, Context

_STEPS = ("schema", "constraints")

_REVISION = '''"""{title}."""

from alembic import op
from sqlalchemy import text

revision = "{revision}"
down_revision = None
branch_labels = None
depends_on = None

UP = (
{up})
DOWN = (
{down})


def _plain(sql):
    """Return SQL in which a colon is only a colon."""
    return text(sql.replace(":", r"\\:"))


def upgrade():
    """Make the schema."""
    for statement in UP:
        op.execute(_plain(statement))


def downgrade():
    """Take it back."""
    for statement in DOWN:
        op.execute(_plain(statement))
'''


class _Recorder(Session):
    """Writes down what would be sent. Asking it anything is an error: a file cannot answer."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.sent: list[Statement] = []

    @override
    def run(self, *statements: Statement) -> None:
        self.sent += statements

    @override
    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        msg = "the way back asks the target, which a script cannot"
        raise ScriptError(msg, hint="Use `datamig rollback`.", where=sql)


def scripts(plan: Plan) -> dict[str, str]:
    """Return the files by name: ``up.sql``, ``down.sql`` and ``<revision>_<migration>.py``.

    They make and take back the schema of the whole plan, without rows and without a ledger.

    Raises:
        ScriptError: A step cannot be said in statements alone.
    """
    context = replace(plan.context, launch=Launch())
    up, down = _up(context), _down(context)
    name, revision = context.migration.name, plan.fingerprint[:12]
    title = f"{name}: {context.source.dialect.label} to {context.target.dialect.label}"
    head = f"{title}, plan {plan.fingerprint}"
    revised = _REVISION.format(
        title=head, revision=revision, up=_listed(up, context), down=_listed(down, context)
    )
    return {
        "up.sql": _file(f"{head}: schema and constraints", up, context),
        "down.sql": _file(f"{head}: the way back", down, context),
        f"{revision}_{name}.py": revised,
    }


def _up(context: Context) -> list[Statement]:
    return [s for name in _STEPS for s in STEPS[name].preview(context)]


def _down(context: Context) -> list[Statement]:
    recorder = _Recorder(context.target.dialect)
    for name in reversed(_STEPS):
        for _ in STEPS[name].undo(context, recorder):
            pass
    once = {s.sql: s for s in recorder.sent}  # a view is dropped by both steps
    return list(once.values())


def _file(title: str, statements: Sequence[Statement], context: Context) -> str:
    dialect = context.target.dialect
    parts = [f"-- {title}", *dialect.script_head()]
    for statement in statements:
        parts += ["", f"-- {statement.purpose}"] if statement.purpose else [""]
        parts.append(dialect.script(statement))
    return "\n".join(parts) + "\n"


def _listed(statements: Sequence[Statement], context: Context) -> str:
    dialect = context.target.dialect
    return "".join(f"    {dialect.bare(s)!r},\n" for s in statements)
