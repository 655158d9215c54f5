"""Plants a fault in a table of a scratch copy, and takes it out again."""

from collections.abc import Iterator
from contextlib import contextmanager

from datamig_pipelines.dialects.statement import ROLLBACK
from datamig_pipelines.dialects.tampering import Harm
from datamig_pipelines.errors import EngineError
from datamig_pipelines.faults.fault import Fault, Scene
from datamig_pipelines.session import Session


class CannotPlantError(Exception):
    """The table has nothing for it, the engine no such thing, or the target refuses it itself."""


@contextmanager
def planted(fault: Fault, scene: Scene) -> Iterator[str]:
    """Plant a fault at the first place that takes it; yield that place; put all back.

    Where DDL cannot be rolled back, its opposite is sent. Killed in between, the copy stays harmed.

    Raises:
        CannotPlantError: See there; nothing is changed.
    """
    why, refused = "the table has nothing that could be harmed so", ""
    for place in fault.places(scene.route, scene.table):
        try:
            harm = fault.harm(scene, place)
        except EngineError as error:
            why = refused = f"the target refuses it: {error.message}"
            continue
        if harm is None:
            why = refused or "no row would change, or the engine has no such thing"
            continue
        session = scene.session
        session.query(session.dialect.begin())
        undo: tuple[str, ...] = ()
        try:
            try:
                _send(session, fault, harm)
            except EngineError as error:
                why = refused = f"the target refuses it: {error.message}"
            else:
                undo = () if session.dialect.can.transactional_ddl else harm.undo
                yield place
                return
        finally:
            session.query(ROLLBACK)
            for statement in (*undo, *session.dialect.guarded()):
                session.query(statement)
    raise CannotPlantError(why)


def _send(session: Session, fault: Fault, harm: Harm) -> None:
    free = session.dialect.unguarded() if fault.guarded else ()
    for statement in (*free, *harm.do):
        session.query(statement)
