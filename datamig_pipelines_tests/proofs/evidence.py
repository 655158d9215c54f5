"""Two SQLite tables and the evidence that a proof looks at."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy.engine import make_url

from datamig_pipelines.catalog import TableName
from datamig_pipelines.dialects.sqlite import SQLite
from datamig_pipelines.ledger import TableState
from datamig_pipelines.proofs import Evidence
from datamig_pipelines.running import look
from datamig_pipelines.session import Session
from datamig_pipelines.spec import Migration

Prepare = Callable[..., Evidence]


def prepared(folder: Path) -> Iterator[Prepare]:
    """Yield a function that runs a script on both sides, then one on the target alone."""
    with ExitStack() as stack:

        def prepare(
            both: str, here: str = "", *, state: TableState | None = None, **said
        ) -> Evidence:
            ends = {}
            for side in ("source", "target"):
                ends[side] = f"sqlite:///{folder / side}.sqlite"
                session = Session(SQLite(), make_url(ends[side]), readonly=False)
                stack.enter_context(session)
                for statement in both.split(";"):
                    if side == "source" and statement.strip():
                        session.query(statement)
            migration = Migration.model_validate(
                {
                    "name": "m",
                    "source": {"url": ends["source"]},
                    "target": {"url": ends["target"]},
                    **said,
                }
            )
            route = look(migration.based(folder)).context.routes[-1]
            sessions = [
                stack.enter_context(Session(SQLite(), make_url(u), readonly=False))
                for u in ends.values()
            ]
            for statement in (both + ";" + here).split(";"):
                if statement.strip():
                    sessions[1].query(statement)
            actual = (
                SQLite().read_catalog(sessions[1], "").table(TableName("", route.target.name.name))
            )
            return Evidence(route, *sessions, state or TableState(), actual)

        yield prepare
